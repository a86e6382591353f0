"""What is wrong with keep-alive flows is told once, and is over when a run proves it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.compose import Holdfast, compose
from holdfast.compose.alerting import tell_of_keepalive
from holdfast.keepalive.watch import Finding
from holdfast.settings import load

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def holdfast(tmp_path: Path) -> Iterator[Holdfast]:
    file = tmp_path / "holdfast.toml"
    id = "11111111-1111-1111-1111-111111111111"
    file.write_text(f'[tenants.c]\ntenant_id = "{id}"\n[tenants.c.reader]\nmanaged_identity = true\n')
    with compose(load(file, {"HOLDFAST_STATE_DIR": str(tmp_path / "state")}), {}) as opened:
        yield opened


def seen(problem: str = "", saga: str = "p-1", proven: datetime | None = None) -> Finding:
    return Finding("p", saga, "f", f"connection of {saga}", "e", problem, "It is off.", proven)


async def told(holdfast: Holdfast, day: int, *found: Finding) -> list[str]:
    """Topics of what a look on that day adds to the outbox."""
    tenant = holdfast.tenants["c"]
    before = await holdfast.outbox.threads(tenant.id)
    number = await tell_of_keepalive(holdfast, tenant, found, START + timedelta(days=day))
    after = await holdfast.outbox.threads(tenant.id)
    changed = [
        "over" if each.recovered_at else "open" for key, each in after.items() if each != before.get(key)
    ]
    assert number == len(changed)
    return changed


async def test_what_still_stands_at_the_next_look_is_not_told_again(holdfast):
    assert await told(holdfast, 0, seen("flow_off")) == ["open"]
    assert await told(holdfast, 1, seen("flow_off")) == []


async def test_a_flow_that_is_on_again_is_over_with_its_first_proof(holdfast):
    await told(holdfast, 0, seen("flow_off"))

    assert await told(holdfast, 1, seen(proven=START - timedelta(days=3))) == []
    assert await told(holdfast, 8, seen(proven=START + timedelta(days=7))) == ["over"]


async def test_a_look_at_other_flows_ends_nothing(holdfast):
    await told(holdfast, 0, seen("flow_off"))

    assert await told(holdfast, 8, seen(saga="p-2", proven=START + timedelta(days=7))) == []
