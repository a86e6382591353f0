"""What `status`, `show` and `forecast` have in common: the tenants asked for, as last scanned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from holdfast.cli.options import Invocation, command_line
from holdfast.cli.saying import complain, say
from holdfast.cli.times import length
from holdfast.core.coverage import (
    CANVAS_APPS,
    CONNECTIONS,
    ENVIRONMENTS,
    FLOWS,
    LISTED_FLOWS,
    REFERENCES,
    SERVICE_PRINCIPALS,
)
from holdfast.core.errors import SettingsError

if TYPE_CHECKING:
    from holdfast.compose import Holdfast, Tenant
    from holdfast.scan.standing import Picture, Standing

OLD_DAYS = 2
"""A scan that is older is said to be old on every output."""


def chosen(holdfast: Holdfast, invocation: Invocation) -> list[Tenant]:
    """The tenant of --tenant or of the setting `tenant`, else all of the settings.

    Raises:
        SettingsError: there is no such tenant, or none at all.
    """
    if invocation.tenant is not None or holdfast.settings.tenant is not None or not holdfast.tenants:
        return [holdfast.chosen(invocation.tenant)]
    return list(holdfast.tenants.values())


class Pictures(list["Picture"]):
    """The tenants that were asked for, as last scanned.

    Attributes:
        several: whether more than one was asked for, so that each row has to say whose it is.
        unscanned: names of those that have no scan yet and so are missing here.
    """

    def __init__(self, seen: Iterable[Picture], several: bool, unscanned: Sequence[str]) -> None:
        super().__init__(seen)
        self.several, self.unscanned = several, unscanned

    def exit_code(self, needy: object) -> int:
        """1 where something needs attention: what was found, or a tenant that nobody looked at."""
        return int(bool(needy or self.unscanned))


async def pictures(holdfast: Holdfast, invocation: Invocation) -> Pictures:
    """The chosen tenants as last scanned. One that never was is told of and stops no other.

    Raises:
        SettingsError: none of them has ever been scanned.
    """
    from holdfast.scan.standing import picture

    tenants = chosen(holdfast, invocation)
    found, unscanned = [], []
    for tenant in tenants:
        seen = await picture(holdfast.history, tenant.id, tenant.name, holdfast.clock.now())
        if seen is None:
            unscanned.append(tenant.name)
        else:
            found.append(replace(seen, own_only=tenant.sees_own_only))
    if not found:
        raise SettingsError(_never_scanned(unscanned, invocation))
    if unscanned:
        complain(_never_scanned(unscanned, invocation))
    return Pictures(found, len(tenants) > 1, unscanned)


def _never_scanned(names: Sequence[str], invocation: Invocation) -> str:
    many = f"Tenants {', '.join(map(repr, names))} have" if len(names) > 1 else f"Tenant {names[0]!r} has"
    narrowed = replace(invocation, tenant=names[0] if len(names) == 1 and not invocation.sandbox else None)
    return f"{many} not been scanned yet: run `{command_line('scan', narrowed)}`."


async def picture_of(holdfast: Holdfast, tenant: Tenant, invocation: Invocation) -> Picture:
    """One tenant as last scanned.

    Raises:
        SettingsError: it has never been scanned.
    """
    one = replace(invocation, tenant=tenant.name)
    return (await pictures(holdfast, one))[0]


async def ourselves(holdfast: Holdfast, seen: Picture) -> list[Standing]:
    """How holdfast's own identities in that tenant stand: the first rows of every list."""
    from holdfast.scan.ourselves import own_standings

    identities = await holdfast.tenants[seen.name].own_identities()
    return await own_standings(holdfast.history, seen, identities, holdfast.diagnose)


def with_tenant(row: dict[str, Any], tenant: str, several: bool) -> dict[str, Any]:
    """The row, with its tenant in front where there are several."""
    return {"tenant": tenant, **row} if several else row


def coverage(seen: Picture) -> dict[str, Any]:
    """How old and how complete the picture is, for `-o json`."""
    worst = seen.record.by_environment()
    return {
        "tenant": seen.name,
        "scanned_at": seen.record.finished_at.isoformat() if seen.record.finished_at else None,
        "age_seconds": int(seen.age.total_seconds()),
        "environments": {e: worst[e].value for e in seen.environments if e in worst},
        "gaps": [
            {
                "environment": s.environment or None,
                "part": s.part,
                "outcome": s.outcome.value,
                "detail": s.detail,
            }
            for s in seen.record.gaps
        ],
        "flows_complete": seen.flows_complete,
    }


def said_of(seen: Picture) -> list[str]:
    """Sentences that belong under every table: how old the picture is, and what is not in it."""
    from holdfast.scan.carried import flows_are_complete

    said = [f"Scanned {length(seen.age)} ago" + (" — scan again" if seen.age.days >= OLD_DAYS else "") + "."]
    if seen.own_only:
        said.append("Only your own connections and those shared with you.")
    gaps = seen.record.gaps
    if any(gap.part == ENVIRONMENTS for gap in gaps):
        said.append("The list of environments broke off.")
    if any(gap.part == SERVICE_PRINCIPALS for gap in gaps):
        said.append("The directory could not be read whole, so no secret's end is known.")
    unread = {gap.environment for gap in gaps if gap.part.startswith(CONNECTIONS)}
    if unread:
        said.append(f"Incomplete: {_named(seen, unread)} could not be read.")
    appless = {gap.environment for gap in gaps if gap.part == CANVAS_APPS} - unread
    if appless:
        said.append(f"Canvas apps of {_named(seen, appless)} could not be read.")
    flowless = {gap.environment for gap in gaps if gap.part in (FLOWS, REFERENCES)} - unread
    flowless -= {each for each in flowless if flows_are_complete(seen.record, each)}
    unlisted = {gap.environment for gap in gaps if gap.part == LISTED_FLOWS} - unread
    if flowless:
        said.append(f"Flows: incomplete, those of {_named(seen, flowless)} could not be read.")
    elif unlisted:
        said.append(
            f"Flows: incomplete, those outside solutions could not be listed in {_named(seen, unlisted)}."
        )
    elif seen.flows_complete:
        said.append("Flows: all were seen, also those outside solutions, by a person's sign-in.")
    elif seen.flows_seen:
        said.append("Flows: incomplete, those outside solutions are not seen.")
    return said


def _named(seen: Picture, environments: set[str]) -> str:
    names = sorted(seen.name_of(each) for each in environments)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def say_below(pictures: Sequence[Picture], output: str) -> None:
    """Print those sentences: under a table, beside what a program reads only if they matter there."""
    several = pictures.several if isinstance(pictures, Pictures) else len(pictures) > 1
    for seen in pictures:
        prefix = f"{seen.name}: " if several else ""
        if output == "table":
            say(prefix + " ".join(said_of(seen)), dim=True)
        elif output != "json" and (seen.record.gaps or seen.age.days >= OLD_DAYS):
            complain(prefix + " ".join(said_of(seen)))
