"""`holdfast secret`: in by standard input, never out."""

import io
import json

import pytest

from holdfast.cli.main import run


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path / "state"))
    path = tmp_path / "holdfast.toml"
    path.write_text('[secrets]\nstore = "file"\nkey_file = "key"\n')
    run(["secret", "new-key", str(tmp_path / "key")])
    return str(path)


@pytest.fixture
def said(monkeypatch, config, capsys):
    """Run a `secret` command with a text on standard input; its code and what it printed."""

    def say(*arguments: str, text: str = "") -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        capsys.readouterr()
        code = run(["secret", *arguments, "--config", config])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return say


def test_a_stored_secret_is_listed_by_its_reference_only(said):
    assert said("set", "contoso-reader", text="s3cr3t~text\n")[0] == 0

    _, listed = said("list", "-o", "jsonl")

    assert json.loads(listed)["reference"] == "file:contoso-reader"


def test_no_command_prints_the_text(said):
    printed = [
        said("set", "a", text="s3cr3t~text")[1],
        said("list")[1],
        said("rotate-key")[1],
        said("remove", "a")[1],
    ]

    assert "s3cr3t" not in "".join(printed)


def test_the_id_of_a_secret_is_refused_in_its_place(said):
    code, printed = said("set", "a", text="8a7b2f3e-1111-2222-3333-444455556666")

    assert code == 2
    assert "id, not its value" in printed


@pytest.mark.parametrize(
    "text",
    ["one line\nand another", "\x00\x01", "\udcff", "a" * 30_000],
    ids=["lines", "bytes", "no text", "long"],
)
def test_what_is_no_secret_is_refused_and_not_repeated(said, text):
    code, printed = said("set", "a", text=text)

    assert code == 2
    assert "one line" in printed
    assert text not in printed


def test_nothing_on_standard_input_is_refused(said):
    assert said("set", "a")[0] == 2


def test_removing_what_is_not_there_is_refused(said):
    code, printed = said("remove", "a")

    assert code == 2
    assert "file:a" in printed


def test_a_machine_without_a_keyring_is_told_the_other_way(said, monkeypatch):
    import keyring
    from keyring.backends import fail

    monkeypatch.setattr(keyring, "get_keyring", fail.Keyring)

    code, printed = said("set", "a", "--in", "keyring", text="s3cr3t~text")

    assert code == 5
    assert "key_file" in printed
    assert "s3cr3t" not in printed
