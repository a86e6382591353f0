"""`holdfast doctor` against a running tenant: it names exactly what is missing, and writes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli.commands.doctor import verdict
from holdfast.cli.main import run
from holdfast.sandbox import embedded
from holdfast.sandbox.snapshot import read, write
from holdfast.sandbox.world import Application
from holdfast.wire.ledger import CALLS
from tests.contract.test_cloud_on_sandbox import NO_ROOM

GRAPH = "00000003-0000-0000-c000-000000000000"


@pytest.fixture(scope="module")
def story(tmp_path_factory) -> Path:
    """A folder with the snapshot of a tenant, to copy."""
    folder = tmp_path_factory.mktemp("story")
    with embedded("story", state=folder, frozen=True):
        pass
    return folder


@pytest.fixture
def doctor(story, tmp_path, monkeypatch, capsys):
    """Change the reader's application, run the doctor; its exit code and its rows."""
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path))
    folder = tmp_path / "sandbox" / "story"
    folder.mkdir(parents=True)

    def told(change: Callable[[Application], None] = lambda _: None) -> tuple[int, list[dict[str, Any]]]:
        saved = read(story, "story")
        assert saved is not None
        name = saved.world.published["roles"]["reader"]
        change(next(app for app in saved.world.applications.values() if app.display_name == name))
        write(folder, saved)
        code = run(["doctor", "--sandbox=story", "-o", "jsonl"])
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        answered = [row for row in rows if row["check"] not in NO_ROOM]
        return (code if answered == rows else verdict([row["outcome"] for row in answered])), answered

    return told


def missing(rows: list[dict[str, Any]], role: str = "reader") -> set[str]:
    return {row["missing"] for row in rows if row["role"] == role and row["missing"]}


def test_an_identity_with_every_right_lacks_nothing(doctor):
    code, rows = doctor()

    assert missing(rows) == set()
    assert {row["outcome"] for row in rows if row["role"] == "reader"} == {"allowed"}
    assert code == 0


GRAPH_PERMISSIONS = sorted(
    {call.needs for call in CALLS if call.permission.startswith("graph/") and call.id not in NO_ROOM}
)


@pytest.mark.parametrize("permission", GRAPH_PERMISSIONS)
def test_a_graph_permission_that_is_missing_is_the_only_one_named(doctor, permission):
    code, rows = doctor(lambda app: app.app_roles.remove(f"{GRAPH}/{permission}"))

    assert missing(rows) == {permission}
    assert code == 1


def test_a_missing_registration_is_the_only_thing_named(doctor):
    def unregister(app: Application) -> None:
        app.is_platform_admin = False

    code, rows = doctor(unregister)

    (named,) = missing(rows)
    assert "management application" in named
    assert code == 1


def test_an_expired_secret_is_a_refused_sign_in_and_the_rest_is_not_asked(doctor):
    def expire(app: Application) -> None:
        for secret in app.secrets:
            secret.expires_at = secret.starts_at + timedelta(days=1)

    code, rows = doctor(expire)

    reader = {row["check"]: row for row in rows if row["role"] == "reader"}
    assert "has expired" in reader["entra.token"]["detail"]
    assert reader["entra.openid_configuration"]["outcome"] == "allowed"
    rest = [row["outcome"] for check, row in reader.items() if not check.startswith("entra.")]
    assert set(rest) == {"not_asked"}
    assert code == 1


def test_the_doctor_leaves_no_store_behind(doctor, tmp_path):
    doctor()

    assert list(tmp_path.rglob("*.db*")) == []
