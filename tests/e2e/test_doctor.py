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
from holdfast.core.identity import Role
from holdfast.sandbox import embedded
from holdfast.sandbox.records.directory import Application
from holdfast.sandbox.snapshot import read, write
from holdfast.sandbox.sql.catalogue import Permission, Principal, sid_of
from holdfast.sandbox.world import World
from holdfast.wire.ledger import CALLS, SQL_CALLS
from tests.contract.test_cloud_on_sandbox import NO_ROOM

Change = Callable[[World, Application], None]

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
    """Change the application of a role, run the doctor; its exit code and its rows."""
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path))
    folder = tmp_path / "sandbox" / "story"
    folder.mkdir(parents=True)

    def told(
        change: Change = lambda *_: None, role: str = "reader", *more: str
    ) -> tuple[int, list[dict[str, Any]]]:
        saved = read(story, "story")
        assert saved is not None
        name = saved.world.published["roles"][role]
        change(saved.world, next(a for a in saved.world.applications.values() if a.display_name == name))
        write(folder, saved)
        code = run(["doctor", "--sandbox=story", "-o", "jsonl", *more])
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        answered = [row for row in rows if row["check"] not in NO_ROOM]
        return (code if answered == rows else verdict([row["outcome"] for row in answered])), answered

    return told


def missing(rows: list[dict[str, Any]], role: str = "reader") -> set[str]:
    return {row["missing"] for row in rows if row["role"] == role and row["missing"]}


APPLICATIONS = [role for role in Role if role is not Role.FLOW_READER]


def test_an_identity_with_every_right_lacks_nothing(doctor):
    code, rows = doctor()

    assert missing(rows) == set()
    assert {row["outcome"] for row in rows if row["role"] == "reader"} == {"allowed"}
    assert code == 0


ASKED = sorted(
    {
        (role, call.permission, call.needs)
        for call in CALLS
        for role in Role
        if role in call.roles
        and role in APPLICATIONS
        and call.permission
        and not call.is_for_people
        # What writes is never asked; a security role is read by its name.
        and (not call.writes or call.permission.startswith("environment/"))
        and call.id not in NO_ROOM
    }
)


@pytest.mark.parametrize(("role", "permission", "needs"), ASKED, ids=lambda part: part.split("/")[-1])
def test_a_permission_that_is_missing_is_the_only_one_named(doctor, role, permission, needs):
    code, rows = doctor(lambda world, app: take(world, app, permission), role=role)

    assert missing(rows, role) == {needs}
    assert {name for other in Role if other != role for name in missing(rows, other)} == set()
    assert code == 1


def test_an_identity_of_a_role_lacks_nothing(doctor):
    for role in APPLICATIONS:
        assert missing(doctor(role=role)[1], role) == set()


def take(world: World, app: Application, permission: str) -> None:
    """That one permission from the application, and no other."""
    kind, name = permission.split("/")
    if kind == "graph":
        app.app_roles.remove(f"{GRAPH}/{name}")
    elif kind == "power-platform":
        assert app.is_platform_admin
        app.is_platform_admin = False
    else:
        assert kind == "environment"
        held = [user for user in world.org_users.values() if user.principal_id == app.principal_id]
        assert any(name in user.roles for user in held)
        for user in held:
            user.roles.remove(name)


def test_an_expired_secret_is_a_refused_sign_in_and_the_rest_is_not_asked(doctor):
    def expire(_world: World, app: Application) -> None:
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


def test_a_security_role_of_the_tenants_own_may_be_enough(doctor):
    def rename(world: World, app: Application) -> None:
        for user in world.org_users.values():
            if user.principal_id == app.principal_id:
                user.roles[:] = ["Contoso automation"]

    _, rows = doctor(rename, "operator")

    said = {row["check"]: row for row in rows if row["role"] == "operator"}
    assert missing(rows, "operator") == set()
    assert "Contoso automation" in said["dataverse.workflows.create"]["detail"]


SERVER = "sql-contoso.database.windows.net"


def let_in_with(*rights: str) -> Change:
    """The SQL administrator is no more than a user of the database with these rights."""

    def change(world: World, app: Application) -> None:
        user = own_user(world, app)
        user.roles.clear()
        world.servers[SERVER].databases["erp"].permissions += [
            Permission(grantee=user.name, permission=right, securable="DATABASE") for right in rights
        ]

    return change


def keep_out(world: World, app: Application) -> None:
    """The SQL administrator has no user there."""
    user = own_user(world, app)
    del world.servers[SERVER].databases["erp"].principals[user.name]


def own_user(world: World, app: Application) -> Principal:
    """Of the application, which is no longer the server's administrator."""
    world.servers[SERVER].entra_admin = None
    users = world.servers[SERVER].databases["erp"].principals.values()
    return next(user for user in users if user.sid == sid_of(app.client_id))


@pytest.mark.parametrize(
    ("change", "lacking"),
    [
        (keep_out, {"a user in the database"}),
        (let_in_with(), {"ALTER ANY USER and ALTER ANY ROLE in the database"}),
        (let_in_with("ALTER ANY USER"), {"ALTER ANY ROLE in the database"}),
        (let_in_with("ALTER ANY ROLE"), {"ALTER ANY USER in the database"}),
        (let_in_with("ALTER ANY USER", "ALTER ANY ROLE"), set()),
    ],
    ids=["no user", "no right", "no roles", "no users", "both"],
)
def test_a_database_tells_what_the_sql_administrator_lacks(doctor, change, lacking):
    code, rows = doctor(change, "sql_admin", "--ask-sql", f"{SERVER}/erp")

    assert missing(rows, "sql_admin") == lacking
    assert code == (1 if lacking else 0)


def test_databases_that_nobody_named_are_not_asked(doctor):
    _, rows = doctor(keep_out, "sql_admin")

    told = {row["check"]: row["outcome"] for row in rows if row["role"] == "sql_admin"}
    assert {told[call.id] for call in SQL_CALLS} == {"not_asked"}
