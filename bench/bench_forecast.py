"""Forecasts over two simulated years of a mixed tenant, against what the sandbox says happened.

A tenant of many kinds of connections lives for two years; holdfast scans it every few days through its front door
and its forecasts are kept. What counts is what was `expected` a week before. Breaks that nobody can foresee (a
revocation, a reset) are counted apart. HOLDFAST_BENCH_SIZE and HOLDFAST_BENCH_SEED change the tenant.
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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from holdfast.compose import compose
from holdfast.core.horizon import Condition
from holdfast.core.inventory import Connection
from holdfast.core.judgement import Judgement
from holdfast.sandbox import embedded
from holdfast.sandbox.ready import secret_text
from holdfast.sandbox.scenarios import named as scenarios
from holdfast.sandbox.scenarios.definitions import definition, query, recurrence
from holdfast.sandbox.scenarios.founding import Founding
from holdfast.sandbox.scenarios.sql_founding import ServerFounding
from holdfast.sandbox.world import Account, Application, ClientSecret, Environment
from holdfast.scan.tenant import scan
from holdfast.settings.ready import from_ready

SIZE = int(os.environ.get("HOLDFAST_BENCH_SIZE", "100"))
SEED = int(os.environ.get("HOLDFAST_BENCH_SEED", "7"))
DAYS = 730
STEP = 4
IN_TIME = timedelta(days=7)
MINUTE = timedelta(minutes=1)
SURPRISES = ("reset_password", "revoke_sessions", "disable_account", "turn_off_flow")
FORESEEABLE = ("token_inactive", "secret_expired")
SERVER = "sql-contoso.database.windows.net"


@dataclass
class Maker:
    """Makes the connections of one tenant, each of a kind of its own."""

    found: Founding
    client: Application
    place: Environment
    chance: random.Random
    kinds: dict[str, str] = field(default_factory=dict)

    def person(self, number: int) -> Account:
        return self.found.account(f"user{number}", f"User {number}", licences=["POWERAUTOMATE_PREMIUM"])

    def user(self, number: int, kind: str, often: dict[str, Any] | None, *, in_solution: bool = True) -> None:
        """A person's sign-in, and a flow that uses it as often as said; None for none."""
        owner, name = self.person(number), f"{kind} {number}"
        months = often["interval"] if often and often["frequency"] == "Month" else 0
        longest = min(85, 30 * months)
        days = self.chance.randrange(31, longest) if longest > 31 else 31 if months else 1
        used = self.found.ago(days=days, minutes=self.chance.randrange(600))
        if often is None:
            used = self.found.ago(days=self.chance.randrange(0, 80))
        connection = self.found.oauth_connection(name, self.place, owner, used_at=used)
        self.kinds[connection.id] = kind
        if often is not None:
            uses = (
                [self.found.reference(f"con_{number}", name, connection, self.place, owner)]
                if in_solution
                else [connection]
            )
            trigger = recurrence(often["frequency"], often["interval"])
            what = definition(trigger, ("Ask", query("SELECT 1 AS n", SERVER, "erp")))
            # Without a start time months count from when the flow was turned on: from a run that was.
            since = {"created_at": used, "modified_at": used} if often["frequency"] == "Month" else {}
            self.found.flow(f"Flow {number}", self.place, owner, what, uses, **since)

    def principal(self, number: int, kind: str, *ends: int) -> None:
        """A service principal with a secret per end (days from now); the connection holds the first."""
        owner, name = self.person(number), f"{kind} {number}"
        app = self.found.app(f"app {number}", secret_ends_in=timedelta(days=ends[0]))
        for which, days in enumerate(ends[1:]):
            made = self.found.ago(days=170)
            app.secrets.append(
                ClientSecret(
                    key_id=self.found.id_of("secret", f"{number}-{which}"),
                    label=f"further {which}",
                    starts_at=made,
                    expires_at=self.found.now + timedelta(days=days),
                    created_at=made,
                )
            )
        text = secret_text(self.found.world, app.secrets[0])
        connection = self.found.principal_connection(
            name, self.place, owner, app, secret=text, used_at=self.found.ago(hours=5)
        )
        self.kinds[connection.id] = kind
        reference = self.found.reference(f"con_{number}", name, connection, self.place, owner)
        what = definition(recurrence("Day", 1, 1), ("Ask", query("SELECT 1 AS n", SERVER, "erp")))
        self.found.flow(f"Flow {number}", self.place, owner, what, [reference])


def often(frequency: str, interval: int = 1) -> dict[str, Any]:
    return {"frequency": frequency, "interval": interval}


KINDS: tuple[tuple[int, Callable[[Maker, int], None]], ...] = (
    (7, lambda m, n: m.user(n, "daily", often("Day"))),
    (2, lambda m, n: m.user(n, "weekly", often("Week"))),
    (1, lambda m, n: m.user(n, "monthly", often("Month"))),
    (1, lambda m, n: m.user(n, "two-monthly", often("Month", 2))),
    (2, lambda m, n: m.user(n, "quarterly", often("Month", 3))),
    (1, lambda m, n: m.user(n, "yearly", often("Month", 12))),
    (1, lambda m, n: m.user(n, "unused", None)),
    (1, lambda m, n: m.user(n, "daily, unseen", often("Day"), in_solution=False)),
    (1, lambda m, n: m.user(n, "quarterly, unseen", often("Month", 3), in_solution=False)),
    (2, lambda m, n: m.principal(n, "one secret", m.chance.randrange(20, 700))),
    (
        1,
        lambda m, n: m.principal(n, "two secrets", m.chance.randrange(20, 400), m.chance.randrange(500, 900)),
    ),
)


def tenant_of(kinds: dict[str, str]) -> Callable[[Founding], None]:
    def make(found: Founding) -> None:
        client = scenarios._identities(found)
        for app in found.world.applications.values():
            for secret in app.secrets:
                secret.expires_at += timedelta(days=2 * DAYS)  # our own must outlive the benchmark
        place = found.environment("Finance", org="contoso-finance")
        scenarios._application_users(found, place)
        maker = Maker(found, client, place, random.Random(SEED), kinds)
        wheel = [make_one for share, make_one in KINDS for _ in range(share)]
        for number in range(SIZE):
            wheel[number % len(wheel)](maker, number)
        databases(found)

    return make


def databases(found: Founding) -> None:
    """Everybody may connect: what breaks here breaks at the sign-in."""
    admin = next(a for a in found.world.applications.values() if a.display_name == "holdfast-sql-admin")
    server = ServerFounding(found.world, SERVER, found.ago(days=700), entra_admin=admin.client_id)
    server.table("erp", "dbo.Orders", 1, {"Customer": "nvarchar(100)"})
    server.table("finance", "dbo.Invoices", 1, {"Customer": "nvarchar(100)"})
    for account in list(found.world.accounts.values()):
        server.user("erp", account)
    for app in list(found.world.applications.values()):
        if app.display_name.startswith("app "):
            server.user("erp", app)


class Control:
    """The control port, by the standard library."""

    def __init__(self, ready: Mapping[str, Any]) -> None:
        self._base = ready["control"]

    def ask(self, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=600) as answer:
            return json.load(answer)


@dataclass
class Watched:
    """What was said of one connection, look by look, and when it broke."""

    said: list[tuple[datetime, dict[str, tuple[datetime, datetime]]]] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    broke_at: datetime | None = None
    noticed_at: datetime | None = None
    causes: tuple[str, ...] = ()

    @property
    def cause(self) -> str:
        return self.causes[0] if self.causes else ""

    def standing(self, at: datetime) -> dict[str, tuple[datetime, datetime]]:
        return next((horizons for when, horizons in reversed(self.said) if when <= at), {})


async def two_years(ready: Mapping[str, Any], folder: Path, control: Control) -> dict[str, Watched]:
    chance = random.Random(SEED + 1)
    watched: defaultdict[str, Watched] = defaultdict(Watched)
    with compose(from_ready(ready, folder), {}) as holdfast:
        tenant = holdfast.chosen(None)
        for _ in range(DAYS // STEP):
            async with tenant.reached() as reach:
                await scan(
                    tenant.id,
                    reach.platform,
                    reach.directory,
                    holdfast.history,
                    holdfast.clock,
                    holdfast.read,
                )
            truth = control.ask("/truth")
            now = datetime.fromisoformat(truth["now"])
            note_truth(watched, truth, now)
            async for judgement in holdfast.history.current(tenant.id, Judgement):
                one = watched[judgement.connection]
                expected = [h for h in judgement.horizons if h.condition is Condition.EXPECTED]
                known = {h.cause: (h.earliest, h.latest) for h in expected if h.earliest and h.latest}
                one.said.append((now, known))
                one.unknown.update(h.cause for h in expected if h.earliest is None)
            surprise(control, chance, truth)
            control.ask("/clock/advance", {"days": STEP})
        seen = {c.id async for c in holdfast.history.current(tenant.id, Connection)}
        assert len(seen) == SIZE, f"{len(seen)} of {SIZE} connections are in the store"
    return watched


def note_truth(watched: Mapping[str, Watched], truth: Mapping[str, Any], now: datetime) -> None:
    for each in truth["connections"]:
        if each["broke_at"] and watched[each["id"]].broke_at is None:
            watched[each["id"]].broke_at = datetime.fromisoformat(each["broke_at"])
            watched[each["id"]].noticed_at = now
            watched[each["id"]].causes = tuple(each["causes"])


def surprise(control: Control, chance: random.Random, truth: Mapping[str, Any]) -> None:
    """A few things happen that nobody could foresee."""
    for _ in range(max(1, SIZE // 1500)):
        event = chance.choice(SURPRISES)
        if event == "turn_off_flow":
            control.ask("/events", {"event": event, "target": chance.choice(truth["flows"])["id"]})
        else:
            number = chance.randrange(SIZE)
            control.ask("/events", {"event": event, "target": f"user{number}@contoso.example"})


def graded(watched: Mapping[str, Watched], end: datetime) -> dict[str, Counter[str]]:
    """Per cause: hits, missed, false alarms; leads and widths are summed in hours."""
    table: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in watched.values():
        cause, broke = one.cause, one.broke_at
        if broke is not None and one.said and broke > one.said[0][0] + IN_TIME:
            stood = one.standing(broke - IN_TIME).get(cause)
            if stood is not None and stood[0] - timedelta(minutes=1) <= broke <= stood[1] + timedelta(
                minutes=1
            ):
                first = next(when for when, horizons in one.said if cause in horizons)
                table[cause]["hit"] += 1
                table[cause]["lead"] += int((broke - first) / timedelta(hours=1))
                table[cause]["width"] += int((stood[1] - stood[0]) / timedelta(minutes=1))
            else:
                table[cause]["missed"] += 1
        for when, horizons in one.said:
            if broke is not None and when >= broke:
                break
            for said, (_, latest) in horizons.items():
                # Only the last word before the date counts, if it stood for a week.
                if (
                    latest > end
                    or latest - when < IN_TIME
                    or one.standing(latest - IN_TIME).get(said, ("", ""))[1] != latest
                ):
                    continue
                if when == next(w for w, h in one.said if h.get(said, ("", ""))[1] == latest):
                    right = broke is not None and broke <= latest + MINUTE
                    table[said]["alarm"] += 1
                    table[said]["false alarm"] += not right
    return table


def explain_all(watched: Mapping[str, Watched], kinds: Mapping[str, str]) -> None:
    """What was said of each connection, where it changed, and what came."""
    for id, one in watched.items():
        before = None
        print(f"{id[:8]} {kinds.get(id)}: {one.cause or 'lives'} {one.broke_at or ''}")
        for when, horizons in one.said:
            if horizons != before:
                print(
                    f"    {when:%Y-%m-%d} {[(c, f'{a:%Y-%m-%d %H:%M}', f'{b:%H:%M}') for c, (a, b) in horizons.items()]}"
                )
            before = horizons


def main() -> None:
    kinds: dict[str, str] = {}
    scenarios.SCENARIOS["bench"] = tenant_of(kinds)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name, embedded("bench", seed=SEED, frozen=True) as ready:
        control = Control(ready)
        control.ask("/faults", {"unkind": False})
        watched = asyncio.run(two_years(ready, Path(name), control))
        end = datetime.fromisoformat(control.ask("/clock")["now"])
    table = graded(watched, end)
    print(
        f"{SIZE} connections, {DAYS} days, a scan every {STEP} days, seed {SEED}, {time.perf_counter() - began:.0f} s"
    )
    print(
        f"  {'cause':28} {'broke':>6} {'said':>6} {'recall':>7} {'alarms':>7} {'wrong':>6} {'precision':>9} {'lead':>8} {'width':>8}"
    )
    for cause, found in sorted(table.items(), key=lambda row: -row[1]["hit"] - row[1]["missed"]):
        broke = found["hit"] + found["missed"]
        recall = f"{found['hit'] / broke:.1%}" if broke else ""
        precision = f"{1 - found['false alarm'] / found['alarm']:.1%}" if found["alarm"] else ""
        lead = f"{found['lead'] / found['hit'] / 24:.0f} d" if found["hit"] else ""
        width = f"{found['width'] / found['hit']:.0f} min" if found["hit"] else ""
        note = "" if cause in FORESEEABLE else "  (a surprise)"
        print(
            f"  {cause:28} {broke:6} {found['hit']:6} {recall:>7} {found['alarm']:7} {found['false alarm']:6} {precision:>9} {lead:>8} {width:>8}{note}"
        )
    misses = Counter(
        (kinds.get(id, "?"), one.cause)
        for id, one in watched.items()
        if one.cause in FORESEEABLE
        and one.broke_at
        and one.broke_at > one.said[0][0] + IN_TIME
        and one.cause not in one.standing(one.broke_at - IN_TIME)
    )
    for (kind, cause), count in misses.most_common():
        print(f"  not said: {count} x {cause} of kind {kind!r}")
    if os.environ.get("HOLDFAST_BENCH_WHY"):
        explain_all(watched, kinds)
    unsaid = sum(bool(one.unknown) for one in watched.values())
    print(f"  said to be unknown at some time: {unsaid} of {len(watched)} connections")


if __name__ == "__main__":
    main()
