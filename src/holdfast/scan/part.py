"""One part of a scan: read from the cloud page by page, into history page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

from holdfast.core.coverage import News, Outcome, ScanId, Sweep
from holdfast.core.errors import CloudError, MissingError, RefusedError, ThrottledError, UnreachableError
from holdfast.ports import Clock, History, Thing

PAGE = 1000
"""Things that are written down together: one transaction, and what is held in memory."""

T = TypeVar("T", bound=Thing)
S = TypeVar("S", bound=Thing, contravariant=True)


class CloudClock(Protocol):
    """Whatever has seen the cloud's time."""

    def cloud_now(self) -> datetime | None:
        """By the last answer."""
        ...


@dataclass
class CloudTime:
    """The cloud's time, kept between its answers by our own clock.

    Attributes:
        skew: the cloud's clock minus ours.
    """

    clock: Clock
    cloud: CloudClock
    skew: timedelta = timedelta(0)
    _measured: bool = field(default=False, repr=False)

    def now(self) -> datetime:
        """Aware, UTC."""
        return self.clock.now() + self.skew

    def measure(self) -> None:
        """Compare the clocks, right after an answer came.

        An answer may have lain a while before we look, and its date has whole seconds: both make the cloud
        look slow, so the largest difference seen is the truest.
        """
        there = self.cloud.cloud_now()
        if there is not None:
            found = there - self.clock.now()
            self.skew = max(self.skew, found) if self._measured else found
            self._measured = True


@dataclass(frozen=True, slots=True)
class Part:
    """What to read, and how it is kept.

    Attributes:
        environment: its id; "" for what belongs to the whole tenant.
        kind: of the things that it consists of.
        under: how their keys begin.
    """

    environment: str
    name: str
    kind: type[Thing]
    under: str = ""


NOTHING: Final = News()


@dataclass(frozen=True, slots=True)
class Counts:
    """What a part brought: how many were seen, and what of it was new."""

    seen: int = 0
    news: News = NOTHING

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.seen + other.seen, self.news.plus(other.news))


class Judge(Protocol[S]):
    """Draws conclusions from a page of things, to be kept beside them."""

    async def __call__(self, page: Sequence[S], at: datetime) -> Sequence[Thing]:
        """The conclusions."""
        ...


async def read_part(
    part: Part,
    source: AsyncIterator[T],
    key_of: Callable[[T], str],
    history: History,
    scan: ScanId,
    time: CloudTime,
    judge: Judge[T] | None = None,
) -> tuple[Sweep, Counts]:
    """Read it to its end or to where it breaks off; refusals and failures of the cloud are an outcome.

    Args:
        judge: what to conclude from each page, to be kept with it.

    Raises:
        StoreError: history could not be written.
    """
    started = time.now()
    present: set[str] = set()
    page: list[T] = []
    news = News()
    outcome, detail = Outcome.SCANNED, ""
    try:
        async for thing in source:
            page.append(thing)
            present.add(key_of(thing))
            if len(page) == PAGE:
                time.measure()
                news = news.plus(await history.observe(scan, time.now(), await _judged(page, judge, time)))
                page.clear()
        time.measure()
    except CloudError as error:
        outcome, detail = outcome_of(error, saw_some=bool(present)), str(error)
    last = await _judged(page, judge, time)
    sweep = Sweep(part.environment, part.name, outcome, started, time.now(), len(present), detail)
    whole = part.kind if outcome is Outcome.SCANNED else None
    # The last page and the conclusion are one write: most parts have one page, or none.
    news = news.plus(await history.conclude(scan, sweep, whole, present, part.under, last))
    return sweep, Counts(len(present), news)


async def _judged(page: list[T], judge: Judge[T] | None, time: CloudTime) -> Sequence[Thing]:
    """The page, and what is concluded from it."""
    return [*page, *await judge(page, time.now())] if page and judge else list(page)


def outcome_of(error: CloudError, *, saw_some: bool) -> Outcome:
    """What a failure of the cloud means for the part that it broke off."""
    if saw_some:
        return Outcome.PARTIAL
    match error:
        case RefusedError():
            return Outcome.DENIED
        case MissingError():
            return Outcome.MISSING
        case UnreachableError() | ThrottledError():
            return Outcome.TIMED_OUT
        case _:
            return Outcome.PARTIAL
