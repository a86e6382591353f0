"""Blank a person's names wherever history holds them; what was concluded about connections stays."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection as Transaction
from sqlalchemy import Table, select, text, update

from holdfast.adapters.store import changes
from holdfast.adapters.store.database import Database
from holdfast.adapters.store.schema import (
    deeds,
    deliveries,
    observations,
    plans,
    sweeps,
    things,
    threads,
)

BLANK = "(forgotten)"
_NAMES = ("display_name", "user_principal_name")


class Forgotten(NamedTuple):
    """What was done.

    Attributes:
        names: how many different names the person had here.
        rows: in how many rows they stood.
    """

    names: int
    rows: int


def forget(database: Database, person: str) -> Forgotten:
    """Blank every name of a person, told by user principal name, object id or full display name.

    The object id stays: it is what the connections of one owner have in common, and names nobody by itself.

    Raises:
        StoreError: the store could not be written; it is as it was.
    """
    with database.writing() as transaction:
        if database.file is not None:
            # Else the old bytes stay in the file until something else needs their place.
            transaction.execute(text("PRAGMA secure_delete = ON"))
        names = _names_of(transaction, person.strip())
        blank = _blanker(names)
        rows = sum(
            _rewrite(transaction, table, column, blank)
            for table, column in ((things, "facts"), (observations, "change"))
            if names
        ) + (_rewrite_texts(transaction, blank) if names else 0)
    if rows and database.file is not None:
        with database.outside_transactions() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
            connection.execute(text("VACUUM"))
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    if rows and database.file is None:
        with database.outside_transactions() as connection:
            # The tables are written anew, without the rows as they were. The server's log and backups keep them.
            connection.execute(
                text("VACUUM FULL things, observations, sweeps, plans, deeds, threads, deliveries")
            )
    return Forgotten(len(names), rows)


def _names_of(transaction: Transaction, person: str) -> set[str]:
    """Every name that the person ever had as somebody's owner, from all states of all things."""
    known: dict[str, set[str]] = {}
    log = select(observations.c.thing, observations.c.change).order_by(
        observations.c.thing, observations.c.id
    )
    for _, lines in groupby(transaction.execute(log), key=lambda line: line.thing):
        state: Any = None
        for line in lines:
            state = None if line.change is None else changes.applied(state, line.change)
            for one in _people(state):
                names = {one[key] for key in _NAMES if one.get(key)}
                known.setdefault(one.get("id", ""), set()).update(names)
    wanted = person.casefold()
    meant = [names for id, names in known.items() if wanted in {id.casefold(), *map(str.casefold, names)}]
    # A name of one or two letters would be found in words that are none.
    return {name for names in meant for name in names if len(name) > 2} - {BLANK}


def _people(value: Any) -> Iterator[dict[str, Any]]:
    """The tables in a thing that describe somebody."""
    if isinstance(value, dict):
        yield from (value[key] for key in ("owner", "owned_by", "by") if isinstance(value.get(key), dict))
        owners = value.get("owners")
        yield from (one for one in owners if isinstance(one, dict)) if isinstance(owners, list) else ()
        for part in value.values():
            yield from _people(part)
    elif isinstance(value, list):
        for part in value:
            yield from _people(part)


def _blanker(names: set[str]) -> Callable[[str], str]:
    """Replaces whole names, longest first, in any case."""
    ordered = sorted(names, key=len, reverse=True)
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in ordered), re.IGNORECASE)
    return lambda value: pattern.sub(BLANK, value)


def _rewrite(transaction: Transaction, table: Table, column: str, blank: Callable[[str], str]) -> int:
    """How many rows had a name."""
    rewritten = 0
    query = select(table.c.id, table.c[column]).where(table.c[column].is_not(None))
    for number, content in transaction.execute(query).all():
        before = json.loads(content)
        after = _blanked(before, blank)
        if after != before:
            row = update(table).where(table.c.id == number)
            transaction.execute(row.values({column: _text(after)}))
            rewritten += 1
    return rewritten


_TEXTS = (
    (sweeps, "detail"),
    (plans, "document"),
    (deeds, "says"),
    (deeds, "facts"),
    (threads, "content"),
    (deliveries, "content"),
)
"""Columns that can hold a name within a text."""


def _rewrite_texts(transaction: Transaction, blank: Callable[[str], str]) -> int:
    """The same for texts: refusals of a scan's parts, and plans and deeds, whose files then fit no more."""
    rewritten = 0
    for table, column in _TEXTS:
        for row in transaction.execute(select(*table.primary_key, table.c[column])).all():
            before = row._mapping[column]
            if (after := blank(before)) != before:
                place = (table.c[key.name] == row._mapping[key.name] for key in table.primary_key)
                transaction.execute(update(table).where(*place).values({column: after}))
                rewritten += 1
    return rewritten


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _blanked(value: Any, blank: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return blank(value)
    if isinstance(value, list):
        return [_blanked(part, blank) for part in value]
    if isinstance(value, dict):
        return {key: _blanked(part, blank) for key, part in value.items()}
    return value
