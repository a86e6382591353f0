"""Flow definitions for scenarios, in the Workflow Definition Language as the designer writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SCHEMA = "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#"
SQL_API = "/providers/Microsoft.PowerApps/apis/shared_sql"


def definition(trigger: Mapping[str, Any], *steps: tuple[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A definition whose actions run one after another."""
    actions: dict[str, Any] = {}
    for name, action in steps:
        before: dict[str, list[str]] = {previous: ["Succeeded"] for previous in list(actions)[-1:]}
        actions[name] = {"runAfter": before, **action}
    return {
        "$schema": SCHEMA,
        "contentVersion": "1.0.0.0",
        "parameters": {
            "$connections": {"defaultValue": {}, "type": "Object"},
            "$authentication": {"defaultValue": {}, "type": "SecureObject"},
        },
        "triggers": dict([_trigger(trigger)]),
        "actions": actions,
        "outputs": {},
    }


def _trigger(trigger: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    return ("Recurrence" if trigger["type"] == "Recurrence" else "manual", dict(trigger))


def recurrence(frequency: str, interval: int, hour: int = 2, week_days: Sequence[str] = ()) -> dict[str, Any]:
    """A recurrence trigger in UTC; `frequency` is Minute, Hour, Day, Week or Month."""
    schedule: dict[str, Any] = {"hours": [str(hour)]} if frequency in ("Day", "Week") else {}
    if week_days:
        schedule["weekDays"] = list(week_days)
    inner: dict[str, Any] = {"frequency": frequency, "interval": interval, "timeZone": "UTC"}
    if schedule:
        inner["schedule"] = schedule
    return {"type": "Recurrence", "recurrence": inner}


def every_quarter() -> dict[str, Any]:
    """A recurrence trigger of 13 weeks, a day more than an unused sign-in lives.

    Three months are 89 to 92 days: a scenario would tell another story in another season.
    """
    return {"type": "Recurrence", "recurrence": {"frequency": "Week", "interval": 13, "timeZone": "UTC"}}


def manual() -> dict[str, Any]:
    """A button."""
    return {
        "type": "Request",
        "kind": "Button",
        "inputs": {"schema": {"type": "object", "properties": {}, "required": []}},
    }


def sql(operation: str, parameters: Mapping[str, Any], key: str = "shared_sql") -> dict[str, Any]:
    """An action of the SQL connector."""
    return {
        "type": "OpenApiConnection",
        "inputs": {
            "host": {"apiId": SQL_API, "connectionName": key, "operationId": operation},
            "parameters": dict(parameters),
            "authentication": "@parameters('$authentication')",
        },
    }


def query(text: str, server: str, database: str, key: str = "shared_sql") -> dict[str, Any]:
    """Execute a SQL query (V2)."""
    parameters = {"server": server, "database": database, "query/query": text}
    return sql("ExecutePassThroughNativeQuery_V2", parameters, key)


def procedure(name: str, server: str, database: str, key: str = "shared_sql") -> dict[str, Any]:
    """Execute stored procedure (V2)."""
    return sql("ExecuteProcedure_V2", {"server": server, "database": database, "procedure": name}, key)


def rows(table: str, server: str, database: str, key: str = "shared_sql") -> dict[str, Any]:
    """Get rows (V2)."""
    return sql("GetItems_V2", {"server": server, "database": database, "table": table, "$top": 100}, key)
