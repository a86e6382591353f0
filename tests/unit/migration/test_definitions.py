"""A definition with literals and another reference, and nothing else changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from holdfast.migration.definitions import diff, fingerprint, rewritten
from holdfast.reading.flows import sql_operations


def an_action(operation: str = "GetItems_V2", key: str = "shared_sql", **parameters: Any) -> dict[str, Any]:
    asked = {"server": "default", "database": "default", "table": "[dbo].[Orders]"} | parameters
    host = {
        "connectionName": key,
        "operationId": operation,
        "apiId": "/providers/Microsoft.PowerApps/apis/shared_sql",
    }
    return {"type": "OpenApiConnection", "inputs": {"host": host, "parameters": asked}}


def a_flow(**actions: Any) -> str:
    entry = {
        "runtimeSource": "embedded",
        "connection": {"connectionReferenceLogicalName": "old"},
        "api": {"name": "shared_sql"},
    }
    content = {
        "properties": {
            "connectionReferences": {"shared_sql": entry, "shared_sql_1": entry},
            "definition": {"triggers": {"Recurrence": {"type": "Recurrence"}}, "actions": actions},
        },
        "schemaVersion": "1.0.0.0",
    }
    return json.dumps(content)


KEYS = frozenset({"shared_sql"})


def test_defaults_become_literals_wherever_they_stand():
    nested = {"type": "If", "actions": {"Yes": an_action()}, "else": {"actions": {"No": an_action()}}}
    switch = {"type": "Switch", "cases": {"A": {"actions": {"In": an_action()}}}, "default": {"actions": {}}}

    changed = rewritten(
        a_flow(Read=an_action(), Ask=nested, Choose=switch), KEYS, "new", "sql.example", "erp"
    )

    found = sql_operations(json.loads(changed.clientdata))
    assert {(one.path, one.server, one.database, one.reference) for one in found} == {
        (path, "sql.example", "erp", "new") for path in ("Read", "Ask/Yes", "Ask/No", "Choose/In")
    }


def test_every_change_is_told():
    changed = rewritten(a_flow(Read=an_action()), KEYS, "new", "sql.example", "erp")

    assert [tuple(edit) for edit in changed.edits] == [
        ("shared_sql", "reference", "old", "new"),
        ("Read", "server", "default", "sql.example"),
        ("Read", "database", "default", "erp"),
    ]
    assert "@@ Read @@\n-server: default\n+server: sql.example" in diff("Nightly", changed.edits)


def test_other_connections_and_literals_stay_as_they_are():
    before = a_flow(Mine=an_action(server="a", database="b"), Other=an_action(key="shared_sql_1"))

    changed = json.loads(rewritten(before, KEYS, "new", "sql.example", "erp").clientdata)

    was = json.loads(before)["properties"]
    assert changed["properties"]["definition"] == was["definition"]
    assert (
        changed["properties"]["connectionReferences"]["shared_sql_1"]
        == was["connectionReferences"]["shared_sql_1"]
    )


OLD_FORM = {
    "type": "ApiConnection",
    "inputs": {"host": {"connection": {"name": "@parameters('$connections')['shared_sql']['connectionId']"}}},
}
REFUSED = {
    "no JSON": ("{", "sql.example"),
    "no flow": ('{"properties": {}}', "sql.example"),
    "no such key": (
        json.dumps({"properties": {"connectionReferences": {}, "definition": {}}}),
        "sql.example",
    ),
    "the old form": (a_flow(Old=OLD_FORM), "sql.example"),
    "no literal to write": (a_flow(Read=an_action()), None),
}


@pytest.mark.parametrize(("clientdata", "server"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_rewritten_is_said(clientdata: str, server: str | None):
    with pytest.raises(ValueError, match=r"\.$"):
        rewritten(clientdata, KEYS, "new", server, "erp")


def test_an_edit_changes_the_fingerprint_and_a_binding_does_not():
    plain = a_flow(Read=an_action())
    bound = json.loads(plain)
    bound["properties"]["connectionReferences"]["shared_sql"]["connection"]["name"] = "c1"

    assert fingerprint(json.dumps(bound, indent=1)) == fingerprint(plain)
    assert fingerprint(a_flow(Read=an_action(table="[dbo].[Other]"))) != fingerprint(plain)
    assert fingerprint(rewritten(plain, KEYS, "new", "s", "d").clientdata) != fingerprint(plain)
