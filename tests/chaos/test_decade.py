"""A part of the years that `make chaos` lives through."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.chaos.decade import lived
from tests.chaos.rotations import undisturbed

SEED = secrets.randbits(32)


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    with undisturbed():
        yield


@pytest.mark.slow
@pytest.mark.parametrize("automatic", [True, False], ids=["watch renews", "a person renews late"])
async def test_no_secret_comes_near_its_end_without_an_alert_that_names_it(automatic: bool):
    life = await lived(0.4, SEED, automatic=automatic)

    assert life.unwarned == [], f"seed {SEED}"
    assert life.counts["alerts"] > 0
    if automatic:
        assert life.counts["rotations"] >= 1
        assert life.trial.failures() == 0, f"seed {SEED}: a query met a secret that had ended"
