"""Contoso: ten environments, some three hundred connections of every kind, and a month in which everything happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from holdfast.sandbox.chance import guid
from holdfast.sandbox.entra.administration import EVENTS as DIRECTORY_EVENTS
from holdfast.sandbox.entra.policy_events import EVENTS as POLICY_EVENTS
from holdfast.sandbox.frame import Event
from holdfast.sandbox.powerautomate.events import EVENTS as SERVER_EVENTS
from holdfast.sandbox.powerplatform.licences import remove_licence
from holdfast.sandbox.powerplatform.policies import dlp_block
from holdfast.sandbox.powerplatform.sharing import delete_event
from holdfast.sandbox.ready import secret_text
from holdfast.sandbox.records.directory import Account, Application, Certificate
from holdfast.sandbox.records.platform import Connection, ConnectionReference, Environment, Fault, Gateway
from holdfast.sandbox.scenarios.contoso_flows import pattern
from holdfast.sandbox.scenarios.definitions import (
    definition,
    every_quarter,
    manual,
    procedure,
    query,
    recurrence,
    rows,
    sql,
)
from holdfast.sandbox.scenarios.founding import Founding
from holdfast.sandbox.scenarios.sql_founding import ServerFounding

PLACES = (
    ("Finance", "Production", True),
    ("Sales", "Production", True),
    ("Logistics", "Production", True),
    ("Human Resources", "Production", True),
    ("Service", "Production", True),
    ("Plant", "Production", True),
    ("Marketing", "Sandbox", True),
    ("Research", "Developer", True),
    ("Archive", "Production", False),
)
"""Environments beside the default one: name, kind, and whether there is a Dataverse in it."""

FIRST_NAMES = [
    "Ada",
    "Ben",
    "Cleo",
    "Dario",
    "Edda",
    "Finn",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kira",
    "Levi",
    "Mona",
    "Nils",
    "Olga",
    "Piet",
    "Quinn",
    "Rosa",
    "Sven",
    "Tara",
]
LAST_NAMES = ["Adler", "Brandt", "Conti", "Dahl", "Eklund", "Frey", "Grau", "Holm", "Ivers", "Jansen"]
PEOPLE = 16
"""In each environment: most have one connection and one or two flows."""

AZURE = ("sql-contoso.example", "sql-sales.example", "sql-people.example")
LEGACY = "sql-legacy.example"
RUNNERS = "flow_runners"
"""The role that may execute what flows call; a new user holds nothing by itself."""
KEPT = "kept by the platform"  # stands for a password; it opens nothing outside this process
LICENCE = ["POWERAUTOMATE_PREMIUM"]
EVENTS: Mapping[str, Event] = {
    **DIRECTORY_EVENTS,
    **POLICY_EVENTS,
    **SERVER_EVENTS,
    "remove_licence": remove_licence,
    "delete_connection": delete_event,
    "dlp_block": dlp_block,
}


class Misfortune(NamedTuple):
    """Something that befell one person, so many days ago."""

    days: float
    event: str
    details: Mapping[str, Any] = {}


MISFORTUNES = (
    Misfortune(21.3, "reset_password"),
    Misfortune(18.6, "change_password"),
    Misfortune(16.2, "revoke_sessions"),
    Misfortune(12.4, "disable_account"),
    Misfortune(9.7, "delete_account"),
    Misfortune(11.1, "require_mfa"),
    Misfortune(8.5, "add_policy", {"kind": "block"}),
    Misfortune(7.2, "add_policy", {"kind": "compliant_device"}),
    Misfortune(6.6, "add_policy", {"kind": "sign_in_frequency", "days": 3}),
    Misfortune(5.9, "add_policy", {"kind": "terms_of_use"}),
    Misfortune(20.5, "remove_licence"),
    Misfortune(4.3, "reset_password", {"via": "azure"}),
    Misfortune(3.8, "expire_password"),
    Misfortune(2.6, "disable_account"),
    Misfortune(1.4, "revoke_sessions"),
    Misfortune(3.1, "revoke_consent"),
    Misfortune(2.8, "require_assignment"),
)


class Place(NamedTuple):
    """One environment with what belongs to it."""

    number: int
    environment: Environment
    server: str
    database: str
    people: list[Account]
    apps: list[Application]


def contoso(found: Founding, client: Application) -> None:
    """Found the tenant; `client` is the public client that people sign in with."""
    servers = {name: ServerFounding(found.world, name, found.ago(days=900)) for name in (*AZURE, LEGACY)}
    gateways = [found.gateway("GW-PLANT-01"), found.gateway("GW-PLANT-02")]
    plant = ServerFounding(found.world, "plant-sql", found.ago(days=900), gateway_id=gateways[0].id)
    warehouse = ServerFounding(found.world, "warehouse-sql", found.ago(days=900), gateway_id=gateways[1].id)
    for server in (*servers.values(), plant, warehouse):
        _databases(server)
    places = list(_places(found, client))
    for place in places:
        _persons_sign_ins(found, place, servers[place.server])
        _service_accounts(found, place, servers[place.server])
        _applications(found, place, servers[place.server])
        _passwords(found, place, servers[place.server], servers[LEGACY])
        _loose_ends(found, place)
        if place.environment.display_name in ("Plant", "Logistics"):
            _on_premises(found, place, gateways, (plant, warehouse))
    _identities_of_holdfast(found, places, *servers.values())
    _what_happened(found, places)


# --- the ground ------------------------------------------------------------------------------------------


def _databases(server: ServerFounding) -> None:
    for name in ("erp", "finance", "reports", "archive", "scratch"):
        server.table(name, "dbo.Orders", 8, {"Customer": "nvarchar(100)", "Amount": "decimal(10,2)"})
        server.table(name, "dbo.Customers", 5, {"Name": "nvarchar(100)", "Since": "datetime2"})
        server.table(name, "dbo.Log", 0, {"Note": "nvarchar(200)"})
        server.procedure(name, "dbo.Refresh", ["SELECT COUNT(*) AS orders FROM dbo.Orders"])
        server.procedure(name, "dbo.Append", ["INSERT INTO dbo.Log (Note) VALUES (@Note)"], Note="run")
        server.view(name, "dbo.OpenOrders", "SELECT Id, Customer FROM dbo.Orders WHERE Amount < 60")
        server.trigger(name, "dbo.Log", "Log_is_watched", ["INSERT"])
        runners = server.role(name, RUNNERS)
        for procedure_name in ("dbo.Refresh", "dbo.Append"):
            server.grant(name, runners, "EXECUTE", procedure_name)


def _places(found: Founding, client: Application) -> Iterator[Place]:
    listed = [*PLACES, ("Contoso (default)", "Default", True)]
    for number, (name, sku, has_database) in enumerate(listed):
        org = name.lower().replace(" ", "-").strip("()").replace("(", "") if has_database else None
        environment = found.environment(
            name,
            is_default=sku == "Default",
            org=f"contoso-{org}" if org else None,
            **({} if sku == "Default" else {"sku": sku}),
        )
        people = [_person(found, client, number, turn) for turn in range(PEOPLE)]
        apps = [_app(found, name, number, turn) for turn in range(3)]
        yield Place(
            number,
            environment,
            AZURE[number % len(AZURE)],
            ("erp", "finance", "reports")[number % 3],
            people,
            apps,
        )


def _person(found: Founding, client: Application, number: int, turn: int) -> Account:
    first = FIRST_NAMES[(number * 7 + turn) % len(FIRST_NAMES)]
    last = LAST_NAMES[(number + turn) % len(LAST_NAMES)]
    alias = f"{first}.{last}.{number}{turn:02d}".lower()
    roles = ["Power Platform Administrator"] if (number, turn) == (0, 0) else []
    account = found.account(alias, f"{first} {last}", licences=list(LICENCE), directory_roles=roles)
    if turn < 2:
        found.signed_in(account, client, found.ago(days=1 + turn))
    return account


def _app(found: Founding, place: str, number: int, turn: int) -> Application:
    # Secrets end between tomorrow and in half a year; the third application signs with a certificate.
    ends = timedelta(days=3 + (number * 17 + turn * 41) % 180, hours=number)
    name = f"{place.lower().replace(' ', '-')}-app-{turn + 1}"
    app = found.app(
        name, secret_ends_in=ends if turn < 2 else None, owner_ids=[found.principal_of("holdfast-app-admin")]
    )
    if turn == 2:
        app.certificates.append(_certificate(found, app, ends))
    return app


def _certificate(found: Founding, app: Application, ends: timedelta) -> Certificate:
    """Only its thumbprint counts here: nobody signs with it."""
    drawn = guid(found.world.seed, "certificate", app.client_id).replace("-", "")
    return Certificate(
        key_id=found.id_of("certificate", app.display_name),
        label="CN=contoso",
        der="",
        sha1=(drawn + drawn)[:40],
        sha256=(drawn + drawn)[:64],
        starts_at=found.ago(days=170),
        expires_at=found.now + ends,
        created_at=found.ago(days=170),
    )


# --- connections and flows -------------------------------------------------------------------------------


def _flow(
    found: Founding,
    place: Place,
    name: str,
    owner: Account,
    written: Mapping[str, Any],
    uses: Sequence[Connection],
    *,
    in_solution: bool,
    **more: Any,
) -> None:
    """A flow, bound by references of its own if it is in a solution."""
    bound: list[Connection | ConnectionReference] = list(uses)
    if in_solution and place.environment.org is not None:
        bound = [
            found.reference(
                f"con_{place.number}_{connection.id[:10]}",
                connection.display_name,
                connection,
                place.environment,
                owner,
            )
            if not _known_reference(found, connection)
            else _reference(found, connection)
            for connection in uses
        ]
    made = found.ago(days=60 + place.number, minutes=len(found.world.flows) * 7)
    found.flow(
        f"{place.environment.display_name}: {name}",
        place.environment,
        owner,
        written,
        bound,
        created_at=made,
        modified_at=made,
        **more,
    )


def _known_reference(found: Founding, connection: Connection) -> bool:
    return any(one.connection_id == connection.id for one in found.world.references.values())


def _reference(found: Founding, connection: Connection) -> ConnectionReference:
    return next(one for one in found.world.references.values() if one.connection_id == connection.id)


def _persons_sign_ins(found: Founding, place: Place, server: ServerFounding) -> None:
    for turn, person in enumerate(place.people[: PEOPLE - 1]):
        connection = found.oauth_connection(
            f"{place.database} ({person.user_principal_name})",
            place.environment,
            person,
            used_at=found.ago(days=1, hours=turn),
            signed_in_at=found.ago(days=45 + turn),
        )
        server.user(place.database, person, "db_datareader", RUNNERS)
        name, written = pattern(place.number, place.server, place.database, turn + place.number)
        _flow(
            found,
            place,
            f"{name} of {person.display_name}",
            person,
            written,
            [connection],
            in_solution=turn % 3 != 0,
            is_managed=turn % 5 == 1,
        )
        if turn == 4:
            second = definition(
                recurrence("Day", 2, 5),
                ("Refresh", procedure("[dbo].[Refresh]", place.server, place.database)),
            )
            _flow(
                found,
                place,
                f"second of {person.display_name}",
                person,
                second,
                [connection],
                in_solution=True,
            )
    # The last one's sign-in is used by nobody but an app.
    person = place.people[-1]
    idle = found.oauth_connection(
        f"{place.database} ({person.user_principal_name})",
        place.environment,
        person,
        used_at=found.ago(days=20 + 9 * place.number),
        signed_in_at=found.ago(days=130),
    )
    server.user(place.database, person, "db_datareader", RUNNERS)
    found.canvas_app(f"{place.environment.display_name} board", place.environment, person, [idle])


def _service_accounts(found: Founding, place: Place, server: ServerFounding) -> None:
    for turn, (name, trigger, idle) in enumerate(
        (
            ("Monthly close", recurrence("Month", 1), 12),
            ("Quarterly close", every_quarter(), 40 + 6 * place.number),
        )
    ):
        account = found.account(
            f"svc-{place.number}-{turn}",
            f"Service account {place.environment.display_name} {turn + 1}",
            licences=list(LICENCE),
        )
        used_at = found.ago(days=idle, hours=3)
        connection = found.oauth_connection(
            f"{name} ({account.user_principal_name})",
            place.environment,
            account,
            used_at=used_at,
            signed_in_at=found.ago(days=170),
        )
        server.user("finance", account, "db_datareader", RUNNERS)
        close = definition(trigger, ("Refresh", procedure("[dbo].[Refresh]", place.server, "finance")))
        found.flow(
            f"{place.environment.display_name}: {name}",
            place.environment,
            account,
            close,
            [connection],
            created_at=used_at,
            modified_at=used_at,
        )


def _applications(found: Founding, place: Place, server: ServerFounding) -> None:
    owner = place.people[0]
    for turn, app in enumerate(place.apps):
        app.sql_databases = [place.database]
        server.user(place.database, app, "db_datareader", RUNNERS)
        if turn < 2:
            secret = secret_text(found.world, app.secrets[0])
            connection = found.principal_connection(
                f"Service principal {app.display_name}",
                place.environment,
                owner,
                app,
                secret=secret,
                used_at=found.ago(hours=5),
            )
        else:
            connection = found.connection(
                f"Certificate {app.display_name}",
                place.environment,
                owner,
                parameter_set="certOauth",
                parameters={"token:TenantId": found.world.tenant_id, "token:clientId": app.client_id},
                secrets={"token:clientCertificateSecret": app.certificates[0].sha1},
                last_token_at=found.ago(hours=5),
            )
        export = definition(
            recurrence("Day", 1, 1 + turn),
            ("Export", query("SELECT * FROM dbo.Orders", place.server, place.database)),
        )
        _flow(found, place, f"export by {app.display_name}", owner, export, [connection], in_solution=True)


def _passwords(found: Founding, place: Place, server: ServerFounding, legacy: ServerFounding) -> None:
    owner = place.people[1]
    for turn, (target, database) in enumerate(
        ((server, place.database), (legacy, "reports"), (server, ("archive", "scratch")[place.number % 2]))
    ):
        name = f"app_{place.number}_{turn}"
        # In some environments the login's password ends soon, or has ended.
        expires = (
            found.now + timedelta(days=-6 + 9 * place.number) if turn == 0 and place.number % 3 == 0 else None
        )
        target.login(database, name, KEPT, "db_datareader", expires_at=expires)
        wrong = turn == 0 and place.number == 4
        connection = found.connection(
            f"{target.server.name} {database} {place.number}",
            place.environment,
            owner,
            parameter_set="sqlAuthentication",
            parameters={"server": target.server.name, "database": database},
            secrets={"username": name, "password": "a former one" if wrong else KEPT},
        )
        poll = definition(
            recurrence("Hour", 6 + turn), ("Read", rows("[dbo].[Orders]", "default", "default"))
        )
        _flow(found, place, f"read {database} by {name}", owner, poll, [connection], in_solution=turn != 1)
        if turn == 0:
            found.canvas_app(f"{place.environment.display_name} desk", place.environment, owner, [connection])


def _loose_ends(found: Founding, place: Place) -> None:
    """Connections that nobody uses, that were never signed in, or that name what is not there; the deprecated kind."""
    where, owner, name = place.environment, place.people[2], place.environment.display_name
    for turn, days in enumerate((33, 95, 140)):
        found.oauth_connection(
            f"Unused {turn + 1} of {name}",
            where,
            place.people[3 + turn],
            used_at=found.ago(days=days + place.number),
            signed_in_at=found.ago(days=200),
        )
    shell = found.connection(f"Never signed in, {name}", where, owner, parameter_set="oauth", status="Error")
    shell.fault = Fault(code="Unauthenticated", message="This connection is not authenticated.")
    if where.display_name == "Research":
        found.connection(
            "Service principal of another tenant",
            where,
            owner,
            parameter_set="oauthSP",
            parameters={"token:TenantId": "fabrikam.example", "token:clientId": place.apps[0].client_id},
            secrets={"token:clientSecret": "of the other tenant"},
        )
    old = found.connection(
        f"Old kind, {name}",
        where,
        owner,
        parameters={"server": "no-such-server.example", "database": "erp", "authType": "basic"},
        secrets={"username": "sa", "password": KEPT},
    )
    nightly = definition(recurrence("Day", 1, 6), ("Read", sql("GetItems", {"table": "[dbo].[Orders]"})))
    found.flow(
        f"{name}: old nightly",
        where,
        owner,
        nightly,
        [old],
        created_at=found.ago(days=400),
        modified_at=found.ago(days=400),
    )
    invoked = definition(manual(), ("Read", rows("[dbo].[Orders]", place.server, place.database)))
    _flow(found, place, "for whoever presses it", owner, invoked, [shell], in_solution=True)


def _on_premises(
    found: Founding, place: Place, gateways: list[Gateway], servers: tuple[ServerFounding, ServerFounding]
) -> None:
    owner = place.people[2]
    for turn, (gateway, server) in enumerate(zip(gateways, servers, strict=True)):
        name = f"CONTOSO\\svc-{place.number}-{turn}"
        server.login("erp", name, KEPT, "db_datareader", RUNNERS, is_windows=True)
        for kind in ("windowsAuthentication", "windowsAuthenticationNonShared"):
            own = {"server": server.server.name, "database": "erp"} if kind == "windowsAuthentication" else {}
            connection = found.connection(
                f"{server.server.name} {kind} {place.number}",
                place.environment,
                owner,
                parameter_set=kind,
                parameters={**own, "gateway": {"id": gateway.id}},
                secrets={"username": name, "password": KEPT},
                gateway_id=gateway.id,
            )
            server_name, database = ("default", "default") if own else (server.server.name, "erp")
            read = definition(
                recurrence("Day", 1, 4 + turn), ("Read", rows("[dbo].[Orders]", server_name, database))
            )
            _flow(
                found,
                place,
                f"read {server.server.name} {kind}",
                owner,
                read,
                [connection],
                in_solution=kind == "windowsAuthentication",
            )


def _identities_of_holdfast(
    found: Founding, places: list[Place], server: ServerFounding, *others: ServerFounding
) -> None:
    apps = {app.display_name: app for app in found.world.applications.values()}
    for place in places:
        if place.environment.org is not None:
            found.application_user(apps["holdfast-reader"], place.environment, "Service Reader")
            found.application_user(
                apps["holdfast-operator"], place.environment, "System Customizer", "Environment Maker"
            )
    for one in (server, *others):
        one.server.entra_admin = apps["holdfast-sql-admin"].client_id
    for database in apps["holdfast-sql-admin"].sql_databases:
        server.user(database, apps["holdfast-sql-admin"], "db_owner")
    found.data_policy(
        "Company default",
        groups={
            "Confidential": ["shared_office365"],
            "General": ["shared_sql"],
            "Blocked": ["shared_twitter"],
        },
    )


# --- the month -------------------------------------------------------------------------------------------


def _what_happened(found: Founding, places: list[Place]) -> None:
    for number, misfortune in enumerate(MISFORTUNES):
        place = places[number % 9]
        person = place.people[4 + number // 9 + number % 5]
        found.happened(
            found.ago(days=misfortune.days), EVENTS[misfortune.event], person.object_id, **misfortune.details
        )

    def event(days: float, name: str, target: str, **details: Any) -> None:
        found.happened(found.ago(days=days), EVENTS[name], target, **details)

    event(15.5, "disable_app", places[1].apps[0].client_id)
    event(10.5, "delete_app", places[2].apps[1].client_id)
    event(6.5, "remove_secret", places[3].apps[0].client_id)
    event(2.5, "expire_secret", places[0].apps[1].client_id)
    event(5.5, "expire_certificate", places[4].apps[2].client_id)
    event(
        4.4,
        "sql_drop_user",
        f"{places[5].server}/{places[5].database}",
        user=places[5].people[3].user_principal_name,
    )
    event(
        3.3,
        "sql_revoke",
        f"{places[7].server}/{places[7].database}",
        user=places[7].people[3].user_principal_name,
    )
    keeps_out = {"user": places[4].people[3].user_principal_name, "permission": "CONNECT"}
    event(3.2, "sql_revoke", f"{places[4].server}/{places[4].database}", **keeps_out)
    event(1.9, "sql_lock_login", f"{places[3].server}/{places[3].database}", user="app_3_0")
    # What passes by itself has just begun.
    event(0.02, "sql_trouble", f"{AZURE[2]}/finance", error=10928, hours=3)
    event(0.03, "sql_trouble", f"{AZURE[2]}/archive", error=40197, hours=2)
    event(0.01, "connector_outage", places[7].environment.id, status=503, hours=4)
    event(2.2, "sql_firewall_deny", LEGACY)
    event(7.7, "sql_offline", f"{AZURE[1]}/archive")
    event(1.1, "sql_pause", f"{AZURE[0]}/scratch")
    event(13.3, "gateway_offline", "GW-PLANT-02")
    event(8.8, "dlp_block", places[6].environment.id)
    deleted = next(
        one for one in found.world.connections.values() if one.owner_id == places[8].people[6].object_id
    )
    event(9.1, "delete_connection", deleted.id)
