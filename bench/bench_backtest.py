"""Forecasts over two simulated years of mixed tenants, against what the sandbox says happened.

Tenants of many kinds of connections live for two years; holdfast scans each every 16 days through its front door,
and what it foretells is kept. What counts is what was `expected` a week before. Breaks that holdfast said could come,
but not when, stand apart, and so do those that nobody can foresee (a revocation, a reset). The tenants are lived
through by as many processes as there are cores; after HOLDFAST_BENCH_MINUTES (45) no further one is begun, and how
many were is told. HOLDFAST_BENCH_SIZE and HOLDFAST_BENCH_SEED change them; HOLDFAST_BENCH_WHY=1 tells the story of
what was wrong.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import tempfile
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median_low
from typing import Any

from bench.forecast_tenant import REMEMBERED, tenant_of
from holdfast.adapters.cloud import transport
from holdfast.compose import compose
from holdfast.core.horizon import Condition
from holdfast.core.inventory import Connection
from holdfast.core.judgement import Judgement
from holdfast.diagnosis.known import Recurrences
from holdfast.reading.tables import read_table
from holdfast.sandbox import embedded
from holdfast.sandbox.scenarios import named as scenarios
from holdfast.scan.importing import take_in
from holdfast.scan.tenant import scan
from holdfast.settings.ready import from_ready

SIZE = int(os.environ.get("HOLDFAST_BENCH_SIZE", "5000"))
SEED = int(os.environ.get("HOLDFAST_BENCH_SEED", "7"))
MINUTES = float(os.environ.get("HOLDFAST_BENCH_MINUTES", "45"))
TENANT = 500
DAYS = 730
STEP = 16
IN_TIME = timedelta(days=7)
MINUTE = timedelta(minutes=1)
SURPRISES = {
    "reset_password": "password_changed",
    "revoke_sessions": "session_revoked",
    "disable_account": "account_disabled",
    "delete_account": "account_deleted",
    "turn_off_flow": "",
}
FORESEEABLE = ("token_inactive", "secret_expired", "certificate_invalid", "password_expired")


class Control:
    """The control port, by the standard library."""

    def __init__(self, ready: Mapping[str, Any]) -> None:
        self._base = ready["control"]

    def ask(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=600) as answer:
            return json.load(answer)


Dates = Mapping[str, tuple[datetime, datetime]]
"""By cause, from when to when its break is expected."""


@dataclass
class Watched:
    """What was said of one connection where it changed, and when it broke.

    Attributes:
        unknown: causes of which was said that they can come and not when, since when.
        upset: what nobody could foresee, if something of the kind befell its owner.
    """

    kind: str = ""
    said: list[tuple[datetime, Dates]] = field(default_factory=list)
    unknown: dict[str, datetime] = field(default_factory=dict)
    broke_at: datetime | None = None
    causes: tuple[str, ...] = ()
    upset: tuple[datetime, str] | None = None

    @property
    def cause(self) -> str:
        return self.causes[0] if self.causes else ""

    def settle(self) -> None:
        """What happened to its owner before anything else broke it was what broke it."""
        if self.upset and self.broke_at and self.upset[0] <= self.broke_at:
            self.broke_at, self.causes = self.upset[0], (self.upset[1], *self.causes)

    def standing(self, at: datetime) -> Dates:
        return next((dates for when, dates in reversed(self.said) if when <= at), {})

    def say(self, at: datetime, dates: Dates) -> None:
        if not self.said or self.said[-1][1] != dates:
            self.said.append((at, dates))


def lived(
    number: int, size: int, born_at: datetime | None = None
) -> tuple[datetime, datetime, list[Watched]]:
    """One tenant through its two years, from now or another instant: when they began and ended, and its connections."""
    kinds: dict[str, tuple[int, str]] = {}
    seed = SEED + number
    ends: dict[str, tuple[str, datetime]] = {}
    made = tenant_of(size, DAYS, kinds, random.Random(seed), further=True, ends=ends)
    scenarios.SCENARIOS["bench"] = made
    # Graph's documented pace is real seconds; two simulated years need not wait for it.
    vars(transport)["AsyncLimiter"] = lambda *_: nullcontext()
    with (
        tempfile.TemporaryDirectory() as name,
        embedded("bench", seed=seed, frozen=True, born_at=born_at) as ready,
    ):
        control = Control(ready)
        control.ask("/faults", {"unkind": False})
        table = "connection,login,kind,expires_at\n" + "".join(
            f"{id},{login},sql,{at:%Y-%m-%d}\n" for id, (login, at) in ends.items()
        )
        watched, upsets = asyncio.run(
            _years(ready, Path(name), control, random.Random(seed + 1), size, table)
        )
        end = _note_truth(watched, control.ask("/truth"))
    for id, one in watched.items():
        one.kind = kinds[id][1] if id in kinds else ""
        one.upset = upsets.get(kinds[id][0]) if id in kinds else None
        one.settle()
    return end - timedelta(days=DAYS), end, [one for one in watched.values() if one.kind]


async def _years(
    ready: Mapping[str, Any], folder: Path, control: Control, chance: random.Random, size: int, passwords: str
) -> tuple[dict[str, Watched], dict[int, tuple[datetime, str]]]:
    watched: defaultdict[str, Watched] = defaultdict(Watched)
    upsets: dict[int, tuple[datetime, str]] = {}
    with compose(from_ready(ready, folder), {}) as holdfast:
        tenant = holdfast.chosen(None)
        for step in range(DAYS // STEP + 1):
            async with tenant.reached() as reach:
                report = await scan(
                    tenant.id,
                    reach.platform,
                    reach.directory,
                    holdfast.history,
                    holdfast.clock,
                    holdfast.read,
                    recurrences=Recurrences(remember_mfa=REMEMBERED),
                )
            if step == 0:
                # Somebody hands in a table once; the second scan is the first that knows it.
                at = holdfast.clock.now() + report.record.skew
                await take_in(holdfast.history, tenant.id, report.record, read_table(passwords), at)
            now = datetime.fromisoformat(control.ask("/clock")["now"])
            async for judgement in holdfast.history.current(tenant.id, Judgement):
                _note_forecast(watched[judgement.connection], judgement, now)
            if step % 4 == 0:
                truth = control.ask("/truth")
                _note_truth(watched, truth)
                flows = [flow["id"] for flow in truth["flows"]]
            if (upset := _surprise(control, chance, flows, size)) is not None:
                upsets.setdefault(upset[0], (now, upset[1]))
            control.ask("/clock/advance", {"days": min(STEP, DAYS - step * STEP)})
        seen = {c.id async for c in holdfast.history.current(tenant.id, Connection)}
        assert len(seen) == size, f"{len(seen)} of {size} connections are in the store"
    return watched, upsets


def _note_forecast(one: Watched, judgement: Judgement, now: datetime) -> None:
    expected = [h for h in judgement.horizons if h.condition is Condition.EXPECTED]
    one.say(now, {h.cause: (h.earliest, h.latest) for h in expected if h.earliest and h.latest})
    for horizon in expected:
        if horizon.earliest is None:
            one.unknown.setdefault(horizon.cause, now)


def _note_truth(watched: Mapping[str, Watched], truth: Mapping[str, Any]) -> datetime:
    for each in truth["connections"]:
        if each["broke_at"] and watched[each["id"]].broke_at is None:
            watched[each["id"]].broke_at = datetime.fromisoformat(each["broke_at"])
            watched[each["id"]].causes = tuple(each["causes"])
    return datetime.fromisoformat(truth["now"])


def _surprise(
    control: Control, chance: random.Random, flows: Sequence[str], size: int
) -> tuple[int, str] | None:
    """Something happens that nobody could foresee; to whom, and the cause it is known by."""
    event, number = chance.choice(list(SURPRISES)), chance.randrange(size)
    person = f"user{number}@contoso.example"
    control.ask("/events", {"event": event, "target": chance.choice(flows) if "flow" in event else person})
    return (number, SURPRISES[event]) if SURPRISES[event] else None


@dataclass
class Tally:
    """What became of the breaks by one cause, and of what was said of it.

    Attributes:
        undated: breaks that were said to be possible a week before, without a date.
    """

    leads: list[timedelta] = field(default_factory=list)
    widths: list[timedelta] = field(default_factory=list)
    undated: int = 0
    missed: int = 0
    due: int = 0
    wrong: int = 0
    unknown: int = 0


def graded(
    began: datetime, end: datetime, watched: Sequence[Watched], table: Mapping[str, Tally]
) -> list[Watched]:
    """Count into the table; gives those of which something was wrong."""
    bad = []
    for one in watched:
        ok = _recall(one, began, table)
        ok = _precision(one, end, table) and ok
        for cause in one.unknown:
            table[cause].unknown += 1
        if not ok:
            bad.append(one)
    return bad


def _recall(one: Watched, began: datetime, table: Mapping[str, Tally]) -> bool:
    broke, cause = one.broke_at, one.cause
    if broke is None or broke <= began + IN_TIME:
        return True
    stood = one.standing(broke - IN_TIME).get(cause)
    if stood is None and one.unknown.get(cause, broke) <= broke - IN_TIME:
        table[cause].undated += 1
        return True
    if stood is None or not stood[0] - MINUTE <= broke <= stood[1] + MINUTE:
        table[cause].missed += 1
        return cause in SURPRISES.values()
    table[cause].leads.append(broke - next(when for when, dates in one.said if cause in dates))
    table[cause].widths.append(stood[1] - stood[0])
    return True


def _precision(one: Watched, end: datetime, table: Mapping[str, Tally]) -> bool:
    """Each date that stood for its last week, unless something else came before it."""
    right = True
    for cause, (earliest, latest) in _dates_that_stood(one):
        if latest > end or (
            one.broke_at is not None and one.broke_at < earliest - MINUTE and one.cause != cause
        ):
            continue
        is_right = one.broke_at is not None and one.broke_at <= latest + MINUTE
        table[cause].due += 1
        table[cause].wrong += not is_right
        right = right and is_right
    return right


def _dates_that_stood(one: Watched) -> Iterator[tuple[str, tuple[datetime, datetime]]]:
    found: dict[tuple[str, datetime], tuple[datetime, datetime]] = {}
    for _, dates in one.said:
        for cause, date in dates.items():
            if one.standing(date[1] - IN_TIME).get(cause) == date:
                found[(cause, date[1])] = date
    for (cause, _), date in found.items():
        yield cause, date


def middle(lengths: Sequence[timedelta]) -> timedelta:
    return timedelta(seconds=median_low(length.total_seconds() for length in lengths))


def show(table: Mapping[str, Tally], size: int) -> None:
    print(
        f"  {'cause':22} {'broke':>6} {'dated':>6} {'undated':>8} {'missed':>7} {'recall':>8} {'due':>6} {'wrong':>6}"
        f" {'precision':>9} {'lead':>6} {'width':>9} {'unknown':>8}"
    )
    for cause, found in sorted(table.items(), key=lambda row: -len(row[1].leads) - row[1].missed):
        dated = len(found.leads)
        broke = dated + found.missed + found.undated
        recall = f"{dated / (dated + found.missed):.2%}" if dated + found.missed else ""
        precision = f"{1 - found.wrong / found.due:.2%}" if found.due else ""
        lead = f"{middle(found.leads) / timedelta(days=1):.0f} d" if dated else ""
        width = f"{middle(found.widths) / MINUTE:.0f} min" if dated else ""
        note = "  (a surprise)" if cause in SURPRISES.values() and broke else ""
        print(
            f"  {cause:22} {broke:6} {dated:6} {found.undated:8} {found.missed:7} {recall:>8} {found.due:6}"
            f" {found.wrong:6} {precision:>9} {lead:>6} {width:>9} {found.unknown / size:8.1%}{note}"
        )
    print(
        "  dated: an expected date stood 7 days before; undated: said to be possible, without a date; recall: of what was"
        " given a date or nothing;\n  lead: median from the first date to the break; width: median of the interval;"
        " unknown: connections of which it was ever said without a date"
    )


def explain(one: Watched) -> None:
    """What was said of a connection, and what came."""
    print(f"  {one.kind}: {', '.join(one.causes) or 'lives'} {one.broke_at or ''}")
    for when, dates in one.said:
        print(
            f"    {when:%Y-%m-%d}", {c: f"{a:%Y-%m-%d %H:%M} to {b:%d %H:%M}" for c, (a, b) in dates.items()}
        )


def main() -> None:
    began = time.perf_counter()
    sizes = [min(TENANT, SIZE - start) for start in range(0, SIZE, TENANT)]
    table: defaultdict[str, Tally] = defaultdict(Tally)
    bad: list[Watched] = []
    seen = 0
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores) as pool:
        waiting = list(enumerate(sizes))
        running = {pool.submit(lived, *waiting.pop(0)) for _ in sizes[:cores]}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for each in done:
                first, last, watched = each.result()
                bad += graded(first, last, watched, table)
                seen += len(watched)
                if waiting and time.perf_counter() - began < MINUTES * 60:
                    running.add(pool.submit(lived, *waiting.pop(0)))
    print(
        f"{seen} connections in {len(sizes) - len(waiting)} tenants, {DAYS} days, a scan every {STEP} days, seed {SEED},"
        f" {time.perf_counter() - began:.0f} s"
    )
    if waiting:
        print(f"  {len(waiting)} further tenants were not begun: {MINUTES:g} minutes were over.")
    show(table, seen)
    for (kind, cause), count in Counter((one.kind, one.cause or "lives") for one in bad).most_common():
        print(f"  wrong or not said: {count} of kind {kind!r} ({cause})")
    if os.environ.get("HOLDFAST_BENCH_WHY"):
        for one in bad:
            explain(one)


if __name__ == "__main__":
    main()
