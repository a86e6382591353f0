"""The port SqlServer by both drivers, on the sandbox's SQL servers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.compose import Tenant, tenants_of
from holdfast.core.errors import RefusedError, SettingsError, SqlServerError, UnreachableError
from holdfast.core.secret import Secret
from holdfast.core.sql import Securable, SqlPlace, SqlRight
from holdfast.sandbox import embedded
from holdfast.settings import from_ready
from holdfast.wire.ledger import SQL_CALLS, SQL_EXECUTE, SQL_LOGIN, SQL_PROBE, SQL_RIGHTS, SQL_USER
from tests.sandbox.conftest import Sandbox

ERP = SqlPlace("sql-contoso.database.windows.net", "erp")
DRIVERS = ("python-tds", "odbc")


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with embedded("story", frozen=True) as ready:
        yield Sandbox(ready)


@pytest.fixture
def sandbox(served: Sandbox) -> Sandbox:
    fresh = Sandbox(served.control("/reset", {"scenario": "story", "seed": 1}))
    fresh.control("/faults", method="DELETE")
    return fresh


def tenant_of(sandbox: Sandbox, tmp_path: Path, driver: str = "python-tds", **changes: object) -> Tenant:
    settings = from_ready(sandbox.ready, tmp_path)
    tenant = settings.tenants["sandbox"].model_copy(update=changes)
    return tenants_of(settings.model_copy(update={"sql_driver": driver, "tenants": {"sandbox": tenant}}))[
        "sandbox"
    ]


@pytest.fixture(params=DRIVERS)
def tenant(
    request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Tenant:
    if request.param == "odbc":
        monkeypatch.setenv("SSL_CERT_FILE", sandbox.ready["ca_file"])
    return tenant_of(sandbox, tmp_path, request.param)


def app(sandbox: Sandbox, name: str) -> tuple[str, Secret]:
    found = next(one for one in sandbox.ready["apps"] if one["name"] == name)
    return found["client_id"], Secret(found["secret"])


async def test_the_administrator_is_let_in(tenant: Tenant):
    async with tenant.sql() as server:
        probe = await server.probe(ERP)

    assert (probe.place, probe.refusal) == (ERP, None)


async def test_an_application_is_let_in_by_its_secret(tenant: Tenant, sandbox: Sandbox):
    async with tenant.sql_as(*app(sandbox, "erp-nightly")) as server:
        assert (await server.probe(ERP)).refusal is None


async def test_who_has_no_user_is_refused_with_a_number(tenant: Tenant, sandbox: Sandbox):
    async with tenant.sql_as(*app(sandbox, "erp-nightly")) as server:
        probe = await server.probe(ERP._replace(database="finance"))

    assert probe.refusal is not None
    assert probe.refusal.number == 18456
    assert "<token-identified principal>" in probe.refusal.message


REFUSING = {
    "firewall": ("sql_firewall_deny", "sql-contoso.database.windows.net/erp", 40615),
    "paused": ("sql_pause", "sql-contoso.database.windows.net/erp", 40613),
    "offline": ("sql_offline", "sql-contoso.database.windows.net/erp", 942),
}


@pytest.mark.parametrize(("event", "target", "number"), REFUSING.values(), ids=REFUSING)
async def test_what_happens_to_a_database_shows_in_the_number(
    tenant: Tenant, sandbox: Sandbox, event: str, target: str, number: int
):
    sandbox.event(event, target)

    async with tenant.sql() as server:
        probe = await server.probe(ERP)

    assert probe.refusal is not None
    assert probe.refusal.number == number


async def test_a_user_that_was_dropped_is_refused(tenant: Tenant, sandbox: Sandbox):
    client_id, secret = app(sandbox, "erp-nightly")
    sandbox.event("sql_drop_user", client_id)

    async with tenant.sql_as(client_id, secret) as server:
        refusal = (await server.probe(ERP)).refusal

    assert refusal is not None
    assert refusal.number == 18456


async def test_rows_of_each_batch_come_back(tenant: Tenant):
    async with tenant.sql() as server:
        first, second = await server.execute(ERP, "SELECT Id FROM dbo.Orders WHERE Id < 3", "SELECT 'é' AS x")

    assert (first, second) == (((1,), (2,)), (("é",),))


async def test_a_missing_right_is_an_error_with_its_number(tenant: Tenant, sandbox: Sandbox):
    async with tenant.sql_as(*app(sandbox, "erp-nightly")) as server:
        with pytest.raises(SqlServerError) as caught:
            await server.execute(ERP, "SELECT * FROM dbo.OrderLines")

    assert caught.value.code == "229"
    assert "OrderLines" in caught.value.message


async def test_a_database_that_is_not_there_is_told_apart_from_a_refused_login(tenant: Tenant):
    async with tenant.sql() as server:
        refusal = (await server.probe(ERP._replace(database="nowhere"))).refusal

    assert refusal is not None
    assert refusal.number == 4060


async def test_a_server_that_is_not_there_is_no_refusal(sandbox: Sandbox, tmp_path: Path):
    hosts = (
        from_ready(sandbox.ready, tmp_path)
        .tenants["sandbox"]
        .hosts.model_copy(update={"sql": ("localhost:1",)})
    )

    async with tenant_of(sandbox, tmp_path, hosts=hosts).sql() as server:
        with pytest.raises(UnreachableError, match="Connection refused"):
            await server.probe(ERP)


async def test_a_server_of_no_cloud_sees_no_token(sandbox: Sandbox, tmp_path: Path):
    hosts = from_ready(sandbox.ready, tmp_path).tenants["sandbox"].hosts.model_copy(update={"sql": ()})

    async with tenant_of(sandbox, tmp_path, hosts=hosts).sql() as server:
        server._addresses = server._addresses.__class__(server._addresses.hosts)  # type: ignore[attr-defined]
        with pytest.raises(RefusedError, match="no SQL server of this cloud"):
            await server.probe(SqlPlace("sql.example.com", "erp"))


async def test_another_host_for_sql_needs_leave(sandbox: Sandbox, tmp_path: Path):
    with pytest.raises(SettingsError, match="allow_custom_hosts"):
        async with tenant_of(sandbox, tmp_path, allow_custom_hosts=False).sql():
            pass


async def test_a_database_that_wakes_is_waited_for(sandbox: Sandbox, tmp_path: Path):
    class Waiting:
        """Its sleep moves the cloud's clock."""

        def __init__(self, clock):
            self.now, self.slept = clock.now, timedelta()

        async def sleep_until(self, instant):
            sandbox.advance(seconds=(instant - self.now()).total_seconds())

    sandbox.event("sql_pause", "sql-contoso.database.windows.net/erp")
    tenant = tenant_of(sandbox, tmp_path)

    async with tenant.sql() as server:
        server._clock = Waiting(server._clock)  # type: ignore[attr-defined]
        probe = await server.probe(ERP, timedelta(minutes=3))

    assert probe.refusal is None


RIGHTS = {
    "SELECT it was granted": (SqlRight("SELECT", Securable.OBJECT, "dbo", "Orders"), True),
    "SELECT it was not": (SqlRight("SELECT", Securable.OBJECT, "dbo", "OrderLines"), False),
    "on what is not there": (SqlRight("SELECT", Securable.OBJECT, "dbo", "No]'such"), False),
    "on the database": (SqlRight("ALTER ANY USER", Securable.DATABASE), False),
    "on a schema": (SqlRight("SELECT", Securable.SCHEMA, "dbo"), False),
}


async def test_rights_are_checked_one_by_one(tenant: Tenant, sandbox: Sandbox):
    async with tenant.sql_as(*app(sandbox, "erp-nightly")) as server:
        found = await server.rights(ERP, [right for right, _ in RIGHTS.values()])

    assert found == tuple(holds for _, holds in RIGHTS.values())


BATCHES = {
    SQL_PROBE.id: "SELECT 1",
    SQL_USER.id: "SELECT name FROM sys.database_principals WHERE sid = 0x01",
    SQL_RIGHTS.id: "SELECT HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'ALTER ANY USER')",
    SQL_LOGIN.id: "SELECT 1 WHERE LOGINPROPERTY(N'helpdesk_app', N'IsLocked') = 0",
    SQL_EXECUTE.id: "CREATE ROLE holdfast_tried",
}


def test_every_call_to_sql_servers_is_tried():
    assert set(BATCHES) == {call.id for call in SQL_CALLS}


@pytest.mark.parametrize("call", BATCHES)
async def test_the_identity_of_the_role_may(sandbox: Sandbox, tmp_path: Path, call: str):
    async with tenant_of(sandbox, tmp_path).sql() as server:
        assert await server.execute(ERP, BATCHES[call]) in ([((1,),)], [()])


@pytest.mark.parametrize("call", BATCHES)
async def test_another_identity_may_not(sandbox: Sandbox, tmp_path: Path, call: str):
    async with tenant_of(sandbox, tmp_path).sql_as(*app(sandbox, "holdfast-reader")) as server:
        with pytest.raises(SqlServerError):
            await server.execute(ERP, BATCHES[call])


async def test_the_user_of_an_application_is_found_by_its_id(tenant: Tenant, sandbox: Sandbox):
    client_id, _ = app(sandbox, "erp-nightly")

    async with tenant.sql() as server:
        found = await server.user_of(ERP, client_id)
        elsewhere = await server.user_of(ERP._replace(database="finance"), client_id)

    assert (found, elsewhere) == ("erp-nightly", None)


async def test_a_login_is_told_of_to_the_administrator(tenant: Tenant, sandbox: Sandbox):
    async with tenant.sql() as server:
        open_ = await server.login_state(ERP, "helpdesk_app")
        sandbox.event("sql_lock_login", str(ERP), user="helpdesk_app")
        locked = await server.login_state(ERP, "HELPDESK_APP")
        nobody = await server.login_state(ERP, "o'nobody")

    assert open_ is not None
    assert (open_.ends_from, open_.is_locked) == (None, False)
    assert open_.set_at < open_.at
    assert locked is not None
    assert locked.is_locked
    assert nobody is None


async def test_a_login_is_not_told_of_to_others(sandbox: Sandbox, tmp_path: Path):
    async with tenant_of(sandbox, tmp_path).sql_as(*app(sandbox, "erp-nightly")) as server:
        assert await server.login_state(ERP, "helpdesk_app") is None
