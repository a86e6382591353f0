"""The many of a large tenant: worked out from seed and clock whenever they are asked for, never kept (pure).

A crowd ages with the clock and does nothing else: its flows are listed but do not run, and no event names its things.
What it signs in with is real: accounts, applications and secrets of the world, whose events it feels.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from holdfast.sandbox.chance import draws, guid
from holdfast.sandbox.connection_use import recorded_refusal
from holdfast.sandbox.entra.first_party import SQL, SQL_CONNECTOR_CLIENT
from holdfast.sandbox.entra.held_tokens import refusals_of_application
from holdfast.sandbox.entra.judgement import IDLE_LIMIT, idle_ends_at, refusals_of_refresh
from holdfast.sandbox.memo import memo_of
from holdfast.sandbox.ready import secret_text
from holdfast.sandbox.records.directory import Account, Application
from holdfast.sandbox.records.platform import Connection, ConnectionReference, Flow, FlowConnection
from holdfast.sandbox.records.tokens import RefreshToken
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.world import World

SERVER = "sql-contoso.database.windows.net"
USED_EVERY = (1, 7, 30, 92, None)
"""Days between two uses of a sign-in; None for one that nobody uses any more."""

ONLY_AGES = Rule(
    "the_crowd_only_ages",
    "In `large` all but the identities is a crowd: listed, ageing with the clock, told by /truth; its flows do not run"
    " and no event names its things.",
    Mark.ABSENT,
    "200,000 connections that act would not fit into the memory of a test",
)


class Place(NamedTuple):
    """Where the crowd of one environment begins in the whole, and how many there are."""

    first: int
    size: int


def connections_in(world: World, environment_id: str, now: datetime) -> Iterator[Connection]:
    """The connections of an environment, none in a world without a crowd."""
    if world.crowd is not None and (place := _place(world, environment_id, world.crowd.connections, 60)):
        people = _People(world)
        for number in range(place.first, place.first + place.size):
            yield people.connection(environment_id, number, now)[0]


def references_in(world: World, environment_id: str) -> Iterator[ConnectionReference]:
    """One connection reference for each flow in a solution."""
    for flow, number in _flows(world, environment_id):
        if flow.workflow_id is not None:
            yield ConnectionReference(
                id=guid(world.seed, "crowd reference", number),
                environment_id=environment_id,
                logical_name=_logical_name(number),
                display_name=f"SQL Server {number}",
                connector="shared_sql",
                connection_id=_used_by(world, environment_id, number),
                owner_id=flow.owner_id,
                modified_at=flow.modified_at,
            )


def flows_in(world: World, environment_id: str) -> Iterator[Flow]:
    """The flows of an environment, every second one in a solution."""
    return (flow for flow, _ in _flows(world, environment_id))


def connection_truths(world: World, now: datetime) -> Iterator[dict[str, Any]]:
    """Each connection as `/truth` tells it."""
    if world.crowd is None:
        return
    people = _People(world)
    for environment_id in world.environments:
        place = _place(world, environment_id, world.crowd.connections, 60)
        for number in range(place.first, place.first + place.size):
            connection, token = people.connection(environment_id, number, now)
            refused = people.refusal(connection, token, now)
            yield {
                "id": connection.id,
                "name": connection.display_name,
                "environment": environment_id,
                "usable": refused is None,
                "cause": refused[0] if refused else None,
                "causes": [refused[0]] if refused else [],
                "broke_at": refused[1].isoformat() if refused and refused[1] else None,
            }


def flow_truths(world: World) -> Iterator[dict[str, Any]]:
    """Each flow as `/truth` tells it."""
    for environment_id in world.environments:
        for flow, number in _flows(world, environment_id):
            used = _used_by(world, environment_id, number)
            yield {
                "id": flow.id,
                "environment": environment_id,
                "workflow": flow.workflow_id,
                "on": True,
                "connections": [used] if used else [],
                "last_run_at": None,
                "last_run_ok": None,
            }


def _place(world: World, environment_id: str, of: int, percent_in_default: int) -> Place:
    """The default environment comes first; the others share the rest evenly."""
    order = memo_of(world).get("places of the crowd")
    if order is None:
        order = {one: n for n, one in enumerate(world.environments)}
        memo_of(world)["places of the crowd"] = order
    number, places = order.get(environment_id, 0), len(order)
    first = of * percent_in_default // 100 if places > 1 else of
    if number == 0:
        return Place(0, first)
    rest = of - first
    begin, end = (first + rest * at // (places - 1) for at in (number - 1, number))
    return Place(begin, end - begin)


def _connection_id(world: World, number: int) -> str:
    return guid(world.seed, "crowd connection", number).replace("-", "")


class _People:
    """Whoever the crowd signs in as, in lists that a number finds its way in."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._accounts: list[Account] = list(world.accounts.values())
        self._apps: list[Application] = [
            app for app in world.applications.values() if app.display_name.startswith("crowd-")
        ]
        self._sql = world.applications.get(SQL.client_id)
        # As long as nobody changed anything a sign-in can only be idle, which is quickly said.
        self._is_untouched = world.changes == 0 and not world.policies
        self._of_app: dict[str, tuple[str, datetime | None] | None] = {}

    def connection(
        self, environment_id: str, number: int, now: datetime
    ) -> tuple[Connection, RefreshToken | None]:
        """One connection as the platform shows it at `now`, and the token that it holds."""
        world = self._world
        who, kind, habit, phase = draws(world.seed, 4, "crowd", number)
        owner = self._accounts[int(who * len(self._accounts))]
        made = world.born_at - timedelta(days=100 + int(700 * phase))
        connection = Connection(
            id=_connection_id(world, number),
            environment_id=environment_id,
            connector="shared_sql",
            display_name=owner.user_principal_name if kind < 0.6 else f"{SERVER} erp",
            owner_id=owner.object_id,
            created_at=made,
            modified_at=made,
        )
        if kind < 0.6:
            return connection, self._signed_in(connection, owner, habit, phase, now)
        if kind < 0.8:
            self._as_application(connection, int(habit * len(self._apps)), phase, now)
        else:
            connection.parameter_set = "sqlAuthentication"
            connection.parameters = {"server": SERVER, "database": "erp"}
        return connection, None

    def refusal(
        self, connection: Connection, token: RefreshToken | None, now: datetime
    ) -> tuple[str, datetime | None] | None:
        """Cause and beginning of what Entra would refuse with now; None where it would not."""
        if token is not None and self._is_untouched:
            ends = idle_ends_at(self._world, token)
            return ("token_inactive", ends) if ends <= now else None
        if token is not None:
            refused = next(refusals_of_refresh(self._world, token, self._sql, now), None)
            return (refused.cause, refused.since) if refused else None
        client_id = str(connection.parameters.get("token:clientId", ""))
        if client_id and client_id not in self._of_app:
            text = connection.secrets["token:clientSecret"]
            refused = next(refusals_of_application(self._world, client_id, text, SQL.client_id, now), None)
            self._of_app[client_id] = (refused.cause, refused.since) if refused else None
        return self._of_app.get(client_id)

    def _signed_in(
        self, connection: Connection, owner: Account, habit: float, phase: float, now: datetime
    ) -> RefreshToken:
        # Nine in ten are used at least monthly; the others less often than a token lives, or no more.
        every = USED_EVERY[int(habit / 0.3)] if habit < 0.9 else USED_EVERY[3 + (habit > 0.95)]
        used_at = self._world.born_at - timedelta(days=(every or 140) * phase)
        failed_at = None
        if every is not None and every < IDLE_LIMIT.days:
            used_at += timedelta(days=every) * ((now - used_at) // timedelta(days=every))
        elif every is not None and now >= used_at + timedelta(days=every):
            failed_at = used_at + timedelta(days=every)
        connection.parameter_set = "oauth"
        connection.account_name = owner.user_principal_name
        connection.modified_at = connection.last_token_at = used_at
        connection.token_expires_at = used_at + timedelta(seconds=3600 + int(1800 * phase))
        token = RefreshToken(
            id=f"crowd {connection.id}",
            account_id=owner.object_id,
            client_id=SQL_CONNECTOR_CLIENT,
            issued_at=used_at,
            used_at=used_at,
            signed_in_at=min(connection.created_at, used_at),
            token_class="confidential",  # noqa: S106 - a column of the matrix
            held_by=connection.id,
        )
        if failed_at is not None:
            refused = next(refusals_of_refresh(self._world, token, self._sql, failed_at), None)
            if refused is not None:
                recorded_refusal(self._world, connection, refused.error, failed_at)
        return token

    def _as_application(self, connection: Connection, which: int, phase: float, now: datetime) -> None:
        app = self._apps[which]
        used_at = now.replace(hour=0, minute=0, second=0) - timedelta(days=1, hours=-int(20 * phase))
        connection.parameter_set = "oauthSP"
        connection.parameters = {
            "token:TenantId": self._world.tenant_id,
            "token:clientId": app.client_id,
        }
        connection.secrets = {"token:clientSecret": secret_text(self._world, app.secrets[0])}
        used_at = min(used_at, app.secrets[0].expires_at)
        connection.last_token_at = used_at
        connection.token_expires_at = used_at + timedelta(minutes=70)


# --- flows -----------------------------------------------------------------------------------------------


def _flows(world: World, environment_id: str) -> Iterator[tuple[Flow, int]]:
    if world.crowd is None:
        return
    accounts, definitions = list(world.accounts.values()), world.crowd.definitions
    place = _place(world, environment_id, world.crowd.flows, 10)
    for number in range(place.first, place.first + place.size):
        who, what, at = draws(world.seed, 3, "crowd flow", number)
        in_solution, used = number % 2 == 0, _used_by(world, environment_id, number)
        made = world.born_at - timedelta(days=90 + int(600 * at))
        yield (
            Flow(
                id=guid(world.seed, "crowd flow", number),
                environment_id=environment_id,
                display_name=f"Flow {number}",
                owner_id=accounts[int(who * len(accounts))].object_id,
                created_at=made,
                modified_at=made,
                definition=definitions[int(what * len(definitions))],
                connections={"shared_sql": _key(number, used, in_solution=in_solution)} if used else {},
                workflow_id=guid(world.seed, "crowd workflow", number) if in_solution else None,
            ),
            number,
        )


def _key(number: int, used: str, *, in_solution: bool) -> FlowConnection:
    if in_solution:
        return FlowConnection(connector="shared_sql", reference=_logical_name(number))
    return FlowConnection(connector="shared_sql", connection_id=used)


def _logical_name(number: int) -> str:
    return f"crowd_sql_{number}"


def _used_by(world: World, environment_id: str, number: int) -> str | None:
    """The connection of the same environment that a flow holds; None where there is none."""
    if world.crowd is None:
        return None
    place = _place(world, environment_id, world.crowd.connections, 60)
    if place.size == 0:
        return None
    (which,) = draws(world.seed, 1, "crowd flow holds", number)
    return _connection_id(world, place.first + int(which * place.size))
