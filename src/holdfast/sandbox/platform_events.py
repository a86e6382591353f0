"""What is done to flows, gateways, licences and SQL servers (the control port's events)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from holdfast.sandbox.activation import turn_off, turn_on
from holdfast.sandbox.ageing import Due
from holdfast.sandbox.audits import changed, note_account
from holdfast.sandbox.frame import Deed, Event
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.sql.catalogue import Database, Permission, Server
from holdfast.sandbox.world import Account, Flow, Gateway, World

UNLICENSED_FOR = timedelta(days=14)
LICENCE = Rule(
    "unlicensed_premium_flows_stop_after_14_days",
    "Flows with premium connectors, SQL among them, are turned off 14 days after their owner lost the licence.",
    Mark.DOCUMENTED,
    "power-automate-docs limits-and-config (2022-10)",
)
DEPLOYMENT = Rule(
    "a_deployment_rebinds_what_it_names",
    "Importing a solution again touches its flows, and binds the connection references that the deployment settings name.",
    Mark.CODE,
    "microsoft/terraform-provider-power-platform internal/services/solution (ComponentParameters)",
)
RULES = (LICENCE, DEPLOYMENT)
PREMIUM = ("POWERAUTOMATE_PREMIUM",)


def _flow(deed: Deed) -> Flow:
    for flow in deed.world.flows.values():
        if deed.target in (flow.id, flow.workflow_id):
            return flow
    raise LookupError(f"flow {deed.target!r}")


def turn_off_flow(deed: Deed) -> None:
    """Somebody switches the flow off."""
    turn_off(deed.world, _flow(deed), deed.now)


def turn_on_flow(deed: Deed) -> None:
    """Its owner switches it on."""
    turn_on(deed.world, _flow(deed), deed.now)


def edit_flow(deed: Deed) -> None:
    """Somebody saves the flow, with another ``definition`` if one is given."""
    flow = _flow(deed)
    definition = deed.details.get("definition")
    if definition is not None and not isinstance(definition, dict):
        raise ValueError("definition must be an object")
    flow.definition = definition or flow.definition
    flow.modified_at = deed.now


def deploy_solution(deed: Deed) -> dict[str, Any]:
    """A solution is imported into an environment again; ``references`` binds logical names to connections."""
    if deed.target not in deed.world.environments:
        raise LookupError(f"environment {deed.target!r}")
    settings = deed.details.get("references", {})
    if not isinstance(settings, dict):
        raise ValueError("references must map logical names to connection ids")
    bound = []
    for reference in deed.world.references.values():
        wanted = settings.get(reference.logical_name)
        if reference.environment_id == deed.target and wanted is not None:
            if wanted not in deed.world.connections:
                raise LookupError(f"connection {wanted!r}")
            reference.connection_id, reference.modified_at = wanted, deed.now
            bound.append(reference.logical_name)
    for flow in deed.world.flows.values():
        if flow.environment_id == deed.target and flow.workflow_id is not None:
            flow.modified_at = deed.now
    return {"bound": bound}


def _gateway(deed: Deed) -> Gateway:
    connection = deed.world.connections.get(deed.target)
    named = connection.gateway_id if connection is not None else deed.target
    for gateway in deed.world.gateways.values():
        if named in (gateway.id, gateway.display_name):
            return gateway
    raise LookupError(f"gateway {deed.target!r}")


def gateway_offline(deed: Deed) -> None:
    """The gateway, named by its id, its name or a connection through it, cannot be reached."""
    gateway = _gateway(deed)
    if gateway.online:
        gateway.online, gateway.offline_at = False, deed.now


def gateway_online(deed: Deed) -> None:
    """The gateway is back."""
    gateway = _gateway(deed)
    gateway.online, gateway.offline_at = True, None


def remove_licence(deed: Deed) -> None:
    """An account loses a ``licence``, all of them unless one is named."""
    account = deed.world.find_account(deed.target)
    named = deed.details.get("licence")
    before = list(account.licences)
    account.licences = [one for one in before if named is not None and one != named]
    if account.licences == before:
        raise LookupError(f"licence of {deed.target!r}")
    note_account(
        deed.world,
        deed.now,
        "Change user license",
        account,
        changes=[changed("AssignedLicense", before, account.licences)],
    )
    if not _may_run_premium(account):
        deed.world.unlicensed.setdefault(account.object_id, deed.now)


def _may_run_premium(account: Account) -> bool:
    return any(one in PREMIUM for one in account.licences)


def next_unlicensed(world: World) -> Due | None:
    """When the next account's flows will have run without a licence for too long."""
    waiting = ((at + UNLICENSED_FOR, account_id) for account_id, at in world.unlicensed.items())
    due = min(waiting, default=None)
    return None if due is None else Due(due[0], f"licence {due[1]}", _stop_unlicensed)


def _stop_unlicensed(world: World, at: datetime) -> None:
    for account_id, lost_at in list(world.unlicensed.items()):
        if lost_at + UNLICENSED_FOR <= at:
            del world.unlicensed[account_id]
            if _may_run_premium(world.accounts[account_id]):
                continue
            for flow in world.flows.values():
                if flow.owner_id == account_id and flow.connections:
                    turn_off(world, flow, at)


def _place(deed: Deed) -> tuple[Server, Database | None]:
    """The target: a server's name, "server/database", or the name of a database."""
    server_name, _, database_name = deed.target.partition("/")
    server = deed.world.servers.get(server_name.casefold())
    if server is not None:
        database = server.database(database_name)
        if database_name and database is None:
            raise LookupError(f"database {deed.target!r}")
        return server, database
    for one in deed.world.servers.values():
        if (found := one.database(deed.target)) is not None:
            return one, found
    raise LookupError(f"database {deed.target!r}")


def _database(deed: Deed) -> Database:
    _, database = _place(deed)
    if database is None:
        raise LookupError(f"database {deed.target!r}")
    return database


def sql_firewall_deny(deed: Deed) -> None:
    """The server's firewall refuses everybody."""
    server, _ = _place(deed)
    server.denied_at = server.denied_at or deed.now
    server.changed()


def sql_firewall_allow(deed: Deed) -> None:
    """The server's firewall lets everybody in again."""
    server, _ = _place(deed)
    server.denied_at = None
    server.changed()


def sql_drop_user(deed: Deed) -> None:
    """The database's ``user`` is dropped."""
    database = _database(deed)
    name = str(deed.details.get("user", "")).casefold()
    if name not in database.principals:
        raise LookupError(f"user {deed.details.get('user')!r} in {database.name}")
    gone = database.principals.pop(name)
    database.permissions = [one for one in database.permissions if one.grantee.casefold() != name]
    database.dropped[gone.sid or name] = deed.now
    database.changed()


def sql_revoke(deed: Deed) -> dict[str, Any]:
    """Permissions and roles are taken from a ``user``: one ``permission``, on one ``object``, or all."""
    database = _database(deed)
    user = str(deed.details.get("user", "")).casefold()
    principal = database.principals.get(user)
    if principal is None:
        raise LookupError(f"user {deed.details.get('user')!r} in {database.name}")
    gone = [
        one for one in database.permissions if one.grantee.casefold() == user and _is_meant(one, deed.details)
    ]
    database.permissions = [one for one in database.permissions if one not in gone]
    if not {"permission", "object"} & set(deed.details):
        principal.roles = []
    database.revoked[user] = deed.now
    database.changed()
    return {"revoked": len(gone)}


def _is_meant(permission: Permission, details: Mapping[str, Any]) -> bool:
    wanted = str(details.get("permission", permission.permission)).casefold()
    place = str(details.get("object", permission.securable)).casefold().removeprefix("object::")
    return (
        permission.permission.casefold() == wanted
        and permission.securable.casefold().removeprefix("object::") == place
    )


def _put(deed: Deed, state: str) -> None:
    database = _database(deed)
    if database.state != state:
        database.state, database.state_changed_at, database.wakes_at = state, deed.now, None
        database.changed()


def sql_pause(deed: Deed) -> None:
    """A serverless database goes to sleep; the next login wakes it."""
    _put(deed, "PAUSED")


def sql_offline(deed: Deed) -> None:
    """The database is taken offline."""
    _put(deed, "OFFLINE")


def sql_online(deed: Deed) -> None:
    """The database is there again."""
    _put(deed, "ONLINE")


EVENTS: Mapping[str, Event] = {
    "turn_off_flow": turn_off_flow,
    "turn_on_flow": turn_on_flow,
    "edit_flow": edit_flow,
    "deploy_solution": deploy_solution,
    "gateway_offline": gateway_offline,
    "gateway_online": gateway_online,
    "remove_licence": remove_licence,
    "sql_firewall_deny": sql_firewall_deny,
    "sql_firewall_allow": sql_firewall_allow,
    "sql_drop_user": sql_drop_user,
    "sql_revoke": sql_revoke,
    "sql_pause": sql_pause,
    "sql_offline": sql_offline,
    "sql_online": sql_online,
}
