"""`config show` tells each setting, where it was set, and no secret."""

import json

import pytest

from holdfast.cli.main import run

TENANT = "11111111-1111-1111-1111-111111111111"
CLIENT = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "holdfast.toml"
    path.write_text(f'[tenants.c]\ntenant_id = "{TENANT}"\n[tenants.c.reader]\nclient_id = "{CLIENT}"\n')
    monkeypatch.setenv("HOLDFAST_TENANTS__C__READER__SECRET", "s3cr3t~text")
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path / "state"))
    return path


def test_each_setting_comes_with_its_origin(file, capsys):
    code = run(["config", "show", "--config", str(file), "-o", "jsonl"])

    rows = {row["key"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert code == 0
    assert rows["tenants.c.tenant_id"]["origin"] == f"{file}:2"
    assert rows["state_dir"]["origin"] == "HOLDFAST_STATE_DIR"
    assert rows["tenants.c.cloud"] == {"key": "tenants.c.cloud", "value": "public", "origin": "default"}


@pytest.mark.parametrize("output", ["table", "json", "jsonl", "csv", "md"])
def test_no_secret_is_shown(file, capsys, output):
    run(["config", "show", "--config", str(file), "-o", output])

    said = capsys.readouterr()
    assert "s3cr3t" not in said.out + said.err
    assert "a secret" in said.out


def test_lengths_and_times_are_shown_as_they_are_written(file, capsys):
    file.write_text(
        f'{file.read_text()}[alerts]\nquiet = "20:00-07:00"\ncheck_every = "90m"\n[watch]\nscan_every = "24h"\n'
    )

    run(["config", "show", "--config", str(file), "-o", "jsonl"])

    told = {row["key"]: row["value"] for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert told["alerts.quiet"] == "20:00-07:00"
    assert told["alerts.check_every"] == "90m"
    assert told["watch.scan_every"] == "1d"
    assert told["alerts.digest_at"] == "08:00"
