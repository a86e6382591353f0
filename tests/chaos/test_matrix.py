"""A sample of the causes' matrix; `make chaos` tries all of it."""

from __future__ import annotations

import random
import secrets

import pytest

from tests.chaos.matrix import ALONE, pairs, tried, tried_alone

SEED = secrets.randbits(32)
SAMPLE = 40


@pytest.mark.slow
async def test_two_events_in_a_row_are_told_as_they_are():
    cases = random.Random(SEED).sample(list(pairs()), SAMPLE)

    wrong = {case: right for case in cases if (right := await tried(case)) is not None and right.wrong}

    assert wrong == {}, f"seed {SEED}"


@pytest.mark.slow
@pytest.mark.parametrize("one", ALONE, ids=lambda one: one.event)
async def test_an_event_alone_is_told_as_it_is(one):
    right = await tried_alone(one)

    assert right.wrong == "", right
