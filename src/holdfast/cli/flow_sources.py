"""What Dataverse and a person's list of flows told, and where they differ, for people and programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli.render import Column, clean, emit
from holdfast.core.inventory import Flow, ListedFlow

if TYPE_CHECKING:
    from holdfast.scan.differences import Sources

COLUMNS = (
    Column("name", "Flow", "bold"),
    Column("environment", "Environment"),
    Column("shown_by", "Shown by", wraps=False),
    Column("says", "Because"),
)
MOST = 20
"""So many are listed on a terminal; `-o json` has them all."""
WORDS = {"dataverse": "Dataverse", "flow_list": "the person's list"}
SHORT = {
    "outside_solutions": "outside solutions",
    "not_shown_to_reader": "with a row in Dataverse that the reader is not shown",
    "not_listed": "in Dataverse only",
}


def source_of(flow: Flow) -> dict[str, Any]:
    """Which of the two showed a flow, for `-o json`."""
    if not isinstance(flow, ListedFlow):
        return {"shown_by": "dataverse", "outside_solutions": False}
    return {"shown_by": "flow_list", "outside_solutions": not flow.has_row}


def sources_row(found: Sources | None) -> dict[str, Any] | None:
    """All of it, for `-o json`; None where no person's list was asked for."""
    if found is None:
        return None
    return {
        "compared": list(found.compared),
        "not_compared": list(found.uncompared),
        "dataverse": found.by_reader,
        "flow_list": found.by_person,
        "differences": [_row(each, str) for each in found.differences],
    }


def sentences(found: Sources) -> list[str]:
    """What each source gave, in a line or two."""
    said = []
    if found.compared:
        kinds = Counter(each.why.value for each in found.differences)
        parts = ", ".join(f"{number} {SHORT[kind]}" for kind, number in kinds.most_common())
        said.append(
            f"Flows: {found.by_reader} by Dataverse, {found.by_person} by the person's list"
            + (f"; they differ by {parts}." if parts else ", the same ones.")
        )
    if found.uncompared:
        number = len(found.uncompared)
        said.append(
            f"In {number} environment{'s' if number > 1 else ''} Dataverse and the person's list could not be compared, since"
            " one was not read whole."
        )
    return said


def print_differences(found: Sources, name_of: Callable[[str], str]) -> None:
    """The flows that only one source shows and that hold a scanned connection; the others are counted."""
    for sentence in sentences(found):
        click.echo(clean(sentence))
    holding = [each for each in found.differences if each.holds]
    if holding:
        rows = [_row(each, name_of) for each in holding[:MOST]]
        shown = [row | {"shown_by": WORDS[row["shown_by"]]} for row in rows]
        emit(shown, COLUMNS, "table", shape="holdfast.scan/1")
    rest = len(found.differences) - len(holding[:MOST])
    if rest:
        what = "more of them" if len(holding) > MOST else "of them hold no connection that was scanned"
        click.echo(f"{rest} {what}; -o json lists all.")


def _row(each: Any, name_of: Callable[[str], str]) -> dict[str, Any]:
    from holdfast.scan.differences import SAYS

    return {
        "flow": each.flow.id,
        "name": each.flow.display_name,
        "environment": name_of(each.environment),
        "on": each.flow.is_on,
        "shown_by": source_of(each.flow)["shown_by"],
        "reason": each.why.value,
        "says": SAYS[each.why],
        "connections": list(each.holds),
    }
