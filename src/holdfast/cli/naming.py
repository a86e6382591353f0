"""Which connections, environments, people and applications are meant: by id, by its beginning, or by name."""

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


def one(
    wanted: str, names: Mapping[str, str], what: str, among: str = "", places: Mapping[str, str] | None = None
) -> str:
    """The id of the only one that a word can mean.

    Args:
        what: "connection", "environment", "application" and so on.
        among: where it was looked for, " in the scan".
        places: in which tenant each is, by id, where there are several.

    Raises:
        click.UsageError: there is none, or there are several.
    """
    found = meant(wanted, names) if wanted.strip() else []
    if len(found) == 1:
        return found[0]
    raise unclear(wanted, names, found, what, among, places)


def unclear(
    wanted: str,
    names: Mapping[str, str],
    found: Sequence[str],
    what: str,
    among: str = "",
    places: Mapping[str, str] | None = None,
) -> click.UsageError:
    """What to say of a word that means nothing, or too much."""
    said = "; ".join(
        _both(id, names[id]) + (f" in {places[id]}" if places and places.get(id) else "")
        for id in found[:5] or nearest(wanted, names)
    )
    if found:
        return click.UsageError(clean(f"{len(found)} {what}s fit {wanted!r}. Say which: {said}."))
    if said:
        hint = f"Nearest: {said}."
    elif what == "connection":
        hint = "`holdfast status` lists them."
    elif len(names) > 10:
        hint = f"Of {len(names)} none looks like it."
    elif names:
        hint = f"There are {', '.join(name or id for id, name in names.items())}."
    else:
        hint = "The last scan saw none."
    return click.UsageError(clean(f"There is no {what} {wanted!r}{among}. {hint}"))


def _both(id: str, name: str) -> str:
    return f"{id} ({name})" if name and name != id else id


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


async def application_names(holdfast: Holdfast, tenants: Iterable[str]) -> dict[str, str]:
    """What people call the applications of tenants, as last scanned, by client id.

    One that only a connection names, because the directory was not read or it is another tenant's, has no name.
    """
    from holdfast.core.identity import ServicePrincipal
    from holdfast.core.inventory import Connection

    names: dict[str, str] = {}
    for tenant in tenants:
        async for app in holdfast.history.current(tenant, ServicePrincipal):
            names[app.client_id] = app.display_name
        async for connection in holdfast.history.current(tenant, Connection):
            if connection.client_id:
                names.setdefault(connection.client_id, "")
    return names


async def people_names(holdfast: Holdfast, tenants: Iterable[str]) -> dict[str, str]:
    """What the people behind connections are called, by what they sign in with; their object ids follow, without names."""
    from holdfast.core.inventory import Connection

    names: dict[str, str] = {}
    ids: dict[str, str] = {}
    for tenant in tenants:
        async for connection in holdfast.history.current(tenant, Connection):
            owner = connection.owner
            if owner is not None:
                ids[owner.id] = ""
                if owner.user_principal_name:
                    names[owner.user_principal_name] = owner.display_name
            if connection.account_name:
                names.setdefault(connection.account_name, "")
    return names | ids
