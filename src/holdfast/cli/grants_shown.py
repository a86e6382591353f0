"""`holdfast inspect --grants`: the least rights that flow definitions need, as rows, tables and T-SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli.render import Column, clean, emit

if TYPE_CHECKING:
    from holdfast.core.operations import SqlOperation
    from holdfast.migration.grants import DatabaseGrants, Decision, Need
    from holdfast.migration.tsql import AppUser

FIELDS = (
    "kind",
    "server",
    "database",
    "schema",
    "object",
    "permission",
    "actions",
    "statement",
    "schema_assumed",
    "look_for_triggers",
    "why",
    "detail",
    "known",
)
COLUMNS = (
    Column("object", "Object", "bold"),
    Column("permission", "Right", wraps=False),
    Column("actions", "Needed by"),
    Column("notes", "", "yellow"),
)


def app_user(name: str | None, client_id: str | None, object_id: str | None, form: str) -> AppUser | None:
    """The application's user as the options say; None where they name none.

    Raises:
        click.UsageError: half of it is given, or something that cannot be.
    """
    if name is None and client_id is None:
        return None
    if name is None or client_id is None:
        raise click.UsageError(
            "--user and --client-id belong together: they name the application's database user."
        )
    from holdfast.migration.tsql import AppUser, UserForm

    try:
        return AppUser(name, client_id, object_id, UserForm(form))
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def grants_of(found: Sequence[tuple[str, SqlOperation]]) -> tuple[DatabaseGrants, ...]:
    """The rights by database; an action is named by its file where there are several."""
    from holdfast.migration.grants import Use, plan_grants

    several = len({file for file, _ in found}) > 1
    return plan_grants(
        Use(f"{Path(file).name}: {operation.path}" if several else operation.path, operation)
        for file, operation in found
    )


def show(
    grants: Sequence[DatabaseGrants],
    unreadable: Sequence[dict[str, Any]],
    output: str,
    *,
    roles: Sequence[str],
    user: AppUser | None,
) -> None:
    """Print rows as `output` asks; what could not be read stands at the end."""
    rows = [row for one in grants for row in rows_of(one, roles, user)]
    if output == "table":
        _print(grants, rows)
        return
    columns = [Column(field, field) for field in (*FIELDS, "file", "error")]
    emit([*rows, *unreadable], columns, output, shape="holdfast.grants/1")


def show_tsql(grants: Sequence[DatabaseGrants], roles: Sequence[str], user: AppUser | None) -> None:
    """Print a script per database, each to be run connected to it."""
    from holdfast.migration.tsql import find_triggers, script

    for one in grants:
        click.echo(script(user, one, roles))
        if (query := find_triggers(one.written_back)) is not None:
            click.echo("-- The connector fails with error 334 where this finds a trigger for what it does:")
            click.echo("\n".join(f"-- {line}" for line in query.splitlines()) + "\n")


def rows_of(grants: DatabaseGrants, roles: Sequence[str], user: AppUser | None) -> Iterator[dict[str, Any]]:
    """What programs read: a row per right, chosen role and decision."""
    from holdfast.migration.grants import widened
    from holdfast.migration.tsql import script_line

    place = {"server": grants.place.server, "database": grants.place.database}
    empty = dict.fromkeys(FIELDS)
    for need in grants.needs:
        yield empty | place | _grant_row(grants, need) | {"statement": script_line(user, need.right)}
    for role in roles:
        yield empty | place | {"kind": "role", "object": role, "detail": widened(grants, role).adds}
    for decision in grants.decisions:
        yield empty | place | _decision_row(decision)


def _grant_row(grants: DatabaseGrants, need: Need) -> dict[str, Any]:
    name = need.right.object
    writes = need.right.permission in ("INSERT", "UPDATE")
    return {
        "kind": "grant",
        "schema": name.schema,
        "object": name.name,
        "permission": need.right.permission,
        "actions": list(need.actions),
        "schema_assumed": name in grants.assumed_schema,
        "look_for_triggers": writes and name in grants.written_back,
    }


def _decision_row(decision: Decision) -> dict[str, Any]:
    return {
        "kind": "decision",
        "actions": [decision.action],
        "why": decision.why.value,
        "detail": decision.detail or None,
        "known": [f"{right.permission} {right.object}" for right in decision.known],
    }


def _print(grants: Sequence[DatabaseGrants], rows: Sequence[dict[str, Any]]) -> None:
    from holdfast.cli.stacking import print_rows

    if not grants:
        click.echo("There is no SQL operation.")
    for one in grants:
        click.echo(clean(str(one.place)))
        told = [_words(row) for row in rows if row["kind"] == "grant" and _is_of(row, one)]
        print_rows(
            told,
            COLUMNS,
            ((COLUMNS[0], COLUMNS[1]), (COLUMNS[2], COLUMNS[3])),
            empty="No right on any object.",
        )
        for row in rows:
            if row["kind"] == "role" and _is_of(row, one):
                click.echo(clean(f"Wider by choice, {row['object']}: {row['detail']}."))
        for decision in one.decisions:
            click.echo(clean(f"To be decided: {decision.action}: {decision.sentence}."))
        click.echo()


def _is_of(row: dict[str, Any], grants: DatabaseGrants) -> bool:
    return (row["server"], row["database"]) == grants.place


def _words(row: dict[str, Any]) -> dict[str, Any]:
    notes = [
        *(["schema assumed"] if row["schema_assumed"] else []),
        *(["fails if the table has triggers"] if row["look_for_triggers"] else []),
    ]
    return row | {"object": f"{row['schema']}.{row['object']}", "notes": "; ".join(notes)}
