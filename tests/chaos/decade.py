"""Years of a tenant in which `watch` looks at secrets, scans and tells: none comes near its end without a word.

`python -m tests.chaos.decade [YEARS] [SEED]` prints the figures; `tests/chaos/test_decade.py` runs a part.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from holdfast import saga
from holdfast.adapters.store.history import SqlHistory
from holdfast.compose.alerting import look
from holdfast.compose.renewing import renew
from holdfast.sandbox.ready import secret_text
from holdfast.settings.shape import Alerts, Rotate
from tests.chaos.rotations import Peril, Trial, undisturbed

WARNED_WITHIN = timedelta(days=14)
ROUND = timedelta(days=2)


class Years:
    """A tenant over years, looked at every second day.

    Args:
        automatic: `watch` renews by itself; else a person does, late, some days after the alert.
    """

    def __init__(self, seed: int, folder: Path, *, automatic: bool) -> None:
        self.trial = Trial("story", seed)
        store = SqlHistory(folder / "holdfast.db")
        self.automatic, self.counts = automatic, Counter[str]()
        self.holdfast: Any = self.trial.holdfast
        self.holdfast.outbox = store.outbox()
        self.holdfast.tenants = {"t": self.trial.tenant}
        self.holdfast.settings = SimpleNamespace(rotate=Rotate(automatic=automatic), alerts=Alerts())
        self.unwarned: list[str] = []

    async def pass_by(self, length: timedelta) -> None:
        for _ in range(length // ROUND):
            self.trial.inner.advance(days=ROUND.days)
            await self._round()

    async def _round(self) -> None:
        await self.trial.scanned()
        tenant: Any = self.trial.tenant
        self.trial.tenant.peril = self.trial.secrets.peril = Peril()
        await renew(self.holdfast, tenant)
        await look(self.holdfast, tenant)
        self.counts["rounds"] += 1
        await self._check()
        if not self.automatic and self.trial.chance.random() < 0.15:
            await self._somebody_acts()
        await self._go_on()

    async def _go_on(self) -> None:
        """What `watch` does about begun plans, some minutes later and again in the night."""
        for record in await self.trial.journal.plans("t", "rotate"):
            standing = saga.standing(record.plan, await self.trial.journal.deeds("t", record.plan.id))
            if any(each.state in ("waiting", "interrupted") for each in standing):
                self.trial.inner.advance(minutes=13)
                await self.trial.go_on(record.plan, Peril())

    async def _somebody_acts(self) -> None:
        plan = await self.trial.plan(())
        if plan.steps:
            self.counts["renewed by hand"] += 1
            await self.trial.go_on(plan, Peril())

    async def _check(self) -> None:
        """By the truth: what a connection holds and that ends soon is named by an alert that is not over."""
        threads = await self.holdfast.outbox.threads("t")
        open_ = [thread for thread in threads.values() if thread.recovered_at is None]
        named = {subject for thread in open_ for subject in thread.subjects}
        now, world = self.trial.clock.now(), self.trial.world
        for app in self.trial.apps:
            for secret in app.secrets:
                text = secret_text(world, secret)
                holders = [
                    c for c in self.trial.connections(app) if c.secrets.get("token:clientSecret") == text
                ]
                used = [c for c in holders if self._carries(c.id)]
                if used and timedelta(0) <= secret.expires_at - now <= WARNED_WITHIN:
                    self.counts["near its end"] += 1
                    self.unwarned += [f"{now:%Y-%m-%d} {c.display_name}" for c in used if c.id not in named]

    def _carries(self, connection: str) -> bool:
        return any(r.connection_id == connection for r in self.trial.world.references.values())


async def lived(years: float, seed: int, *, automatic: bool) -> Years:
    with tempfile.TemporaryDirectory() as folder:
        life = Years(seed, Path(folder), automatic=automatic)
        await life.pass_by(timedelta(days=365 * years))
        plans = await life.trial.journal.plans("t", "rotate")
        life.counts["rotations"] = sum(bool(record.plan.steps) for record in plans)
        life.counts["alerts"] = len(await life.holdfast.outbox.threads("t"))
    return life


def main() -> int:
    years = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    wrong = 0
    print(
        "| who renews | years | rounds | rotations | days looked at within 14 days of the end | without an alert |"
    )
    print("|---|--:|--:|--:|--:|--:|")
    for automatic in (True, False):
        with undisturbed():
            life = asyncio.run(lived(years, seed, automatic=automatic))
        counts = life.counts
        who = "watch" if automatic else "a person, late"
        print(
            f"| {who} | {years:g} | {counts['rounds']} | {counts['rotations']} | {counts['near its end']} | {len(life.unwarned)} |"
        )
        wrong += len(life.unwarned)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
