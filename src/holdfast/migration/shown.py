"""What a planned step shows to be read: JSON, T-SQL, and grants as its arguments keep them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from holdfast.core.plan import PlannedStep, Show
from holdfast.migration.definitions import Edit, diff
from holdfast.migration.grants import (
    DatabaseGrants,
    Decision,
    Need,
    ObjectName,
    Place,
    Right,
    Why,
)
from holdfast.migration.names import HELD
from holdfast.migration.ownership import owners_text
from holdfast.migration.tsql import AppUser, script, undo_script

NOBODY: Final = "00000000-0000-0000-0000-000000000000"
"""Stands for the application's client id in T-SQL that is shown before the application is registered."""


def grants_json(grants: DatabaseGrants) -> dict[str, Any]:
    """The rights of one database, JSON-ready."""
    return {
        "server": grants.place.server,
        "database": grants.place.database,
        "needs": [
            {
                "schema": need.right.object.schema,
                "object": need.right.object.name,
                "permission": need.right.permission,
                "actions": list(need.actions),
            }
            for need in grants.needs
        ],
        "decisions": [
            {"action": one.action, "why": one.why.value, "detail": one.detail} for one in grants.decisions
        ],
    }


def grants_from(told: Mapping[str, Any]) -> DatabaseGrants:
    """What `grants_json` told."""
    needs = tuple(
        Need(Right(ObjectName(one["schema"], one["object"]), one["permission"]), tuple(one["actions"]))
        for one in told["needs"]
    )
    decisions = tuple(Decision(one["action"], Why(one["why"]), one["detail"]) for one in told["decisions"])
    return DatabaseGrants(Place(told["server"], told["database"]), needs, decisions)


def shows_of(step: PlannedStep) -> tuple[Show, ...]:
    """A step's JSON and T-SQL, rendered from its arguments."""
    kind, arguments = step.name.partition(":")[0], step.arguments
    if kind == "check" and arguments.get("owners"):
        return (Show("Who owns what", "text", owners_text(arguments["owners"])),)
    if kind == "sql":
        return (Show("For the database", "tsql", script_for(arguments, NOBODY)),)
    if kind == "connection":
        return (Show("The new connection", "json", connection_json(arguments)),)
    if kind == "define":
        edits = tuple(Edit(*edit) for edit in arguments["edits"])
        return (Show("What changes in the definition", "diff", diff(arguments["flow_name"], edits)),)
    return ()


def script_for(arguments: Mapping[str, Any], client_id: str) -> str:
    """The T-SQL of one database for an administrator to read and run.

    Args:
        client_id: of the application; `NOBODY` before it is registered, which the script then says.
    """
    text = script(AppUser(arguments["name"], client_id), grants_from(arguments), arguments["roles"])
    if client_id != NOBODY:
        return text
    return (
        "-- To be read, not run: the zeros in the SID stand for the application's client id, known once it is registered.\n"
        "-- `holdfast migrate for-dba PLAN` prints what to run then.\n" + text
    )


def undo_script_for(arguments: Mapping[str, Any], client_id: str) -> str:
    """The inverse of `script_for`: drops the user with whatever was granted to it."""
    place = f"-- {arguments['server']} / {arguments['database']}\n"
    return place + undo_script(AppUser(arguments["name"], client_id), ())


def connection_json(arguments: Mapping[str, Any]) -> str:
    """The body of the connection as it is asked for; the secret stays out."""
    sign_in = arguments.get("sign_in", "oauthSP")
    body = {
        "properties": {
            "displayName": arguments["display_name"],
            "connectionParametersSet": {
                "name": sign_in,
                "values": {
                    "token:TenantId": {"value": arguments["tenant_id"]},
                    "token:clientId": {"value": "the application's client id"},
                    HELD[sign_in]: {"value": "kept in the secret store"},
                },
            },
        }
    }
    return json.dumps(body, indent=2)
