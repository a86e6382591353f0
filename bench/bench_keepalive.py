"""Keep-alive planned for 200,000 connections, 25 to an owner and environment, and the watch over what was deployed.

All of it pure: eligibility, plan, file with its digest, and findings for each connection from one run and one witness.
HOLDFAST_BENCH_CONNECTIONS changes the size. A process of its own per part, so that its memory is its own.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.core.plan import Plan
    from holdfast.keepalive.eligibility import Case

CONNECTIONS = int(os.environ.get("HOLDFAST_BENCH_CONNECTIONS", "200000"))
PER_OWNER = 25
PLACES = 400
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def main() -> None:
    for part in PARTS:
        done = subprocess.run(
            [sys.executable, "-m", "bench.bench_keepalive", part], capture_output=True, text=True, check=True
        )
        print(json.loads(done.stdout.splitlines()[-1]), flush=True)


def _cases() -> Iterator[Case]:
    from holdfast.core.directory import Account
    from holdfast.core.horizon import Interval
    from holdfast.core.identity import Owner
    from holdfast.core.inventory import (
        Connection,
        ConnectionId,
        ConnectorId,
        Environment,
        EnvironmentId,
        SignIn,
    )
    from holdfast.core.judgement import Judgement
    from holdfast.core.witness import Source, Witness
    from holdfast.keepalive.eligibility import Case, Target

    sql = ConnectorId("shared_sql")
    places = [
        Environment(EnvironmentId(f"e{n}"), f"Place {n}", dataverse_url=f"https://org{n}.example")
        for n in range(PLACES)
    ]
    target = Target("sql.example", "erp")
    for number in range(CONNECTIONS):
        group = number // PER_OWNER
        place, owner = places[group % PLACES], Owner(f"o{group}", f"Owner {group}")
        used = NOW - timedelta(days=number % 80)
        id = ConnectionId(f"{number:032x}")
        witness = Witness(Source.EXPIRY, Interval(used, used), "")
        yield Case(
            Connection(id, place.id, sql, f"Connection {number}", SignIn.USER, "Connected", owner=owner),
            place,
            NOW,
            Judgement(place.id, sql, id, witnesses=(witness,)),
            (),
            True,
            Account(owner.id, f"o{group}@contoso.example", f"Owner {group}", is_enabled=True),
            True,
            (),
            (),
            target,
            owner_is_user=True,
            is_shared=number % 2 == 0,
        )


def _plan(cases: Sequence[Case]) -> Plan:
    from holdfast.keepalive.plan import Cadence, Choices, plan_keepalive

    choices = Choices("p1", "t", "Contoso", NOW, Cadence.WEEKLY, 0.3, "op", "holdfast-operator")
    return plan_keepalive(cases, choices)


def planning() -> dict[str, object]:
    cases = list(_cases())
    began = time.perf_counter()
    plan = _plan(cases)
    took = time.perf_counter() - began
    flows = sum(step.name == "flow" for step in plan.steps)
    return {
        "flows": flows,
        "steps": len(plan.steps),
        "plans/s": round(len(cases) / took),
        "s": round(took, 1),
    }


def written() -> dict[str, object]:
    from holdfast.core.plan import plan_text, read_plan

    plan = _plan(list(_cases()))
    began = time.perf_counter()
    text = plan_text(plan)
    put = time.perf_counter()
    read_plan(text)
    return {
        "MB": round(len(text) / 1e6),
        "write s": round(put - began, 1),
        "read s": round(time.perf_counter() - put, 1),
    }


def watched() -> dict[str, object]:
    from holdfast.core.horizon import Interval
    from holdfast.core.inventory import EnvironmentId, FlowId, FlowRun
    from holdfast.core.making import FlowRow
    from holdfast.keepalive.watch import Looked, findings

    plan = _plan(list(_cases()))
    steps = [step for step in plan.steps if step.name == "flow"]
    proven = found = 0
    began = time.perf_counter()
    for step in steps:
        ran = datetime.fromisoformat(step.arguments["start_at"])
        row = FlowRow(FlowId("f"), EnvironmentId("e"), "holdfast/p1-1", True, False, False, "u", "", None)
        run = FlowRun("r", row.id, "Succeeded", ran, ran + timedelta(minutes=1))
        refreshed = {each["connection"]: Interval(ran, ran) for each in step.arguments["branches"]}
        looked = Looked(row, (run,), refreshed, ran + timedelta(hours=5), NOW)
        told = findings("p1", step, "f", looked, ran + timedelta(hours=6))
        found += len(told)
        proven += sum(each.proven_at is not None for each in told)
    took = time.perf_counter() - began
    return {"connections": found, "proven": proven, "checks/s": round(found / took), "s": round(took, 1)}


PARTS: dict[str, Callable[[], dict[str, object]]] = {
    "planning": planning,
    "written": written,
    "watched": watched,
}

if __name__ == "__main__":
    part = sys.argv[1]
    figures = PARTS[part]()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"part": part, **figures, "peak RSS MB": round(peak)}))
