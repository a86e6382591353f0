"""A kill costs next to nothing: what was read is not read again. `make chaos` prints the table."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.adapters.store.history import SqlHistory
from holdfast.core.inventory import Connection, EnvironmentId
from holdfast.scan.tenant import scan
from tests.builders import a_connection, an_environment, day
from tests.chaos.test_scan_killed import KilledError
from tests.fakes.clock import StillClock
from tests.fakes.cloud import ToldCloud
from tests.fakes.holdfast import ToldHoldfast

ENVIRONMENTS = 700
KILLS = int(os.environ.get("HOLDFAST_CHAOS_SCANS", "2"))
SEED = int(os.environ.get("HOLDFAST_CHAOS_SEED", "0")) or random.SystemRandom().randrange(2**32)


class CountingCloud(ToldCloud):
    """Lets the process die at its n-th call."""

    def __init__(self, clock: StillClock) -> None:
        super().__init__(clock)
        self.dies_at = -1

    async def _told(self, name: str, things: Any) -> AsyncIterator[Any]:
        await asyncio.sleep(0)
        if len(self.asked) == self.dies_at:
            raise KilledError
        async for thing in super()._told(name, things):
            yield thing


def a_wide_tenant(clock: StillClock) -> CountingCloud:
    """Many environments with next to nothing in them: most of a scan is calls."""
    cloud = CountingCloud(clock)
    for number in range(ENVIRONMENTS):
        place = EnvironmentId(f"e{number:04}")
        cloud.listed.append(an_environment(place))
        if number % 20 == 0:
            cloud.held.append(a_connection(f"c{number}", environment=place, token_expires_at=day(-1)))
    return cloud


async def look(cloud: CountingCloud, file: Path) -> None:
    history = SqlHistory(file)
    try:
        await scan("contoso", cloud, cloud, history, cloud.clock, ToldHoldfast.read)
    finally:
        history.close()


async def kept(file: Path) -> set[str]:
    history = SqlHistory(file)
    found = {str(thing.id) async for thing in history.current("contoso", Connection)}
    history.close()
    return found


@pytest.mark.slow
async def test_a_scan_killed_anywhere_repeats_less_than_one_call_in_a_hundred(tmp_path):
    clock, chance = StillClock(), random.Random(SEED)
    whole = a_wide_tenant(clock)
    await look(whole, tmp_path / "whole.db")
    calls, there = len(whole.asked), await kept(tmp_path / "whole.db")

    repeated = []
    for number in range(KILLS):
        cloud, file = a_wide_tenant(clock), tmp_path / f"{number}.db"
        cloud.dies_at = chance.randrange(1, calls)
        with pytest.raises(KilledError):
            await look(cloud, file)
        cloud.dies_at = -1
        await look(cloud, file)
        repeated.append(len(cloud.asked) - calls)
        assert await kept(file) == there, f"seed {SEED}, kill {number}"
        file.unlink()

    table = f"{KILLS} kills, {calls} calls each: {sum(repeated) / KILLS:.1f} repeated on average, {max(repeated)} at most"
    print(f"{table} ({max(repeated) / calls:.2%})")
    assert max(repeated) < calls / 100, f"seed {SEED}: {table}"
