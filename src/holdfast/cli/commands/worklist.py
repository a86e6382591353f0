"""`holdfast worklist`: which gestures, by whom, restore most lost runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli.options import Invocation, common_options
from holdfast.cli.render import TENANT, Column, clean, emit, of_tenants
from holdfast.cli.saying import say

if TYPE_CHECKING:
    from holdfast.cli.looking import Pictures
    from holdfast.compose import Holdfast
    from holdfast.diagnosis.worklist import Gesture, Turn
    from holdfast.scan.gestures import Checked, Work

PORTAL = "https://make.powerautomate.com/environments/{environment}/connections"
"""Where a person heals a connection (documented); a sovereign cloud has a portal of its own."""

Links = Mapping[tuple[str, str], str]
"""Where to sign in for connections, by environment and id."""

RANK = Column("rank", "#", right=True)
WHO = Column("who", "Who", "bold")
RESTORES = Column("restores_runs_per_week", "Runs a week", right=True)
NAME = Column("name", "Connection")
CAUSE = Column("cause", "Cause", wraps=False)
DOES = Column("does", "To do")
LINK = Column("link", "Where")
TABLE = (RANK, WHO, RESTORES, NAME, CAUSE, DOES)
NARROW = ((RANK,), (WHO, NAME, CAUSE, RESTORES), (DOES,))
NAMED = 3
"""Connections told by name where one gesture heals several."""
EXPORT = tuple(
    Column(key, key)
    for key in (
        "rank",
        "who",
        "restores_runs_per_week",
        "connection",
        "environment",
        "name",
        "cause",
        "sign_in",
        "does",
        "link",
    )
)
CHECKED = (
    NAME,
    Column("environment_name", "Environment"),
    Column("healed", "Healed"),
    Column("says", "What was seen"),
)


@click.command()
@click.option(
    "--messages",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Write one message for each person into this folder, ready to send.",
)
@click.option(
    "--verify", is_flag=True, help="Read the witnesses anew: which of the broken connections are healed."
)
@common_options
def command(messages: Path | None, verify: bool, invocation: Invocation) -> int:
    """Show which gestures, by whom, restore most lost runs; exit code 1 as long as there is something to do.

    Up to 20 people the order is the best there is; beyond, it is ranked, and said to be.
    """
    from holdfast.cli.session import opened

    with opened(invocation) as holdfast:
        return asyncio.run(_worklist(holdfast, invocation, messages, verify))


async def _worklist(holdfast: Holdfast, invocation: Invocation, messages: Path | None, verify: bool) -> int:
    from holdfast.cli.looking import pictures, say_below, with_tenant
    from holdfast.cli.stacking import print_rows
    from holdfast.scan.gestures import work

    seen = await pictures(holdfast, invocation)
    found = [await work(holdfast.history, each) for each in seen]
    links = {key: link for each in found for key, link in (await _links(holdfast, each)).items()}
    if verify:
        return await _verify(holdfast, invocation, found, seen)
    several = seen.several
    rows = [
        with_tenant(row, each.picture.name, several) for each in found for row in gesture_rows(each, links)
    ]
    if messages is not None:
        _write(messages, found, links)
    if invocation.output == "table":
        narrow = ((TENANT,), *NARROW) if several else NARROW
        wide = of_tenants(TABLE, several)
        print_rows(list(gathered(rows)), wide, narrow, wide_enough=150, empty="Nothing is broken.")
        for each in found:
            for sentence in _said(each):
                say(f"{each.picture.name}: {sentence}" if several else sentence)
    else:
        meta = {"worklists": [_meta(each) for each in found]}
        emit(rows, of_tenants(EXPORT, several), invocation.output, shape="holdfast.worklist/1", meta=meta)
    say_below(seen, invocation.output)
    return seen.exit_code(rows)


def gesture_rows(found: Work, links: Links) -> Iterator[dict[str, Any]]:
    """A row per gesture, in the order in which to ask."""
    for rank, turn in enumerate(found.list.turns, 1):
        for gesture in turn.gestures:
            yield {
                "rank": rank,
                "who": name_of(found, turn.who),
                "restores_runs_per_week": turn.restores,
                "connection": gesture.connection,
                "environment": gesture.environment,
                "name": _connection_name(found, gesture),
                "cause": gesture.cause,
                "sign_in": gesture.is_sign_in,
                "does": gesture.does,
                "link": link_of(gesture, links),
            }


def gathered(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows as people read them: one for each gesture of a person, however many connections it heals."""
    alike: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        alike.setdefault((row.get("tenant"), row["rank"], row["cause"], row["does"]), []).append(row)
    for same in alike.values():
        names = [row["name"] for row in same[:NAMED]]
        more = [f"and {len(same) - NAMED} more"] if len(same) > NAMED else []
        yield {**same[0], "name": ", ".join([*names, *more])}


def name_of(found: Work, who: str) -> str:
    """A person as people call him; a role as it is spoken of."""
    from holdfast.core.verdict import Actor

    if who in found.names:
        return found.names[who]
    return Actor(who).spoken if who in set(Actor) else who


async def _links(holdfast: Holdfast, found: Work) -> dict[tuple[str, str], str]:
    """Where a maker signs in for the own connections; where no link is offered the portal is the place."""
    from holdfast.core.errors import CloudError

    links: dict[tuple[str, str], str] = {}
    if not found.picture.own_only:
        return links
    async with holdfast.tenants[found.picture.name].reached() as reach:
        if reach.consenting is None:
            return links
        for gesture in (each for turn in found.list.turns for each in turn.gestures if each.is_sign_in):
            key = (gesture.environment, gesture.connection)
            try:
                link = await reach.consenting.consent_link(found.connections[key].status.connection)
            except CloudError:
                continue
            if link:
                links[key] = link
    return links


def link_of(gesture: Gesture, links: Links) -> str:
    """Where to do it: the own sign-in, else the connections of that environment."""
    own = links.get((gesture.environment, gesture.connection))
    return own or PORTAL.format(environment=gesture.environment)


def _connection_name(found: Work, gesture: Gesture) -> str:
    return found.connections[gesture.environment, gesture.connection].status.connection.display_name


def _said(found: Work) -> Iterator[str]:
    people = len(found.list.turns)
    if not people:
        return
    back = round(sum(turn.restores for turn in found.list.turns), 1)
    yield f"{people} to ask; {back:g} of {found.lost:g} lost runs a week come back when all of it is done."
    if not found.list.is_exact:
        yield "They stand by what each restores next; the best of all orders is looked for among up to 20."
    for who, shares in found.sharing.items():
        for share in shares:
            yield (
                f"{name_of(found, who)}: {share.references} connection references in"
                f" {found.picture.name_of(share.environment)} could share one of {len(share.connections)} broken"
                " connections, so that one sign-in is enough; whoever may edit the solution binds them."
            )


def _meta(found: Work) -> dict[str, Any]:
    return {
        "tenant": found.picture.name,
        "exact": found.list.is_exact,
        "lost_runs_per_week": found.lost,
        "people": [
            {
                "rank": rank,
                "who": name_of(found, turn.who),
                "id": turn.who,
                "restores_runs_per_week": turn.restores,
                "alone_runs_per_week": turn.alone,
                "connections": [
                    {"environment": g.environment, "connection": g.connection} for g in turn.gestures
                ],
                "flows": list(turn.flows),
                "could_share": [
                    {
                        "environment": share.environment,
                        "connections": list(share.connections),
                        "references": share.references,
                    }
                    for share in found.sharing.get(turn.who, ())
                ],
            }
            for rank, turn in enumerate(found.list.turns, 1)
        ],
    }


def message_for(found: Work, turn: Turn, links: Links) -> str:
    """What to send to one person: what to do, where, and what comes back."""
    count = len(turn.gestures)
    lines = [
        f"To: {clean(name_of(found, turn.who))}",
        f"Subject: {count} connection{'s' if count > 1 else ''} of Power Automate need you",
        "",
        f"{len(turn.flows)} flows run again when this is done"
        + (f": about {turn.restores:g} runs a week." if turn.restores else "."),
        "",
    ]
    for number, gesture in enumerate(turn.gestures, 1):
        where = found.picture.name_of(gesture.environment)
        lines += [
            f"{number}. {clean(_connection_name(found, gesture))} ({clean(where)})",
            f"   {clean(gesture.does)}",
            f"   {link_of(gesture, links)}",
            f"   Why: {gesture.cause}; the page: holdfast causes {gesture.cause}",
        ]
    return "\n".join([*lines, ""])


def _write(folder: Path, found: Sequence[Work], links: Links) -> None:
    from holdfast.core.errors import SettingsError

    written = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for each in found:
            for rank, turn in enumerate(each.list.turns, 1):
                slug = "".join(c if c.isalnum() else "-" for c in name_of(each, turn.who)).strip("-")[:60]
                name = f"{each.picture.name}-{rank:02}-{slug or 'somebody'}.txt"
                file = folder / "".join(c if c.isalnum() or c in "-._" else "-" for c in name)
                file.write_text(message_for(each, turn, links), encoding="utf-8")
                written += 1
    except OSError as error:
        raise SettingsError(
            f"The messages cannot be written to {folder}: {error.strerror or error}; name another folder."
        ) from None
    click.echo(f"{written} messages are in {folder}.", err=True)


async def _verify(holdfast: Holdfast, invocation: Invocation, found: Sequence[Work], seen: Pictures) -> int:
    from holdfast.cli.looking import with_tenant
    from holdfast.scan.gestures import verified

    rows: list[dict[str, Any]] = []
    for each in found:
        async with holdfast.tenants[each.picture.name].reached() as reach:
            rows += [
                with_tenant(checked_row(one, each), each.picture.name, seen.several)
                async for one in verified(reach.platform, each)
            ]
    columns = of_tenants(CHECKED, seen.several)
    emit(rows, columns, invocation.output, shape="holdfast.worklist-verify/1", empty="Nothing was broken.")
    healed = sum(bool(row["healed"]) for row in rows)
    if invocation.output == "table":
        click.echo(f"{healed} of {len(rows)} are healed. `holdfast scan` takes it into the records.")
    return seen.exit_code(healed < len(rows))


def checked_row(one: Checked, found: Work) -> dict[str, Any]:
    """What became of one connection."""
    connection = found.connections[one.key].status.connection
    expires = one.now.token_expires_at if one.now else None
    if one.now is None:
        says = "it is not there any more, or cannot be read"
    elif one.is_healed:
        token = f"; its token lives to {expires:%Y-%m-%d %H:%M} UTC" if expires else ""
        says = f"a witness moved: the platform says {one.now.status}{token}"
    else:
        says = f"no witness moved: the platform says {one.now.status}"
    return {
        "connection": connection.id,
        "environment": connection.environment,
        "environment_name": found.picture.name_of(connection.environment),
        "name": connection.display_name,
        "healed": one.is_healed,
        "says": says,
    }
