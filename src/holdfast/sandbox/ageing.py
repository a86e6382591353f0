"""What time does to the world (pure): one agenda of due things, walked in order.

Nothing in the sandbox runs by a timer. Before any call is answered the world is settled: everything that became
due since `World.settled_at` happens, each thing at its own instant, in an order that depends on the seed and the
clock only. A jump of the clock is the same walk, only longer.

To add something that happens by itself, write a `Source` and name it in a part's ``PART``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from holdfast.sandbox.world import World


class Due(NamedTuple):
    """Something that happens by itself.

    Attributes:
        key: orders what is due at the same instant, the same way every time.
        deed: changes the world; called with the world and `at`. Its source must then name a later thing.
    """

    at: datetime
    key: str
    deed: Callable[[World, datetime], None]


Source = Callable[[World], Due | None]
"""The earliest thing of its kind that is still to happen; None if nothing is."""

LOG_RETENTION = timedelta(
    days=30
)  # sign-in and audit logs, P1/P2: entra-docs reference-reports-data-retention


def settle(world: World, until: datetime, sources: Sequence[Source]) -> None:
    """Let everything happen that is due at or before `until`; does nothing for an instant already settled."""
    if until < world.settled_at:
        return
    while due := _first(world, until, sources):
        world.settled_at = max(world.settled_at, due.at)
        due.deed(world, world.settled_at)
    world.settled_at = until


def _first(world: World, until: datetime, sources: Sequence[Source]) -> Due | None:
    dues = [due for source in sources if (due := source(world)) is not None and due.at <= until]
    return min(dues, key=lambda due: (due.at, due.key), default=None)
