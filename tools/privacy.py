"""The privacy page, from the store's tables and the kinds of things that lie in them."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator
from typing import Any

PERSONAL = {
    "owner.id": "a person's object id: names nobody by itself",
    "owned_by.id": "a person's object id: names nobody by itself",
    "owners.id": "a person's object id: names nobody by itself",
    "has_left": "whether the account is deleted or disabled",
    "display_name": "may be or hold a person's name",
    "user_principal_name": "a person's sign-in name",
    "account_name": "the account a connection signs in with",
    "message": "an error text of the cloud, which may name an account",
    "quote": "a piece of an error text, which may name an account",
    "details": "facts read from an error text",
}
TABLES = {
    "tenants": "Which tenants were scanned.",
    "scans": "When each scan ran and how far the cloud's clock was off.",
    "sweeps": "Per scan and part: how many were counted, whether it is complete, the error if not.",
    "things": "What is there now: the sum of the observations.",
    "observations": "What was new at each look, for ever: how a connection's past is known.",
    "plans": "Every plan that was made here, whole, and its digest.",
    "deeds": "What was done about each plan's steps, note by note; never a secret.",
    "threads": "Each problem that people were told of: what, since when, whom, whether it is over.",
    "deliveries": "Each message by each channel: its text, when it may leave, when it arrived or why not.",
    "turns": "How often the turn to do things in a tenant was taken.",
    "agenda": "What `watch` looks at, by id, and when it is due.",
    "runs": "Which batches of it were carried out, by whom, and one line of what came of it; forgotten after 30 days.",
    "clocks": "The newest time at which each tenant's agenda was read.",
    "workers": "The names of the processes that carry the runs out, and whether they live.",
}

HEAD = """# Privacy

What holdfast keeps, where, and how to get rid of it. The tables below are made from the store's own by `make docs`.

**Where.** In one database in the state folder (`holdfast config show` prints it), readable by its user alone; secrets in the
operating system's keyring, in one encrypted file or in a key vault of yours. Nothing leaves the machine but questions to the hosts in the
settings. There is no telemetry: a test fails when any other host is resolved.

**Never kept.** Flow definitions as a whole, inputs and outputs of runs, signed links, literals of queries, access tokens
outside the secret store, raw answers of the cloud. Only the fields named below have a place to lie in.

**For how long.** Two years, or `retention_days` in the settings, at least 180. When a scan ends it drops what was observed before
that, and all of what had gone from the tenant by then. Of what was still there, the last state before that instant stays, however
old: what came after builds upon it, and the forecast in it can still be graded. Older forecasts are not graded any more. What is there
*now* stays whatever its age, and so do plans and the notes of what was done about them, because `undo` needs them. Copies, backups
and a PostgreSQL server's log are not reached.

**Sooner.** `holdfast forget PERSON` blanks a
person's names in all of it, in the bytes of the file too; the object id stays, which is what connections of one owner have in
common. While the tenant still shows the person, the next scan reads the name again. `holdfast purge` deletes everything
on the machine after showing it. Before the store's tables are changed by a newer version it is copied beside itself; `forget` names
the copies that are left.
"""


def page() -> str:
    """Markdown."""
    from holdfast.adapters.store.schema import metadata
    from holdfast.ports import Thing

    lines = [HEAD, "## Tables", "", "| Table | Holds | Columns |", "| --- | --- | --- |"]
    for table in metadata.sorted_tables:
        columns = ", ".join(f"`{column.name}`" for column in table.columns)
        lines.append(f"| `{table.name}` | {TABLES[table.name]} | {columns} |")
    lines += ["", "## Things", "", "Kinds of things, and every field of them that is kept."]
    for kind in sorted(typing.get_args(Thing), key=lambda kind: str(kind.__name__)):
        lines += ["", f"### {kind.__name__}", "", "| Field | Personal |", "| --- | --- |"]
        lines += [f"| `{path}` | {_personal(path)} |" for path in fields_of(kind)]
    return "\n".join(lines) + "\n"


def fields_of(kind: type, prefix: str = "") -> Iterator[str]:
    """Dotted paths of every field, those of inner things included."""
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        parts = _parts(hints[field.name])
        inner = next((p for p in parts if isinstance(p, type) and dataclasses.is_dataclass(p)), None)
        if inner is None:
            yield f"{prefix}{field.name}"
        else:
            yield from fields_of(inner, f"{prefix}{field.name}.")


def _personal(path: str) -> str:
    return PERSONAL.get(path) or PERSONAL.get(path.rpartition(".")[2], "")


def _parts(hint: Any) -> Iterator[Any]:
    """The types that a hint is made of."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType, tuple):
        for part in typing.get_args(hint):
            yield from _parts(part)
    else:
        yield hint
