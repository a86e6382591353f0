"""What people do to flows, gateways and SQL servers: events of the control port, and starting a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from holdfast.sandbox.control import asked, only, refuse
from holdfast.sandbox.flows import clientdata
from holdfast.sandbox.flows.definitions import DefinitionError
from holdfast.sandbox.flows.folding import run_now
from holdfast.sandbox.frame import Call, Deed, Event, answer
from holdfast.sandbox.powerplatform.activation import turn_off, turn_on
from holdfast.sandbox.records.platform import Flow, Gateway, Outage
from holdfast.sandbox.sql.catalogue import Database, Permission, Principal, Server, Trouble, sid_of
from holdfast.sandbox.sql.errors import TROUBLES
from holdfast.sandbox.world import World


def flow_named(world: World, target: str) -> Flow:
    """A flow by its id or the id of its row in Dataverse. Raises LookupError."""
    wanted = target.lower()
    found = next((flow for flow in world.flows.values() if wanted in (flow.id, flow.workflow_id)), None)
    if found is None:
        raise LookupError(f"flow {target!r}")
    return found


# --- flows -----------------------------------------------------------------------------------------------


def edit_flow(deed: Deed) -> None:
    """Somebody saves the flow: with ``definition``, or unchanged."""
    flow = flow_named(deed.world, deed.target)
    definition = deed.details.get("definition", flow.definition)
    try:
        clientdata.check(definition, flow.connections)
    except DefinitionError as error:
        raise ValueError(str(error)) from None
    flow.definition, flow.modified_at = definition, deed.now


def _deployed(deed: Deed) -> list[Flow]:
    if deed.target not in deed.world.environments:
        return [flow_named(deed.world, deed.target)]
    return [
        flow
        for flow in deed.world.flows.values()
        if flow.environment_id == deed.target and flow.workflow_id is not None
    ]


def deploy_solution(deed: Deed) -> dict[str, Any]:
    """A managed solution with the flow is deployed: it is managed from now on, and bound as ``connection`` says.

    Targeted at an environment, the solution holds every flow there that lies in Dataverse.
    """
    connection = deed.details.get("connection")
    if connection is not None and str(connection) not in deed.world.connections:
        raise LookupError(f"connection {connection!r}")
    named: set[tuple[str, str]] = set()
    for flow in _deployed(deed):
        flow.is_managed, flow.modified_at = True, deed.now
        named |= {(flow.environment_id, (one.reference or "").lower()) for one in flow.connections.values()}
    bound = [
        one
        for one in deed.world.references.values()
        if (one.environment_id, one.logical_name.lower()) in named
    ]
    for reference in bound:
        reference.is_managed, reference.modified_at = True, deed.now
        reference.connection_id = connection or reference.connection_id
    return {"references": [one.id for one in bound]}


def turn_flow_off(deed: Deed) -> None:
    """Somebody turns the flow off."""
    turn_off(deed.world, flow_named(deed.world, deed.target), deed.now)


def turn_flow_on(deed: Deed) -> dict[str, Any]:
    """Its owner turns the flow on; a policy that forbids it suspends it at once."""
    flow = flow_named(deed.world, deed.target)
    turn_on(deed.world, flow, deed.now)
    return {"state": flow.state}


def run_flow(call: Call) -> Response:
    """``POST /run``: start a run of a flow now, and tell how it ended."""
    body = asked(call)
    only(body, "flow", "body")
    try:
        flow = flow_named(call.world, str(body.get("flow", "")))
        outputs = {"headers": {}, "body": body["body"]} if "body" in body else None
        run = run_now(call.world, flow, call.now, outputs)
    except LookupError as error:
        raise refuse(f"no {error.args[0]}", 404) from None
    except DefinitionError as error:
        raise refuse(str(error)) from None
    return answer({"flow": flow.id, "run": run.id, "status": run.status, "error": run.error})


# --- gateways --------------------------------------------------------------------------------------------


def _gateways(deed: Deed) -> list[Gateway]:
    """Those that a target names: a gateway, a connection that goes through one, or an environment for all of its."""
    meant = {
        one.gateway_id
        for one in deed.world.connections.values()
        if deed.target in (one.id, one.environment_id) and one.gateway_id is not None
    }
    found = [
        one
        for one in deed.world.gateways.values()
        if one.id in meant or deed.target in (one.id, one.display_name)
    ]
    if not found:
        raise LookupError(f"gateway {deed.target!r}")
    return found


def gateway_offline(deed: Deed) -> None:
    """The gateway stops answering."""
    for gateway in _gateways(deed):
        if gateway.online:
            gateway.online, gateway.offline_at = False, deed.now


def gateway_online(deed: Deed) -> None:
    """The gateway answers again."""
    for gateway in _gateways(deed):
        gateway.online, gateway.offline_at = True, None


# --- SQL servers -----------------------------------------------------------------------------------------


def _databases(deed: Deed) -> list[tuple[Server, Database]]:
    """The databases that a target names: ``server/database``, a database's name, or a server's name for all of it."""
    wanted = deed.target.casefold()
    found = [
        (server, database)
        for server in deed.world.servers.values()
        for database in server.databases.values()
        if wanted
        in (server.name.casefold(), database.name.casefold(), f"{server.name}/{database.name}".casefold())
    ]
    if not found:
        raise LookupError(f"database {deed.target!r}")
    return found


def sql_firewall_deny(deed: Deed) -> None:
    """The server's firewall refuses everybody."""
    for server, _ in _databases(deed):
        server.denied_at = server.denied_at or deed.now
        server.changed()


def sql_firewall_allow(deed: Deed) -> None:
    """It lets them in again."""
    for server, _ in _databases(deed):
        server.denied_at = None
        server.changed()


def _put_into(state: str, does: str) -> Event:
    def happen(deed: Deed) -> None:
        for _, database in _databases(deed):
            if database.state != state:
                database.state, database.state_changed_at, database.wakes_at = state, deed.now, None
                database.changed()

    happen.__doc__ = does
    return happen


def sql_trouble(deed: Deed) -> None:
    """For some ``hours`` (1) every login to the database gets ``error``: one of its passing faults."""
    number = deed.details.get("error", 40197)
    if not isinstance(number, int) or number not in TROUBLES:
        raise ValueError(f"error must be one of {', '.join(map(str, TROUBLES))}")
    for _, database in _databases(deed):
        database.trouble = Trouble(number=number, since=deed.now, until=deed.now + _hours(deed))
        database.changed()


def connector_outage(deed: Deed) -> None:
    """For some ``hours`` (1) the SQL connector of an environment answers ``status`` (503): 429 or one from 500 to 504."""
    status = deed.details.get("status", 503)
    if not isinstance(status, int) or status not in (429, 500, 502, 503, 504):
        raise ValueError("status must be 429, 500, 502, 503 or 504")
    wanted = deed.target.casefold()
    found = [
        one
        for one in deed.world.environments.values()
        if wanted in (one.id.casefold(), one.display_name.casefold())
    ]
    if not found:
        raise LookupError(f"environment {deed.target!r}")
    found[0].outage = Outage(status=status, since=deed.now, until=deed.now + _hours(deed))


def _hours(deed: Deed) -> timedelta:
    hours = deed.details.get("hours", 1)
    if not isinstance(hours, int | float) or isinstance(hours, bool) or not 0 < hours <= 24 * 365:
        raise ValueError("hours must be a number above 0")
    return timedelta(hours=hours)


def _lock(locked: bool, does: str) -> Event:
    def happen(deed: Deed) -> None:
        wanted = str(deed.details.get("user", "")).casefold()
        servers = {server.name: server for server, _ in _databases(deed)}
        found = [(one, one.logins[wanted]) for one in servers.values() if wanted in one.logins]
        if not found:
            raise LookupError(f"login {wanted!r} on {deed.target}")
        for server, login in found:
            login.locked_at = (login.locked_at or deed.now) if locked else None
            server.changed()

    happen.__doc__ = does
    return happen


def _principal(deed: Deed, database: Database) -> Principal:
    """The database user that ``user`` names: by its name, or by the account or application it stands for."""
    wanted = str(deed.details.get("user", ""))
    if not wanted:
        raise ValueError(
            f"which user of {database.name}: give `user`, or an account or application as the target"
        )
    if (found := database.principal(wanted)) is not None:
        return found
    sid = _sid(deed.world, wanted)
    for one in database.principals.values():
        if sid is not None and one.sid == sid:
            return one
    raise LookupError(f"user {wanted!r} in {database.name}")


def _sid(world: World, name: str) -> str | None:
    app = world.applications.get(name) or next(
        (one for one in world.applications.values() if one.display_name == name), None
    )
    if app is not None:
        return sid_of(app.client_id)
    try:
        return sid_of(world.find_account(name).object_id)
    except LookupError:
        return None


def _users(deed: Deed) -> list[tuple[Database, Principal]]:
    """Whom an event means: ``user`` in the databases of the target, or the users of a targeted account or application."""
    sid = _sid(deed.world, deed.target)
    if sid is None:
        return [(database, _principal(deed, database)) for _, database in _databases(deed)]
    found = [
        (database, principal)
        for server in deed.world.servers.values()
        for database in server.databases.values()
        for principal in database.principals.values()
        if principal.sid == sid
    ]
    if not found:
        raise LookupError(f"database user for {deed.target!r}")
    return found


def _rights_changed(database: Database, deed: Deed) -> None:
    database.rights_changed_at = deed.now
    database.changed()


def sql_drop_user(deed: Deed) -> None:
    """Somebody drops the database user named ``user``, or those of the targeted account or application."""
    for database, principal in _users(deed):
        del database.principals[principal.name.casefold()]
        database.permissions = [
            one for one in database.permissions if one.grantee.casefold() != principal.name.casefold()
        ]
        _rights_changed(database, deed)


def sql_add_user(deed: Deed) -> None:
    """A user for the account or application ``user``, in the ``roles`` named."""
    name = str(deed.details.get("user", ""))
    sid = _sid(deed.world, name)
    if sid is None:
        raise LookupError(f"account or application {name!r}")
    roles = deed.details.get("roles", [])
    if not isinstance(roles, list):
        raise ValueError("roles must be a list")
    for _, database in _databases(deed):
        made = Principal(
            name=name, kind="E", created_at=deed.now, sid=sid, roles=[str(role) for role in roles]
        )
        database.principals[name.casefold()] = made
        _rights_changed(database, deed)


def sql_revoke(deed: Deed) -> None:
    """Rights of ``user`` are taken away: those on ``object``, or one ``permission``, or all and every role.

    Every user may connect without being granted it: the ``permission`` CONNECT is denied.
    """
    for database, principal in _users(deed):
        database.permissions = [
            one for one in database.permissions if not _is_meant(one, principal, deed.details)
        ]
        if not {"permission", "object"} & set(deed.details):
            principal.roles.clear()
        if str(deed.details.get("permission", "")).upper() == "CONNECT":
            kept_out = Permission(
                grantee=principal.name, permission="CONNECT", securable="DATABASE", state="DENY"
            )
            database.permissions.append(kept_out)
        _rights_changed(database, deed)


def _is_meant(one: Permission, principal: Principal, details: Mapping[str, Any]) -> bool:
    permission = str(details.get("permission", one.permission))
    place = str(details.get("object", one.securable)).casefold().removeprefix("object::")
    return (
        one.grantee.casefold() == principal.name.casefold()
        and one.permission.casefold() == permission.casefold()
        and one.securable.casefold().removeprefix("object::") == place
    )


def sql_grant(deed: Deed) -> None:
    """``user`` is granted ``permission`` on ``object``, or made a member of ``role``."""
    for _, database in _databases(deed):
        principal = _principal(deed, database)
        if role := deed.details.get("role"):
            principal.roles.append(str(role))
        elif str(deed.details.get("permission", "")).upper() == "CONNECT":
            database.permissions = [
                one for one in database.permissions if not _is_meant(one, principal, deed.details)
            ]
        else:
            permission, named = deed.details.get("permission"), deed.details.get("object")
            if not isinstance(permission, str) or not isinstance(named, str):
                raise ValueError("permission and object, or role, must be given")
            granted = Permission(
                grantee=principal.name, permission=permission.upper(), securable=f"OBJECT::{named}"
            )
            database.permissions.append(granted)
        _rights_changed(database, deed)


EVENTS: Mapping[str, Callable[[Deed], Mapping[str, Any] | None]] = {
    "edit_flow": edit_flow,
    "deploy_solution": deploy_solution,
    "turn_off_flow": turn_flow_off,
    "turn_on_flow": turn_flow_on,
    "gateway_offline": gateway_offline,
    "gateway_online": gateway_online,
    "sql_firewall_deny": sql_firewall_deny,
    "sql_firewall_allow": sql_firewall_allow,
    "sql_pause": _put_into("PAUSED", "A serverless database is paused; the next login wakes it."),
    "sql_offline": _put_into("OFFLINE", "The database is taken offline."),
    "sql_online": _put_into("ONLINE", "The database is online again."),
    "sql_drop_user": sql_drop_user,
    "sql_add_user": sql_add_user,
    "sql_revoke": sql_revoke,
    "sql_grant": sql_grant,
    "sql_lock_login": _lock(True, "The SQL login named by ``user`` is locked."),
    "sql_unlock_login": _lock(False, "The SQL login named by ``user`` is unlocked."),
    "sql_trouble": sql_trouble,
    "connector_outage": connector_outage,
}
