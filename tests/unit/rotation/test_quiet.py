"""How long the older credential stays beside the new one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from holdfast.core.deed import Outcome, done
from holdfast.core.directory import SignInKind, SignInRecord
from holdfast.core.plan import PlannedStep
from holdfast.reading.sign_ins import SQL_APPLICATION
from holdfast.rotation.credential_steps import Quiet
from holdfast.rotation.world import World
from tests.builders import day
from tests.fakes.clock import StillClock

SWITCHED, BOUND = day(100), day(101)
MINUTES = timedelta(minutes=1)


class Log:
    """The sign-in log of one application."""

    def __init__(self, *at: datetime) -> None:
        self._rows = [a_sign_in(each) for each in at]

    async def sign_ins_of_application(self, _client_id: str, since: datetime) -> AsyncIterator[SignInRecord]:
        for row in self._rows:
            if row.at >= since:
                yield row


def a_sign_in(at: datetime) -> SignInRecord:
    """With the older credential, as a connection does it."""
    return SignInRecord("r", at, SignInKind.APPLICATION, "p", "app-1", SQL_APPLICATION, 0, key_id="old")


def past(**bind: Any) -> dict[str, Outcome]:
    """A connection got one beside it, and a day later its flows were bound to that."""
    return {
        "add": done(key_id="new", added_at=day(100).isoformat(), expires_at=day(190).isoformat()),
        "switch:c1": done(mode="beside", connection="c2", at=SWITCHED.isoformat()),
        "bind:c1": done(before={}, **bind),
    }


async def quiet(log: Log, now: datetime, before: dict[str, Outcome]) -> Outcome:
    arguments = {
        "client_id": "app-1",
        "kind": "secret",
        "old": ["old"],
        "log_read": True,
        "quiet_seconds": 86_400,
    }
    world = cast(World, SimpleNamespace(directory=log, clock=StillClock(now)))
    return await Quiet(PlannedStep("s-1", "quiet", "", None, None, arguments), world).do(before)


async def test_flows_that_were_bound_late_are_no_strangers():
    log = Log(BOUND - MINUTES)
    bound = past(at=BOUND.isoformat())

    early = await quiet(log, BOUND + timedelta(hours=23), bound)
    late = await quiet(log, BOUND + timedelta(hours=24), bound)

    assert "is no connection" not in early.says
    assert not early.is_done
    assert late.is_done


async def test_who_signs_in_hours_after_the_last_was_bound_is_a_stranger():
    log = Log(BOUND + timedelta(hours=3))

    found = await quiet(log, BOUND + timedelta(hours=30), past(at=BOUND.isoformat()))

    assert "is no connection" in found.says


async def test_a_binding_that_an_earlier_version_noted_tells_no_time():
    found = await quiet(Log(), SWITCHED + timedelta(hours=24), past())

    assert found.is_done
