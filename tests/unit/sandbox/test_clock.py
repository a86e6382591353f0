from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from holdfast.sandbox.clock import Clock

START = datetime(2026, 3, 1, tzinfo=UTC)


class Ticks:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_the_clock_runs_with_real_time():
    ticks = Ticks()
    clock = Clock(START, ticks=ticks)
    ticks.seconds += 7.5
    assert clock.now() == START + timedelta(seconds=7.5)


def test_a_frozen_clock_stands_still_until_it_is_advanced():
    ticks = Ticks()
    clock = Clock(START, frozen=True, ticks=ticks)
    ticks.seconds += 7.5
    assert clock.now() == START
    assert clock.advance(timedelta(days=90)) == START + timedelta(days=90)
    assert clock.now() == START + timedelta(days=90)


def test_the_clock_never_goes_back_when_the_machine_does():
    ticks = Ticks()
    clock = Clock(START, ticks=ticks)
    ticks.seconds += 60
    before = clock.now()
    ticks.seconds -= 30
    assert clock.now() == before
    ticks.seconds += 1
    assert clock.now() == before + timedelta(seconds=1)


@pytest.mark.parametrize("by", [timedelta(seconds=-1), timedelta(days=100_000)])
def test_an_impossible_jump_is_refused_and_leaves_the_time(by):
    clock = Clock(START, frozen=True)
    with pytest.raises(ValueError, match="the clock"):
        clock.advance(by)
    assert clock.now() == START
