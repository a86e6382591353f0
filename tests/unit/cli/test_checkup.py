"""What `doctor` sees on this machine, and its exit code."""

import os
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from holdfast.adapters.store.history import SqlHistory
from holdfast.cli import checkup
from holdfast.cli.commands.doctor import missing, verdict
from holdfast.settings import Settings, load

CODES = {
    "all is well": (["ok", "note", "allowed", "not_asked"], 0),
    "a refusal": (["allowed", "refused"], 1),
    "a finding here": (["allowed", "finding"], 1),
    "no answer": (["refused", "no_answer"], 3),
}


@pytest.mark.parametrize(("outcomes", "code"), CODES.values(), ids=CODES.keys())
def test_the_exit_code_is_the_worst_outcome(outcomes, code):
    assert verdict(outcomes) == code


def test_a_permission_that_is_missing_twice_is_said_once_with_all_that_it_unlocks():
    row: dict[str, Any] = {"role": "reader", "missing": "Application.Read.All"}
    rows = [
        {**row, "unlocks": "forecast"},
        {**row, "unlocks": "rotate"},
        {**row, "missing": None, "unlocks": "x"},
    ]

    assert list(missing(rows)) == ["reader lacks Application.Read.All, which unlocks forecast; rotate."]


SKEWS = {
    "none": (None, "note"),
    "a second": (timedelta(seconds=1), "ok"),
    "ten minutes behind": (timedelta(minutes=10), "finding"),
    "ten minutes ahead": (timedelta(minutes=-10), "finding"),
}


@pytest.mark.parametrize(("skew", "outcome"), SKEWS.values(), ids=SKEWS.keys())
def test_a_clock_that_is_far_off_is_a_finding(skew, outcome):
    assert checkup.clock(skew).outcome == outcome


def test_a_clock_that_is_days_off_is_told_in_days():
    assert checkup.clock(timedelta(days=2, seconds=5)).what.startswith("2 days behind the cloud")


def test_a_proxy_is_named_without_its_password():
    said = checkup.proxy(
        {"HTTPS_PROXY": "http://ada:s3cr3t@proxy.example:3128", "NO_PROXY": "localhost"}
    ).what

    assert said == "proxy.example:3128, not for localhost"


def test_an_absent_store_is_not_made(tmp_path):
    assert checkup.store(Settings(state_dir=tmp_path), {}).outcome == "note"
    assert list(tmp_path.iterdir()) == []


def test_a_store_of_this_version_is_fine(tmp_path):
    SqlHistory(tmp_path / "holdfast.db").close()

    assert checkup.store(Settings(state_dir=tmp_path), {}).outcome == "ok"


def test_a_store_of_a_newer_version_is_a_finding(tmp_path):
    SqlHistory(tmp_path / "holdfast.db").close()
    with sqlite3.connect(tmp_path / "holdfast.db") as connection:
        connection.execute("update alembic_version set version_num = '9999'")

    found = checkup.store(Settings(state_dir=tmp_path), {})

    assert found.outcome == "finding"
    assert "newer holdfast" in found.what


def test_a_file_that_is_no_store_is_a_finding(tmp_path):
    (tmp_path / "holdfast.db").write_text("not a database, and longer than a header of one would be " * 4)

    assert checkup.store(Settings(state_dir=tmp_path), {}).outcome == "finding"


@pytest.mark.skipif(os.name != "posix", reason="rights are lists of another kind on Windows")
def test_a_key_that_others_may_read_is_a_finding(tmp_path):
    key = tmp_path / "key"
    key.write_text("x")
    key.chmod(0o644)

    assert checkup.key_file(key).outcome == "finding"
    key.chmod(0o600)
    assert checkup.key_file(key).outcome == "ok"


def settings(tmp_path: Path, secret: str):
    file = tmp_path / "holdfast.toml"
    ids = "11111111-1111-1111-1111-111111111111"
    file.write_text(
        f'[tenants.c]\ntenant_id = "{ids}"\n[tenants.c.reader]\nclient_id = "{ids}"\nsecret = "{secret}"\n'
    )
    return load(file, {"HOLDFAST_STATE_DIR": str(tmp_path)})


@pytest.mark.parametrize(("secret", "outcome"), [("keyring:c-reader", "finding"), ("env:SECRET", "note")])
def test_a_missing_keyring_is_a_finding_only_where_it_is_needed(tmp_path, monkeypatch, secret, outcome):
    import keyring
    from keyring.backends import fail

    monkeypatch.setattr(keyring, "get_keyring", fail.Keyring)

    assert checkup.secret_store(settings(tmp_path, secret)).outcome == outcome


def test_a_proxy_that_cannot_be_asked_is_a_finding():
    assert checkup.proxy({"HTTPS_PROXY": "http://proxy.example:port"}).outcome == "finding"


def test_a_state_folder_that_is_a_file_is_a_finding(tmp_path):
    (tmp_path / "state").write_text("")

    assert checkup.state_folder(tmp_path / "state").outcome == "finding"
