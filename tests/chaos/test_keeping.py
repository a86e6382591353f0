"""A seeded part of the two years that `python -m tests.chaos.keeping` lives through."""

from __future__ import annotations

import pytest

from tests.chaos.keeping import Life, Shape

SHORT = Shape(owners=5, days=130, look=14, down=40)


@pytest.mark.parametrize(
    "flipped",
    [
        "",
        "connection_keeps_its_access_token",
        "a_share_is_enough_to_activate",
    ],
)
async def test_no_connection_goes_idle_while_its_flow_is_on(flipped: str):
    told = await Life(SHORT._replace(flipped=flipped)).lived()

    assert told.proofs > 0
    assert told.failed > 0
    assert (told.idle, told.false_proofs, told.saved) == ([], [], [])


async def test_flows_that_were_switched_off_while_holdfast_was_down_are_told_at_its_return():
    told = await Life(SHORT._replace(seed=3, owners=11, days=80)).lived()

    assert told.stopped > 0
    assert told.late == []


async def test_a_keep_alive_that_never_gets_through_saves_nobody():
    told = await Life(SHORT._replace(failing=1.0, down=None)).lived()

    assert told.idle
    assert told.false_proofs == []
