"""What the flows of people at Contoso do, and how often."""

from __future__ import annotations

from typing import Any

from holdfast.sandbox.scenarios.definitions import definition, manual, procedure, query, recurrence, rows, sql


def pattern(number: int, server: str, database: str, turn: int) -> tuple[str, dict[str, Any]]:
    """What a person's flow does, and how often."""
    hour = (turn * 3 + number) % 24
    read = ("Read_orders", rows("[dbo].[Orders]", server, database))
    ask = ("Count", query("SELECT COUNT(*) AS n FROM dbo.Customers", server, database))
    still_open = ("Read_open_orders", rows("[dbo].[OpenOrders]", server, database))
    patterns: tuple[tuple[str, dict[str, Any]], ...] = (
        ("nightly read", definition(recurrence("Day", 1, hour), read)),
        ("every eight hours", definition(recurrence("Hour", 8), ask)),
        (
            "weekly refresh",
            definition(
                recurrence("Week", 1, hour, ("Monday",)),
                ("Refresh", procedure("[dbo].[Refresh]", server, database)),
            ),
        ),
        (
            "nightly note",
            definition(recurrence("Day", 1, hour), ("Append", procedure("[dbo].[Append]", server, database))),
        ),
        ("every order", _each_order(server, database, hour)),
        ("new orders", _polling(server, database))
        if number % 6 == 0
        else ("twice a day", definition(recurrence("Hour", 12), ask)),
        ("on a button", definition(manual(), read)),
        ("monthly", definition(recurrence("Month", 1), still_open)),
        ("guarded", _guarded(server, database, hour)),
        ("nightly count", definition(recurrence("Day", 1, hour), ask)),
    )
    return patterns[turn % len(patterns)]


def _each_order(server: str, database: str, hour: int) -> dict[str, Any]:
    """A loop with a condition inside."""
    condition = {
        "type": "If",
        "expression": {"and": [{"greater": ["@items('Each')?['Amount']", 40]}]},
        "actions": {"Keep": {"type": "Compose", "inputs": "@items('Each')", "runAfter": {}}},
        "else": {"actions": {}},
        "runAfter": {},
    }
    loop = {"type": "Foreach", "foreach": "@outputs('Read')?['body/value']", "actions": {"Large": condition}}
    read = ("Read", rows("[dbo].[Orders]", server, database))
    return definition(recurrence("Day", 1, hour), read, ("Each", loop))


def _polling(server: str, database: str) -> dict[str, Any]:
    """Looks for new rows every quarter of an hour."""
    written = definition(recurrence("Minute", 15), ("Note", {"type": "Compose", "inputs": "@triggerBody()"}))
    trigger = sql("GetOnNewItems_V2", {"server": server, "database": database, "table": "[dbo].[Orders]"})
    trigger |= {
        "recurrence": {"frequency": "Minute", "interval": 15},
        "splitOn": "@triggerOutputs()?['body/value']",
    }
    written["triggers"] = {"When_an_item_is_created": trigger}
    return written


def _guarded(server: str, database: str, hour: int) -> dict[str, Any]:
    """A scope that may fail, and what catches it."""
    scope = {
        "type": "Scope",
        "actions": {"Read": {"runAfter": {}, **rows("[dbo].[Orders]", server, database)}},
    }
    written = definition(
        recurrence("Day", 1, hour), ("Try", scope), ("Catch", {"type": "Compose", "inputs": "@result('Try')"})
    )
    written["actions"]["Catch"]["runAfter"] = {"Try": ["Failed", "TimedOut"]}
    written["actions"]["Fail"] = {
        "type": "Terminate",
        "inputs": {"runStatus": "Failed"},
        "runAfter": {"Catch": ["Succeeded"]},
    }
    return written
