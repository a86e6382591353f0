"""`holdfast explain`: what goes in, what comes out, and what no input can break."""

from __future__ import annotations

import io
import json

import pytest

from holdfast.cli.main import run
from tests.nasty import NASTY

IDLE = "AADSTS700082: The refresh token has expired due to inactivity."


@pytest.fixture
def typed(monkeypatch):
    """Puts bytes on standard input, off a terminal."""

    def put(data: bytes) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))

    return put


def rows(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_text_is_explained(capsys):
    assert run(["explain", IDLE]) == 0

    said = capsys.readouterr().out
    assert "token_inactive" in said
    assert "holdfast causes token_inactive" in said


def test_words_need_no_quotes(capsys):
    assert run(["explain", "-o", "jsonl", *IDLE.split()]) == 0

    assert rows(capsys)[0]["cause"] == "token_inactive"


def test_without_text_standard_input_is_one_raw_text(capsys, typed):
    typed(f"one line\n{IDLE}\nanother".encode())

    assert run(["explain", "-o", "jsonl"]) == 0
    assert [row["cause"] for row in rows(capsys)] == ["token_inactive"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_standard_input_may_come_from_any_shell(capsys, typed, encoding):
    typed(IDLE.encode(encoding))

    run(["explain", "-o", "jsonl"])
    assert rows(capsys)[0]["cause"] == "token_inactive"


def test_bytes_that_are_no_text_are_read_past(capsys, typed):
    typed(b"\xff\xfe\x00" + b"\x80" * 9 + IDLE.encode() + b"\x00\xc3(")

    assert run(["explain", "-o", "jsonl"]) == 0


def test_a_text_that_says_nothing_is_unknown_and_no_failure(capsys):
    assert run(["explain", "-o", "jsonl", "lorem ipsum"]) == 0

    (row,) = rows(capsys)
    assert (row["cause"], row["evidence"]) == ("unknown", [])
    assert row["remedies"][0]["id"] == "show_whole_error"


def test_each_line_has_the_agreed_fields(capsys, tmp_path):
    file = tmp_path / "texts.jsonl"
    file.write_text(json.dumps({"id": "a", "text": IDLE}) + "\n")

    assert run(["explain", "--input", str(file), "-o", "jsonl"]) == 0

    (row,) = rows(capsys)
    assert list(row) == ["id", "cause", "confidence", "alternatives", "evidence", "remedies"]
    assert row["id"] == "a"
    assert 0 <= row["confidence"] <= 1
    assert set(row["evidence"][0]) == {"kind", "code", "quote"}
    assert row["evidence"][0]["code"] == "AADSTS700082"


BAD = {
    "not JSON": (b"{oops", None),
    "not an object": (b"[1]", None),
    "no text": (b'{"id": "b"}', "b"),
    "text is a number": (b'{"id": "b", "text": 5}', "b"),
    "no id": (b'{"text": "x"}', None),
    "id is an object": (b'{"id": {}, "text": "x"}', None),
    "not UTF-8": (b'{"id": "b", "text": "\xff"}', "b"),
    "a number of 5,000 digits": (b'{"id": ' + b"9" * 5000 + b', "text": "x"}', None),
    "nested without end": (b'{"id":' + b"[" * 100_000 + b"}", None),
    "a number without end": (b'{"id": ' + b"9" * 10_000 + b', "text": "x"}', None),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_line_is_named_and_the_others_go_on(capsys, tmp_path, name):
    line, id = BAD[name]
    good = b'{"id": "good", "text": "' + IDLE.encode() + b'"}'
    file = tmp_path / "texts.jsonl"
    file.write_bytes(good + b"\n" + line + b"\n\n" + good)

    assert run(["explain", "--input", str(file), "-o", "jsonl"]) == 1

    first, bad, last = rows(capsys)
    assert first == last
    assert bad["id"] == id
    assert set(bad) == {"id", "error"}


def test_dash_is_standard_input(capsys, typed):
    typed(b'{"id": 7, "text": "' + IDLE.encode() + b'"}\n')

    assert run(["explain", "--input", "-", "-o", "jsonl"]) == 0
    assert rows(capsys)[0]["id"] == 7


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
@pytest.mark.parametrize("lines", [1, 500])
def test_a_file_may_come_from_any_shell(capsys, tmp_path, encoding, lines):
    file = tmp_path / "texts.jsonl"
    line = f'{{"id": "ä", "text": "{IDLE}"}}\r\n'
    file.write_bytes((line * lines).encode(encoding))

    assert run(["explain", "--input", str(file), "-o", "jsonl"]) == 0
    assert [(row["id"], row["cause"]) for row in rows(capsys)] == [("ä", "token_inactive")] * lines


def test_text_and_input_exclude_each_other(capsys, tmp_path):
    file = tmp_path / "texts.jsonl"
    file.write_text("")

    assert run(["explain", "x", "--input", str(file)]) == 2


def test_a_missing_input_file_is_a_usage_error(capsys):
    assert run(["explain", "--input", "/nowhere/texts.jsonl"]) == 2
    assert "/nowhere/texts.jsonl" in capsys.readouterr().err


@pytest.mark.parametrize("output", ["table", "json", "jsonl", "csv", "md"])
@pytest.mark.parametrize("name", NASTY)
def test_nothing_in_a_text_reaches_the_terminal_as_a_command(capsys, output, name):
    assert run(["explain", "-o", output, "--", f"{NASTY[name]} AADSTS700082: {NASTY[name]}"]) == 0

    said = capsys.readouterr().out
    assert not [c for c in said if c != "\n" and (c < " " or "\x7f" <= c <= "\x9f" or c in "\u202e\u2066")]


def test_a_secret_in_a_text_is_not_quoted(capsys):
    run(["explain", "-o", "jsonl", f"client_secret=s3cr3t~text&x=1 password: hunter2222; {IDLE}"])

    said = capsys.readouterr().out
    assert "s3cr3t" not in said
    assert "hunter" not in said


def test_what_is_wrong_with_a_line_is_said_in_words_of_the_input(typed, capsys):
    typed(b'{"id": ' + b"9" * 5000 + b', "text": "x"}')
    assert run(["explain", "--input", "-", "-o", "jsonl"]) == 1
    assert rows(capsys) == [{"id": None, "error": "a number in it has more digits than can be read"}]


def test_a_missing_file_is_refused_in_whole_sentences(capsys):
    assert run(["explain", "--input", "/no/such/file"]) == 2
    assert "No such file or directory. See `holdfast explain --help`." in capsys.readouterr().err


def test_what_another_tool_wrote_is_explained_and_what_is_missing_is_said(tmp_path, capsys):
    error = {
        "code": "Unauthorized",
        "message": "AADSTS700082: The refresh token has expired due to inactivity.",
    }
    connection = {"name": "c1", "properties": {"statuses": [{"status": "Error", "error": error}]}}
    file = tmp_path / "connections.json"
    file.write_text(json.dumps({"value": [connection, connection]}, indent=1)[:-20])

    code = run(["explain", "--input", str(file), "-o", "jsonl"])

    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 1
    assert (told[0]["id"], told[0]["cause"]) == ("c1", "token_inactive")
    assert "not whole JSON" in told[-1]["not_read"][0]


def test_a_solution_is_said_to_hold_no_errors(tmp_path, capsys):
    file = tmp_path / "solution.zip"
    file.write_bytes(b"PK\x03\x04" + bytes(100))

    assert run(["explain", "--input", str(file), "-o", "jsonl"]) == 0
    assert "holdfast inspect" in json.loads(capsys.readouterr().out)["not_read"][0]


def test_the_name_of_a_file_is_answered_with_how_to_read_it(capsys, tmp_path):
    file = tmp_path / "my error.txt"
    file.write_text(IDLE)

    assert run(["explain", str(file)]) == 0
    assert f"holdfast explain < '{file}'" in capsys.readouterr().err


def test_a_text_that_is_no_file_gets_no_such_hint(capsys):
    run(["explain", IDLE])
    run(["explain", "x" * 5000])

    assert capsys.readouterr().err == ""


def test_an_empty_text_is_told(capsys, typed):
    typed(b" \n")

    assert run(["explain", "-o", "jsonl"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["cause"] == "unknown"
    assert "The text is empty" in told.err


def test_a_raw_text_given_as_lines_is_answered_with_how_to_read_it(capsys, tmp_path):
    file = tmp_path / "error.txt"
    file.write_text(IDLE)

    assert run(["explain", "--input", str(file)]) == 1
    assert f"holdfast explain < {file}" in capsys.readouterr().err


def test_one_bad_line_among_good_ones_is_no_raw_text(capsys, tmp_path):
    file = tmp_path / "texts.jsonl"
    file.write_text('{"id": 1, "text": "x"}\nnot one\n')

    assert run(["explain", "--input", str(file), "-o", "jsonl"]) == 1
    assert capsys.readouterr().err == ""
