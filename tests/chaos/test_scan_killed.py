"""A scan that is killed at any point goes on where it stopped, and ends as if nothing had happened."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.adapters.store.history import SqlHistory
from holdfast.core.inventory import Connection, EnvironmentId, Flow
from holdfast.core.judgement import Judgement
from holdfast.scan.tenant import AT_ONCE, scan
from tests.builders import (
    a_connection,
    a_flow,
    a_reference,
    a_secret,
    an_app,
    an_app_connection,
    an_environment,
    day,
)
from tests.fakes.clock import StillClock
from tests.fakes.cloud import ToldCloud
from tests.fakes.holdfast import ToldHoldfast

ENVIRONMENTS = 60
SEED = int(os.environ.get("HOLDFAST_CHAOS_SEED", "0")) or random.SystemRandom().randrange(2**32)


class KilledError(BaseException):
    """The process is gone: nothing that catches errors may catch this."""


class MortalCloud(ToldCloud):
    """Lets the process die at its n-th answer."""

    def __init__(self, clock: StillClock) -> None:
        super().__init__(clock)
        self.left = -1

    async def _told(self, name: str, things: Any) -> AsyncIterator[Any]:
        await asyncio.sleep(0)
        async for thing in super()._told(name, things):
            if self.left == 0:
                raise KilledError
            self.left -= 1
            yield thing


def a_tenant(clock: StillClock) -> MortalCloud:
    cloud = MortalCloud(clock)
    for number in range(ENVIRONMENTS):
        place = EnvironmentId(f"e{number:03}")
        cloud.listed.append(an_environment(place, dataverse_url=f"https://{place}.example"))
        for each in range(number % 5):
            # Refreshed long ago: what is concluded does not hang on the minute of the look.
            make = an_app_connection if each % 2 else a_connection
            cloud.held.append(make(f"{number}-{each}", environment=place, token_expires_at=day(-1)))
        cloud.automations.append(a_flow(f"f{number}", "new_sql", environment=place, every=("day", 1)))
        cloud.pointers.append(a_reference("new_sql", f"{number}-0", environment=place))
    cloud.apps = [an_app(a_secret())]
    return cloud


async def look(cloud: MortalCloud, file: Path, clock: StillClock) -> None:
    history = SqlHistory(file)
    try:
        await scan("contoso", cloud, cloud, history, clock, ToldHoldfast.read)
    finally:
        history.close()


async def everything(file: Path) -> dict[str, list[Any]]:
    history = SqlHistory(file)
    kinds: tuple[Any, ...] = (Connection, Flow, Judgement)
    found = {kind.__name__: [thing async for thing in history.current("contoso", kind)] for kind in kinds}
    history.close()
    return found


@pytest.mark.slow
async def test_a_scan_killed_anywhere_ends_as_if_nothing_had_happened(tmp_path):
    clock = StillClock()
    whole = a_tenant(clock)
    await look(whole, tmp_path / "whole.db", clock)
    expected, calls = await everything(tmp_path / "whole.db"), len(whole.asked)
    answers = sum(len(things) for things in (whole.listed, whole.held, whole.automations, whole.pointers))
    chance = random.Random(SEED)

    for attempt in range(20):
        cloud, file = a_tenant(clock), tmp_path / f"{attempt}.db"
        cloud.left = chance.randrange(answers)
        with pytest.raises(KilledError):
            await look(cloud, file, clock)
        cloud.left = -1
        clock.advance(minutes=5)

        await look(cloud, file, clock)

        assert await everything(file) == expected, f"seed {SEED}, attempt {attempt}"
        # The lists of the tenant are read again, and what each reader was at: a list, and the runs before it.
        assert len(cloud.asked) - calls <= 7 + 2 * AT_ONCE, f"seed {SEED}, attempt {attempt}"


@pytest.mark.slow
async def test_a_scan_killed_again_and_again_ends_all_the_same(tmp_path):
    clock = StillClock()
    whole = a_tenant(clock)
    await look(whole, tmp_path / "whole.db", clock)
    cloud, chance = a_tenant(clock), random.Random(SEED)

    for _ in range(30):
        cloud.left = chance.randrange(60, 200)
        try:
            await look(cloud, tmp_path / "broken.db", clock)
            break
        except KilledError:
            clock.advance(minutes=5)
    else:
        cloud.left = -1
        await look(cloud, tmp_path / "broken.db", clock)

    assert await everything(tmp_path / "broken.db") == await everything(tmp_path / "whole.db"), f"seed {SEED}"
