"""Tables that people hand in as CSV: passwords and their terms, and exports of the CoE Starter Kit.

The kit's tables and columns: microsoft/coe-starter-kit, CenterofExcellenceCoreComponents, entities admin_Flow and
admin_ConnectionReference @5eec64b, read 2026-11-24. A Dataverse export names columns by their logical names, a view
saved from the app by their display names; both are read. The kit knows no ids of connections.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from holdfast.core.imported import KitFlow, PasswordTerm
from holdfast.core.inventory import ConnectionId

MOST_ROWS: Final = 1_000_000
LONGEST_CELL: Final = 4_000
LONGEST_AGE_DAYS: Final = 36_500

KINDS: Final[Mapping[str, str]] = {"sql": "sql", "sql_login": "sql", "windows": "windows"}
FLOW_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("admin_flowidstring", "flow id string", "admin_flowid", "flow"),
    "name": ("admin_displayname", "display name", "flow display name"),
    "environment": (
        "_admin_flowenvironment_value",
        "admin_flowenvironment",
        "flow environment",
        "environment",
    ),
    "state": ("admin_flowstate", "flow state", "state"),
}
REFERENCE_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "flow": ("_admin_flow_value", "admin_flow", "flow connection reference"),
    "connector": ("admin_connector", "_admin_connector_value", "connector"),
}


class TableError(ValueError):
    """A table that cannot be read; the sentence names the row."""


class Tables(NamedTuple):
    """What one file holds.

    Attributes:
        references: connector by the id of the kit's row of a flow; one flow may have many.
    """

    passwords: tuple[PasswordTerm, ...] = ()
    flows: tuple[KitFlow, ...] = ()
    references: tuple[tuple[str, str], ...] = ()


def read_table(text: str) -> Tables:
    """What the table holds, told by its heading.

    Raises:
        TableError: its heading is none that is known, or a row of a table of passwords cannot be read.
    """
    rows = csv.reader(text.removeprefix("\ufeff").splitlines(keepends=True), strict=True)
    numbered = _numbered(rows)
    _, heading = next(numbered, (0, []))
    names = [name.strip().casefold() for name in heading]
    if "connection" in names and {"expires_at", "max_age_days", "login"} & set(names):
        return Tables(passwords=tuple(_passwords(names, numbered)))
    if (found := _placed(names, REFERENCE_COLUMNS)) is not None:
        return Tables(references=tuple(_references(found, numbered)))
    if (found := _placed(names, FLOW_COLUMNS)) is not None:
        return Tables(flows=tuple(_flows(found, numbered)))
    raise TableError(
        "row 1 is the heading of no table that is known: give connection,login,kind and expires_at or max_age_days, or"
        " the CoE Starter Kit's export of flows or connection references"
    )


def _numbered(rows: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Every row that is not empty, by its number as a spreadsheet shows it."""
    number = 0
    while True:
        number += 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise TableError(f"row {number} is no CSV ({error})") from None
        if number > MOST_ROWS:
            raise TableError(f"there are more than {MOST_ROWS} rows")
        if any(len(cell) > LONGEST_CELL for cell in row):
            raise TableError(f"row {number} has a cell of more than {LONGEST_CELL} characters")
        if any(cell.strip() for cell in row):
            yield number, row


def _placed(names: Sequence[str], wanted: Mapping[str, tuple[str, ...]]) -> dict[str, int] | None:
    """Where each wanted column stands, None unless all are there."""
    places = {
        key: next((names.index(name) for name in known if name in names), -1) for key, known in wanted.items()
    }
    return None if -1 in places.values() else places


def _passwords(names: Sequence[str], rows: Iterator[tuple[int, list[str]]]) -> Iterator[PasswordTerm]:
    seen: dict[str, int] = {}
    for number, row in rows:
        told = {name: cell.strip() for name, cell in zip(names, row, strict=False)}
        connection = told.get("connection", "")
        if not connection:
            raise TableError(f"row {number} names no connection")
        if connection in seen:
            raise TableError(f"row {number} names the connection of row {seen[connection]} again")
        seen[connection] = number
        kind = KINDS.get(told.get("kind", "").casefold())
        if kind is None:
            raise TableError(f"row {number} has no kind that is known: sql or windows")
        yield _term(number, ConnectionId(connection), kind, told)


def _term(number: int, connection: ConnectionId, kind: str, told: Mapping[str, str]) -> PasswordTerm:
    until, age = told.get("expires_at", ""), told.get("max_age_days", "")
    login = told.get("login", "")
    if until and age:
        raise TableError(f"row {number} has both: it needs one of expires_at and max_age_days")
    if not (until or age or (login and kind == "sql")):
        raise TableError(f"row {number} needs one of expires_at and max_age_days, or the login of kind sql")
    if age:
        if not (age.isascii() and age.isdigit() and 0 < int(age[:9]) <= LONGEST_AGE_DAYS and len(age) < 9):
            raise TableError(f"row {number} has a max_age_days that is no number of days")
        return PasswordTerm(connection, login, kind, max_age=timedelta(days=int(age)))
    if not until:
        return PasswordTerm(connection, login, kind)  # SQL Server may be asked for the rest
    first, last = _instants(number, until)
    return PasswordTerm(connection, login, kind, first, last)


def _instants(number: int, told: str) -> tuple[datetime, datetime]:
    """From when to when: a date alone is a day somewhere on earth, a time without a zone is UTC."""
    try:
        at = datetime.fromisoformat(told)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        return (at, at) if len(told) > len("2027-01-31") else (at, at + timedelta(days=1))
    except (ValueError, OverflowError):
        raise TableError(f"row {number} has an expires_at that is no date like 2027-01-31") from None


def _cell(row: Sequence[str], place: int) -> str:
    return row[place].strip() if place < len(row) else ""


def _flows(at: Mapping[str, int], rows: Iterator[tuple[int, list[str]]]) -> Iterator[KitFlow]:
    states = {"started": True, "stopped": False, "suspended": False}
    for number, row in rows:
        id = _cell(row, at["id"]).strip("{}").casefold()
        if not id:
            raise TableError(f"row {number} names no flow")
        state = states.get(_cell(row, at["state"]).casefold())
        yield KitFlow(id, _cell(row, at["environment"]).casefold(), _cell(row, at["name"]), state)


def _references(at: Mapping[str, int], rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[str, str]]:
    for _, row in rows:
        if flow := _cell(row, at["flow"]).strip("{}").casefold():
            yield flow, _cell(row, at["connector"])
