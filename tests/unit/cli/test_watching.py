"""Signals stop a loop with grace, and mean what they meant before once it is over."""

from __future__ import annotations

import asyncio
import signal

import pytest

from holdfast.cli.watching import Signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_the_loop(number: signal.Signals):
    with Signals().listening() as signals:
        signal.raise_signal(number)
        await asyncio.wait_for(signals.stop.wait(), 5)

    assert signals.interrupted == (number == signal.SIGINT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_afterwards_the_handlers_are_as_they_were(number: signal.Signals):
    before = signal.getsignal(number)

    with Signals().listening():
        assert signal.getsignal(number) != before
        signal.raise_signal(number)
        await asyncio.sleep(0)

    assert signal.getsignal(number) == before
