"""Lets a world that was just built live up to the present, so that its past is one that really happened in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from holdfast.sandbox.ageing import settle
from holdfast.sandbox.flows.folding import next_due
from holdfast.sandbox.flows.runtime import bound
from holdfast.sandbox.frame import Deed, Event
from holdfast.sandbox.powerplatform.data_policies import next_check
from holdfast.sandbox.powerplatform.licences import next_unlicensed
from holdfast.sandbox.records.platform import Connection
from holdfast.sandbox.world import World

LIVED = timedelta(days=30)
"""As far back as logs and run histories reach."""


BY_THEMSELVES = (next_due, next_check, next_unlicensed)


class Happening(NamedTuple):
    """Something that an administrator or a person did in the past: an event of the control port."""

    at: datetime
    event: Event
    target: str
    details: Mapping[str, Any] = {}


def live(world: World, now: datetime, happenings: Iterable[Happening] = (), lived: timedelta = LIVED) -> None:
    """Run the flows of the last days, with what happened meanwhile in its place."""
    since = now - lived
    _rewind(world, since)
    world.settled_at = since
    for one in sorted(happenings, key=lambda happening: happening.at):
        if one.at > world.settled_at:
            settle(world, one.at, BY_THEMSELVES)
        one.event(Deed(world, world.settled_at, one.target, one.details))
        world.changed()
    settle(world, now, BY_THEMSELVES)
    # What `/truth` counts begins with the present, but for the runs: folded ones of the past are counted, too.
    world.counts = {"runs_executed": world.counts.get("runs_executed", 0)}


def _rewind(world: World, since: datetime) -> None:
    """Connections that flows use were last used then, not yet at the end: the flows move them forward again."""
    for flow in world.flows.values():
        if flow.state != "Started":
            continue
        for key in flow.connections:
            connection = bound(world, flow, key)
            if (
                connection is not None
                and connection.last_token_at is not None
                and connection.last_token_at > since
            ):
                _set_back(world, connection, since)


def _set_back(world: World, connection: Connection, since: datetime) -> None:
    at = max(since, connection.created_at)
    connection.last_token_at = connection.modified_at = at
    connection.token_expires_at = at
    if connection.refresh_token_id is not None:
        token = world.refresh_tokens[connection.refresh_token_id]
        token.issued_at = token.used_at = at
