"""When to ask again, and for how long: the one layer of retries."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import stamina
import stamina.instrumentation

from holdfast.core.errors import CloudError
from holdfast.wire.ledger import Call

T = TypeVar("T")

ATTEMPTS: Final = 8
ATTEMPTS_TO_CONNECT: Final = 3
LONGEST_WAIT: Final = 180.0  # seconds that one call may spend on `Retry-After` in all

# The library would write to whatever structlog writes to by default, which is standard output.
stamina.instrumentation.set_on_retry_hooks([])


class Again(Exception):  # noqa: N818 - a request to try again, never seen outside this package
    """An answer, or none, that a later identical request may better.

    Attributes:
        error: what to raise when patience ends.
        wait: seconds that the answer asked for; None leaves it to the usual back-off.
        unconnected: not even a connection came about.
        undone: it is certain that nothing was done, so that even what must not be repeated may be sent again.
    """

    def __init__(
        self, error: CloudError, wait: float | None = None, *, unconnected: bool = False, undone: bool = False
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait
        self.unconnected = unconnected
        self.undone = undone


async def patiently(call: Call, deed: Callable[[], Awaitable[T]], on_repeat: Callable[[float], None]) -> T:
    """What `deed` gives, tried again while it raises `Again` and the ledger says that repeating is harmless.

    Args:
        on_repeat: called before each repetition with the seconds since the try before it ended.

    Raises:
        CloudError: patience ended, or repeating is not harmless.
    """
    waited = 0.0
    unconnected = 0
    now = asyncio.get_running_loop().time
    ended = now()

    def wait_for(error: Exception) -> bool | float:
        nonlocal waited, unconnected
        if not isinstance(error, Again) or not (call.is_idempotent or error.undone):
            return False
        unconnected += error.unconnected
        if unconnected >= ATTEMPTS_TO_CONNECT:
            return False
        if error.wait is None:
            return True
        waited += error.wait
        return error.wait if waited <= LONGEST_WAIT else False

    try:
        async for attempt in stamina.retry_context(
            on=wait_for, attempts=ATTEMPTS, timeout=None, wait_initial=0.5, wait_max=20.0, wait_jitter=1.0
        ):
            if attempt.num > 1:
                on_repeat(now() - ended)
            with attempt:
                try:
                    return await deed()
                finally:
                    ended = now()
    except Again as last:
        raise last.error from None
    raise AssertionError("the loop above returns or raises")
