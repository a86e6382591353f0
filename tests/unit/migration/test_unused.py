"""Grants that no run is known to have used: what a successful run proves of single actions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from holdfast.core.plan import PlannedStep
from holdfast.migration.unused import BRANCH, NOT_RUN, Seen, sure_paths, unused


def an_action(
    *after: str, type: str = "OpenApiConnection", states: tuple[str, ...] = ("Succeeded",), **more: Any
) -> Any:
    return {"type": type, "runAfter": {name: list(states) for name in after}, **more}


def sure(**actions: Any) -> set[str]:
    definition = {"triggers": {"Recurrence": {}}, "actions": actions}
    return set(sure_paths(json.dumps({"properties": {"definition": definition}}))) - {"Recurrence"}


CASES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "one after the other": ({"A": an_action(), "B": an_action("A")}, {"A", "B"}),
    "named before what it follows": ({"B": an_action("A"), "A": an_action()}, {"A", "B"}),
    "only after a failure": ({"A": an_action(), "B": an_action("A", states=("Failed",))}, {"A"}),
    "after that one": (
        {"A": an_action(), "B": an_action("A", states=("Failed",)), "C": an_action("B")},
        {"A"},
    ),
    "whatever happened": (
        {"A": an_action(), "B": an_action("A", states=("Succeeded", "Failed"))},
        {"A", "B"},
    ),
    "in a scope": ({"S": an_action(type="Scope", actions={"A": an_action()})}, {"S", "S/A"}),
    "in a condition": ({"If": an_action(type="If", actions={"A": an_action()})}, {"If"}),
    "in the other branch": ({"If": {"type": "If", "else": {"actions": {"B": an_action()}}}}, {"If"}),
    "in a loop that may be empty": ({"F": an_action(type="Foreach", actions={"A": an_action()})}, {"F"}),
    "in a loop that runs at least once": (
        {"U": an_action(type="Until", actions={"A": an_action()})},
        {"U", "U/A"},
    ),
    "where the run may end early": (
        {"A": an_action(), "If": an_action(type="If", actions={"T": an_action(type="Terminate")})},
        set(),
    ),
}


@pytest.mark.parametrize(("actions", "expected"), CASES.values(), ids=CASES)
def test_what_every_successful_run_has_gone_through(actions: dict[str, Any], expected: set[str]):
    assert sure(**actions) == expected


@pytest.mark.parametrize("text", ["", "[]", '{"properties": {"definition": {"actions": [1]}}}', "null"])
def test_a_definition_that_cannot_be_read_proves_nothing(text: str):
    assert sure_paths(text) == frozenset()


def a_step(**needs: list[str]) -> PlannedStep:
    """By object, the actions that select from it."""
    told = [
        {"schema": "dbo", "object": name, "permission": "SELECT", "actions": actions}
        for name, actions in needs.items()
    ]
    arguments = {"server": "sql.example", "database": "erp", "needs": told, "decisions": []}
    return PlannedStep("p-1", "sql:sql.example/erp", "", None, "sales", arguments)


def test_a_grant_counts_as_used_by_any_of_its_actions():
    seen = {"Import": Seen(frozenset({"Read"}), BRANCH), "Export": Seen(frozenset(), NOT_RUN)}
    step = a_step(Orders=["Import: Read", "Export: Look"], Lines=["Import: If/Read", "Export: Count"])

    found = list(unused("p", step, seen))

    assert [(each.grant, each.action, each.says) for each in found] == [
        ("SELECT dbo.Lines", "Import: If/Read", BRANCH),
        ("SELECT dbo.Lines", "Export: Count", NOT_RUN),
    ]
