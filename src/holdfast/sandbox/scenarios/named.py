"""Named worlds."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from holdfast.sandbox.entra.administration import EVENTS
from holdfast.sandbox.ready import secret_text
from holdfast.sandbox.records.directory import Application
from holdfast.sandbox.records.platform import Environment
from holdfast.sandbox.scenarios.definitions import (
    definition,
    every_quarter,
    procedure,
    query,
    recurrence,
    rows,
)
from holdfast.sandbox.scenarios.founding import Founding, everything
from holdfast.sandbox.scenarios.living import live
from holdfast.sandbox.scenarios.sql_founding import ServerFounding
from holdfast.sandbox.world import World

GRAPH_READER = (
    "User.Read.All",
    "Application.Read.All",
    "AuditLog.Read.All",
    "Policy.Read.All",
    "UserAuthenticationMethod.Read.All",
    "Domain.Read.All",
    "LicenseAssignment.Read.All",
)
KEPT = "kept by the platform"  # stands for a password; it opens nothing outside this process
SERVER = "sql-contoso.database.windows.net"


def build(scenario: str, seed: int, now: datetime) -> World:
    """The world of a scenario as it is at `now` (cut to the second).

    Raises:
        LookupError: there is no such scenario.
    """
    maker = SCENARIOS.get(scenario) or _sized(scenario)
    if maker is None:
        raise LookupError(
            f"There is no scenario {scenario!r}; known: {', '.join(sorted(SCENARIOS))}, and large-PERCENT."
        )
    founding = Founding(scenario, seed, now.replace(microsecond=0))
    with _without_collection():
        maker(founding)
        live(founding.world, founding.now, founding.happenings)
    return founding.world


@contextmanager
def _without_collection() -> Iterator[None]:
    """Nothing that a world is built of is garbage: looking for it costs a tenth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _identities(found: Founding) -> Application:
    """holdfast's own app identities, one per role, and the public client that accounts sign in with."""
    graph = "00000003-0000-0000-c000-000000000000"
    reader = found.app(
        "holdfast-reader", app_roles=[f"{graph}/{role}" for role in GRAPH_READER], is_platform_admin=True
    )
    operator = found.app("holdfast-operator", is_platform_admin=True)
    app_admin = found.app("holdfast-app-admin", app_roles=[f"{graph}/Application.ReadWrite.OwnedBy"])
    sql_admin = found.app("holdfast-sql-admin", sql_databases=["erp", "finance"])
    roles = {"reader": reader, "operator": operator, "app_admin": app_admin, "sql_admin": sql_admin}
    found.world.vault.roles[app_admin.principal_id or ""] = ["Key Vault Secrets Officer"]
    found.world.published["roles"] = {role: app.display_name for role, app in roles.items()}
    return found.app(
        "Sandbox client",
        secret_ends_in=None,
        is_public=True,
        delegated=everything(),
        redirect_uris=["http://localhost", "https://login.microsoftonline.com/common/oauth2/nativeclient"],
    )


def _story(found: Founding) -> None:
    """One tenant on the morning on which somebody notices: one connection broken, two about to break."""
    client = _identities(found)
    finance = found.environment("Finance", org="contoso-finance")
    _application_users(found, finance)
    found.environment("Contoso (default)", is_default=True)
    _night_shift(found, client, finance)
    _quarter_close(found, client, finance)
    _reset_password(found, client, finance)
    _service_principal(found, finance)
    _on_premises(found, client, finance)
    _databases(found)
    groups = {"Confidential": ["shared_office365"], "General": ["shared_sql"], "Blocked": ["shared_twitter"]}
    found.data_policy("Company default", default_group="General", groups=groups)


def _application_users(found: Founding, *places: Environment) -> None:
    """The reader reads every row, the operator changes them."""
    apps = {app.display_name: app for app in found.world.applications.values()}
    for place in places:
        found.application_user(apps["holdfast-reader"], place, "Service Reader")
        found.application_user(apps["holdfast-operator"], place, "System Customizer", "Environment Maker")


def _last_night(found: Founding, hour: int) -> datetime:
    tonight = found.now.replace(hour=hour, minute=0, second=0)
    return tonight if tonight <= found.now - timedelta(hours=2) else tonight - timedelta(days=1)


def _night_shift(found: Founding, client: Application, place: Environment) -> None:
    """Nightly flows on a person's sign-in: alive because they run, and ready to be migrated."""
    dana = found.account("dana.kim", "Dana Kim", licences=["POWERAUTOMATE_PREMIUM"])
    found.signed_in(dana, client, found.ago(days=2))
    connection = found.oauth_connection("ERP orders (Dana Kim)", place, dana, used_at=_last_night(found, 2))
    reference = found.reference("con_sql_erp", "SQL Server ERP", connection, place, dana)
    load = definition(
        recurrence("Day", 1, 2),
        ("Read_open_orders", rows("[dbo].[Orders]", SERVER, "erp")),
        ("Post_totals", procedure("[dbo].[PostTotals]", SERVER, "erp")),
    )
    found.flow("Nightly order import", place, dana, load, [reference])
    check = definition(
        recurrence("Day", 1, 3),
        ("Count_lines", query("SELECT COUNT(*) AS n FROM dbo.OrderLines", SERVER, "erp")),
    )
    found.flow("Nightly stock check", place, dana, check, [reference])


def _quarter_close(found: Founding, client: Application, place: Environment) -> None:
    """A quarterly flow on a service account: the sign-in is idle for so long that the next run comes too late."""
    account = found.account("svc-reports", "Service account Reports", licences=["POWERAUTOMATE_PREMIUM"])
    found.signed_in(account, client, found.ago(days=3))
    connection = found.oauth_connection(
        "Quarter close (svc-reports)",
        place,
        account,
        used_at=found.ago(days=71, hours=4),
        signed_in_at=found.ago(days=160),
    )
    reference = found.reference("con_sql_close", "SQL Server Finance", connection, place, account)
    close = definition(
        every_quarter(), ("Close_quarter", procedure("[dbo].[CloseQuarter]", SERVER, "finance"))
    )
    found.flow("Quarterly close", place, account, close, [reference], created_at=found.ago(days=71, hours=4))


def _reset_password(found: Founding, client: Application, place: Environment) -> None:
    """A person whose password an administrator reset: the connection has been broken since the next night."""
    reset_at = found.ago(days=5, hours=6)
    sam = found.account("sam.ortiz", "Sam Ortiz", licences=["POWERAUTOMATE_PREMIUM"])
    found.happened(reset_at, EVENTS["reset_password"], sam.object_id)
    found.signed_in(sam, client, found.ago(days=1))
    connection = found.oauth_connection(
        "Invoices (Sam Ortiz)", place, sam, used_at=_last_night(found, 4) - timedelta(days=6)
    )
    send = definition(recurrence("Day", 1, 4), ("Read_invoices", rows("[dbo].[Invoices]", SERVER, "finance")))
    found.flow("Nightly invoice mail", place, sam, send, [connection])


def _service_principal(found: Founding, place: Environment) -> None:
    """A nightly flow on a service principal whose secret expires before anything else breaks."""
    kim = next(account for account in found.world.accounts.values() if account.display_name == "Dana Kim")
    app = found.app(
        "erp-nightly",
        secret_ends_in=timedelta(days=12, hours=5),
        sql_databases=["erp"],
        owner_ids=[found.principal_of("holdfast-app-admin")],
    )
    secret = secret_text(found.world, app.secrets[0])
    connection = found.principal_connection(
        "ERP export (erp-nightly)", place, kim, app, secret=secret, used_at=_last_night(found, 1)
    )
    reference = found.reference("con_sql_export", "SQL Server ERP export", connection, place, kim)
    export = definition(
        recurrence("Day", 1, 1), ("Export_orders", query("SELECT * FROM dbo.Orders", SERVER, "erp"))
    )
    found.flow("Nightly ERP export", place, kim, export, [reference])


def _on_premises(found: Founding, client: Application, place: Environment) -> None:
    """A database behind a gateway, and a password connection that a canvas app brings to all its users."""
    lee = found.account(
        "lee.brandt",
        "Lee Brandt",
        directory_roles=["Power Platform Administrator"],
        licences=["POWERAUTOMATE_PREMIUM"],
    )
    found.signed_in(lee, client, found.ago(hours=20))
    gateway = found.gateway("GW-PLANT-01")
    plant = found.connection(
        "plant-sql production",
        place,
        lee,
        parameter_set="windowsAuthentication",
        parameters={"server": "plant-sql", "database": "production", "gateway": {"id": gateway.id}},
        secrets={"username": "CONTOSO\\svc-plant", "password": KEPT},
        gateway_id=gateway.id,
    )
    poll = definition(
        recurrence("Hour", 6), ("Read_machines", rows("[dbo].[Machines]", "default", "default"))
    )
    found.flow("Plant report", place, lee, poll, [plant])
    shared = found.connection(
        f"{SERVER} helpdesk",
        place,
        lee,
        parameter_set="sqlAuthentication",
        parameters={"server": SERVER, "database": "helpdesk"},
        secrets={"username": "helpdesk_app", "password": KEPT},
    )
    found.canvas_app("Helpdesk", place, lee, [shared])


def _databases(found: Founding) -> None:
    """What the flows and identities of the story find on the servers."""
    world = found.world
    accounts = {account.display_name: account for account in world.accounts.values()}
    apps = {app.display_name: app for app in world.applications.values()}
    azure = ServerFounding(
        world, SERVER, found.ago(days=700), entra_admin=apps["holdfast-sql-admin"].client_id
    )
    azure.table("erp", "dbo.Orders", 12, {"Customer": "nvarchar(100)", "Amount": "decimal(10,2)"})
    azure.table("erp", "dbo.OrderLines", 30, {"OrderId": "int", "Item": "nvarchar(100)"})
    azure.table("erp", "dbo.Totals", 0, {"Orders": "int", "Amount": "decimal(12,2)"})
    azure.procedure(
        "erp",
        "dbo.PostTotals",
        ["INSERT INTO dbo.Totals (Orders, Amount) SELECT COUNT(*), SUM(Amount) FROM dbo.Orders"],
    )
    azure.table("erp", "dbo.Audit", 0, {"What": "nvarchar(100)"})
    azure.trigger(
        "erp",
        "dbo.Totals",
        "Totals_are_audited",
        ["INSERT"],
        "INSERT INTO dbo.Audit (What) VALUES (N'totals')",
    )
    azure.view("erp", "dbo.LargeOrders", "SELECT Id, Customer, Amount FROM dbo.Orders WHERE Amount > 50")
    dana = azure.user("erp", accounts["Dana Kim"], "db_datareader")
    azure.grant("erp", dana, "EXECUTE", "dbo.PostTotals")
    azure.grant("erp", azure.user("erp", apps["erp-nightly"]), "SELECT", "dbo.Orders")
    azure.table("finance", "dbo.Invoices", 8, {"Customer": "nvarchar(100)", "Amount": "decimal(10,2)"})
    azure.procedure("finance", "dbo.CloseQuarter", ["SELECT SUM(Amount) AS total FROM dbo.Invoices"])
    azure.grant("finance", azure.user("finance", accounts["Sam Ortiz"]), "SELECT", "dbo.Invoices")
    reports = azure.user("finance", accounts["Service account Reports"])
    azure.grant("finance", reports, "EXECUTE", "dbo.CloseQuarter")
    for database in apps["holdfast-sql-admin"].sql_databases:
        azure.user(database, apps["holdfast-sql-admin"], "db_owner")
    azure.table("helpdesk", "dbo.Tickets", 5, {"Title": "nvarchar(200)", "Opened": "datetime2"})
    azure.login("helpdesk", "helpdesk_app", KEPT, "db_datareader", "db_datawriter")
    gateway = next(iter(world.gateways.values()))
    plant = ServerFounding(world, "plant-sql", found.ago(days=700), gateway_id=gateway.id)
    plant.table("production", "dbo.Machines", 6, {"Name": "nvarchar(100)", "Running": "bit"})
    plant.login("production", "CONTOSO\\svc-plant", KEPT, "db_datareader", is_windows=True)


def _contoso(found: Founding) -> None:
    """A tenant of some size, in which everything that can happen did."""
    from holdfast.sandbox.scenarios.contoso import contoso

    contoso(found, _identities(found))


def _large(found: Founding, percent: int = 100) -> None:
    """As large as tenants come, or so many percent of it."""
    from holdfast.sandbox.scenarios.large import large

    _identities(found)
    large(found, percent)


def _sized(scenario: str) -> Callable[[Founding], None] | None:
    name, _, percent = scenario.partition("-")
    if name != "large" or not percent.isdecimal() or not 0 < int(percent) <= 100:
        return None
    return lambda found: _large(found, int(percent))


SCENARIOS: dict[str, Callable[[Founding], None]] = {"story": _story, "contoso": _contoso, "large": _large}
