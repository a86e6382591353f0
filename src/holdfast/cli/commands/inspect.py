"""`holdfast inspect`: a flow definition in, its SQL operations out. Offline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli.options import Invocation, common_options
from holdfast.cli.render import Column, clean, emit

if TYPE_CHECKING:
    from holdfast.core.operations import SqlOperation

QUERY_SHOWN = 200
"""Characters of a query that are told; its literals may be somebody's data."""

FILE = Column("name", "File", "dim")
PATH = Column("path", "Action", "bold")
OPERATION = Column("operation", "Operation")
PLACE = Column("place", "Server / database")
TOUCHES = Column("touches", "Touches")
HUMAN = Column("asks", "", "yellow", wraps=False)
WIDE = (FILE, PATH, OPERATION, PLACE, TOUCHES, HUMAN)
NARROW = ((PATH, FILE), (OPERATION, PLACE), (TOUCHES, HUMAN))
FIELDS = (
    "file",
    "path",
    "kind",
    "connector",
    "connection_key",
    "connection_reference_logical_name",
    "runtime_source",
    "operation",
    "api_version",
    "server",
    "server_dynamic",
    "database",
    "database_dynamic",
    "object",
    "object_dynamic",
    "query",
    "query_dynamic",
    "reads",
    "writes",
    "executes",
    "needs_human",
)


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…", type=click.Path(path_type=Path))
@click.option("--grants", is_flag=True, help="Tell the least rights that they need, per database.")
@click.option("--tsql", is_flag=True, help="With --grants: print the T-SQL, a script per database.")
@click.option(
    "--grant-role",
    "roles",
    multiple=True,
    metavar="ROLE",
    help="With --grants: also join this role, shown with what it adds.",
)
@click.option("--user", metavar="NAME", help="With --tsql: name of the application's database user.")
@click.option("--client-id", metavar="ID", help="With --tsql: client id of the application.")
@click.option("--object-id", metavar="ID", help="With --user-form object_id: id of its service principal.")
@click.option(
    "--user-form",
    type=click.Choice(["sid", "object_id", "external_provider"]),
    default="sid",
    show_default=True,
    help="How the user is made; sid asks no directory.",
)
@common_options
def command(files: Sequence[Path], invocation: Invocation, **chosen: Any) -> int:
    """List the SQL operations of flow definitions, and on which objects each works; or the rights that they need.

    FILE is a flow definition, the clientdata of a Dataverse row, actions copied from the designer, a Logic
    Apps definition or deployment template, or a solution or flow package (zip). Nothing is asked of any cloud.
    """
    if chosen["grants"] or chosen["tsql"]:
        return _grants(files, invocation.output, chosen)
    rows: list[dict[str, Any]] = []
    failed = 0
    for row in inspected(files):
        rows.append(row)
        failed += "error" in row
    if invocation.output == "table":
        _print(rows)
    else:
        columns = [Column(field, field) for field in (*FIELDS, "error")]
        emit(rows, columns, invocation.output, shape="holdfast.inspect/1")
    return 1 if failed else 0


def inspected(files: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """A row per operation, in the order of files and documents; one with `error` for what cannot be read."""
    for file, found in operations_in(files):
        yield {"file": file, "error": found} if isinstance(found, str) else contract_row(file, found)


def operations_in(files: Sequence[Path]) -> Iterator[tuple[str, SqlOperation | str]]:
    """Operations with their files, in order; a sentence in the place of what cannot be read."""
    from holdfast.adapters.packages import documents
    from holdfast.reading.flows import has_definition, sql_operations

    for file in files:
        for found in documents(file):
            if found.error is None and not has_definition(found.document):
                found = found._replace(error="There is no flow definition in it.")
            if found.error is not None:
                yield found.name, found.error
                continue
            for operation in sql_operations(found.document):
                yield found.name, operation


def _grants(files: Sequence[Path], output: str, chosen: dict[str, Any]) -> int:
    from holdfast.cli.grants_shown import app_user, grants_of, show, show_tsql

    user = app_user(chosen["user"], chosen["client_id"], chosen["object_id"], chosen["user_form"])
    found, unreadable = [], []
    for file, one in operations_in(files):
        if isinstance(one, str):
            unreadable.append({"file": file, "error": one})
            if chosen["tsql"] or output == "table":
                click.echo(clean(f"holdfast: {file}: {one}"), err=True)
        else:
            found.append((file, one))
    grants = grants_of(found)
    if chosen["tsql"]:
        show_tsql(grants, chosen["roles"], user)
    else:
        show(grants, unreadable, output, roles=chosen["roles"], user=user)
    return 1 if unreadable else 0


def contract_row(file: str, operation: SqlOperation) -> dict[str, Any]:
    """The line that programs rely on."""
    told = {field: getattr(operation, field, None) for field in FIELDS}
    return told | {
        "file": file,
        "connection_reference_logical_name": operation.reference,
        "query": operation.query[:QUERY_SHOWN] if operation.query is not None else None,
        "query_dynamic": operation.query_dynamic.value if operation.query_dynamic else None,
        "reads": list(operation.reads),
        "writes": list(operation.writes),
        "executes": list(operation.executes),
    }


def _print(rows: Sequence[dict[str, Any]]) -> None:
    from holdfast.cli.stacking import print_rows

    operations = [row for row in rows if "error" not in row]
    several = len({row["file"] for row in operations}) > 1
    wide = WIDE if several else WIDE[1:]
    narrow = NARROW if several else ((PATH,), *NARROW[1:])
    told = [row | _words(row) for row in operations]
    print_rows(told, wide, narrow, wide_enough=180, empty="There is no SQL operation.")
    for row in rows:
        if "error" in row:
            click.echo(clean(f"holdfast: {row['file']}: {row['error']}"), err=True)
    asking = sum(row["needs_human"] for row in operations)
    if asking:
        click.echo(
            f"{asking} of {len(operations)} need a look by a person: not everything is in the definition."
        )


def _words(row: dict[str, Any]) -> dict[str, str]:
    """What people read of it."""

    def place(name: str) -> str:
        return "dynamic" if row[f"{name}_dynamic"] else row[name] or "by the connection"

    touches = [
        f"{verb} {', '.join(row[kind])}"
        for verb, kind in (("reads", "reads"), ("writes", "writes"), ("runs", "executes"))
        if row[kind]
    ]
    if row["object_dynamic"] or row["query_dynamic"] == "whole":
        touches.append("known only at run time")
    server, database = place("server"), place("database")
    return {
        "name": Path(row["file"]).name,
        "place": server if server == database else f"{server} / {database}",
        "touches": "; ".join(touches),
        "asks": "needs a person" if row["needs_human"] else "",
    }
