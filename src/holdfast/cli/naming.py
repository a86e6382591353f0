"""Which connections and environments people mean: by id, by the beginning of an id, or by name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from holdfast.cli.render import clean

if TYPE_CHECKING:
    from holdfast.compose import Holdfast
    from holdfast.scan.standing import Picture


def meant(wanted: str, names: Mapping[str, str]) -> list[str]:
    """The ids that a word can mean: that very id; else of that name; else beginning so; else named partly so.

    Args:
        names: what people call each, by id.
    """
    word = wanted.casefold()
    for fits in (
        lambda id, name: id == wanted,
        lambda id, name: name == word,
        lambda id, name: id.startswith(wanted),
        lambda id, name: word in name,
    ):
        found = [id for id, name in names.items() if fits(id, name.casefold())]
        if found:
            return found
    return []


def nearest(wanted: str, names: Mapping[str, str]) -> list[str]:
    """Ids of those whose id or name looks most like it."""
    words = {id.casefold(): id for id in names} | {name.casefold(): id for id, name in names.items()}
    close = difflib.get_close_matches(wanted.casefold(), words, n=3, cutoff=0.4)
    return list(dict.fromkeys(words[word] for word in close))


def one(wanted: str, names: Mapping[str, str], what: str) -> str:
    """The id of the only one that a word can mean.

    Args:
        what: "connection" or "environment".

    Raises:
        click.UsageError: there is none, or there are several.
    """
    found = meant(wanted, names) if wanted.strip() else []
    if len(found) == 1:
        return found[0]
    raise unclear(wanted, names, found, what)


def unclear(wanted: str, names: Mapping[str, str], found: Sequence[str], what: str) -> click.UsageError:
    """What to say of a word that means nothing, or too much."""
    said = "; ".join(f"{id} ({names[id]})" for id in found[:5] or nearest(wanted, names))
    if found:
        return click.UsageError(clean(f"{len(found)} {what}s fit {wanted!r}. Say which: {said}."))
    if said:
        hint = f"Nearest: {said}."
    elif what == "environment":
        hint = f"There are {', '.join(list(names.values())[:10])}."
    else:
        hint = "`holdfast status` lists them."
    return click.UsageError(clean(f"There is no {what} {wanted!r}. {hint}"))


async def connection_names(
    holdfast: Holdfast, tenant: str, ids: Iterable[str] | None = None
) -> dict[str, str]:
    """What people call connections, as last scanned, by id; only those of `ids` where they are given."""
    from holdfast.core.inventory import Connection

    wanted = None if ids is None else set(ids)
    if wanted is not None and not wanted:
        return {}
    return {
        each.id: each.display_name
        async for each in holdfast.history.current(tenant, Connection)
        if wanted is None or each.id in wanted
    }


async def connections_meant(holdfast: Holdfast, seen: Picture, words: Sequence[str]) -> frozenset[str]:
    """The ids of the connections that were named on the command line.

    Raises:
        click.UsageError: one means no connection, or several.
    """
    if not words:
        return frozenset()
    names = await connection_names(holdfast, seen.tenant)
    return frozenset(one(word, names, "connection") for word in words)


def environments_meant(seen: Picture, words: Sequence[str]) -> frozenset[str]:
    """The ids of the environments that were named on the command line.

    Raises:
        click.UsageError: one means no environment, or several.
    """
    names = {id: each.display_name for id, each in seen.environments.items()}
    return frozenset(one(word, names, "environment") for word in words)
