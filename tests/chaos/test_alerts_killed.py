"""holdfast is killed while it tells people: nobody is left untold, and every repeat can be told as one."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from holdfast.adapters.store.history import SqlHistory
from holdfast.alerts.deliver import Hours, Route, deliver, routed
from holdfast.alerts.threads import tell
from holdfast.core.alert import Audience, Delivery, Message, Problem, Thread, Topic
from holdfast.core.errors import UnreachableError
from tests.builders import day
from tests.chaos.test_scan_killed import KilledError

CRASHES = int(os.environ.get("HOLDFAST_CHAOS_CRASHES", "50"))
SEED = int(os.environ.get("HOLDFAST_CHAOS_SEED", "0")) or random.SystemRandom().randrange(2**32)
ROUTES = [Route("mail", frozenset(Audience)), Route("teams", frozenset(Audience))]


class Mortal:
    """An outbox whose process dies before or after a call."""

    def __init__(self, outbox: Any, chance: random.Random) -> None:
        self._outbox, self._chance = outbox, chance
        self.dies = False

    async def _call(self, name: str, *arguments: Any) -> Any:
        when = self._chance.choice(("before", "after", *["never"] * 6)) if self.dies else "never"
        if when == "before":
            raise KilledError
        answer = await getattr(self._outbox, name)(*arguments)
        if when == "after":
            raise KilledError
        return answer

    async def threads(self, tenant: str) -> dict[str, Thread]:
        found: dict[str, Thread] = await self._call("threads", tenant)
        return found

    async def put(
        self, threads: Sequence[Thread], ways: Sequence[tuple[Delivery, datetime]], tenant: str
    ) -> None:
        await self._call("put", threads, ways, tenant)

    async def due(self, now: datetime, limit: int = 200) -> list[Delivery]:
        found: list[Delivery] = await self._call("due", now, limit)
        return found

    async def delivered(self, ways: Sequence[Delivery], at: datetime) -> None:
        await self._call("delivered", ways, at)

    async def failed(self, ways: Sequence[Delivery], at: datetime, trouble: str, again_at: datetime) -> None:
        await self._call("failed", ways, at, trouble, again_at)

    async def failing(self) -> dict[str, tuple[datetime, str]]:
        found: dict[str, tuple[datetime, str]] = await self._call("failing")
        return found


class Receiver:
    """Takes messages, and refuses some."""

    def __init__(self, chance: random.Random) -> None:
        self._chance, self.got = chance, list[tuple[str, str]]()

    async def send(self, message: Message) -> None:
        if self._chance.random() < 0.2:
            raise UnreachableError("no answer", "alerts", "alerts.send")
        self.got += [(event.id, event.thread) for event in message.events]


async def test_over_fifty_crashes_nobody_is_left_untold(tmp_path: Path):
    chance = random.Random(SEED)
    receivers = {"mail": Receiver(chance), "teams": Receiver(chance)}
    problems: list[Problem] = []
    expected: set[str] = set()
    crashes, now = 0, day(0)
    history = SqlHistory(tmp_path / "h.db")
    while crashes < CRASHES or now < day(3):
        now += timedelta(minutes=15)
        if crashes < CRASHES and chance.random() < 0.3:
            key = f"broken/{len(problems)}"
            problems.append(Problem(key, Topic.BROKEN, now, (key,), key, "", ""))
            expected.add(key)
        outbox = Mortal(history.outbox(), chance)
        outbox.dies = crashes < CRASHES
        try:
            told = tell("contoso", problems, await outbox.threads("contoso"), (), now)
            ways = list(routed(told.events, ROUTES, Hours(), now))
            await outbox.put(told.threads, ways, "contoso")
            await deliver(outbox, receivers, ROUTES, now)
        except KilledError:
            crashes += 1
            history.close()
            history = SqlHistory(tmp_path / "h.db")
    # The last that failed are tried until they arrive.
    for _ in range(200):
        now += timedelta(hours=6)
        await deliver(history.outbox(), receivers, ROUTES, now)
    threads = await history.outbox().threads("contoso")
    left = await history.outbox().due(now + timedelta(days=1), 10_000)
    history.close()

    firsts = {thread.id for thread in threads.values()}
    assert set(threads) == expected, SEED
    assert left == [], SEED
    repeats = 0
    for receiver in receivers.values():
        ids = [id for id, _ in receiver.got]
        repeats += len(ids) - len(set(ids))
        assert firsts <= set(ids), SEED  # 0 lost
        assert {thread for _, thread in receiver.got} <= firsts, SEED  # each names its first
    print(
        f"\nalerts: {crashes} crashes, {len(expected)} problems, 0 lost, {repeats} repeats, each with the id of its first (seed {SEED})"
    )
