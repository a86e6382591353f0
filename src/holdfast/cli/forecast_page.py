"""The forecast as one HTML file: a chart with time to the right, and what has no date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from holdfast import __version__
from holdfast.cli.chart import Bar, chart
from holdfast.cli.looking import said_of
from holdfast.cli.report import templates
from holdfast.cli.times import day

if TYPE_CHECKING:
    from holdfast.core.horizon import Horizon
    from holdfast.core.inventory import Connection
    from holdfast.scan.standing import Picture

AHEAD: Final = timedelta(days=180)
"""How far the chart reaches where nothing else is asked."""

USED_LATELY: Final = timedelta(days=60)
"""What has so long to live if nobody uses it was used a short while ago, as most are: it would bury the rest."""

MOST_BARS: Final = 200


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One horizon of one connection.

    Attributes:
        runs: scheduled runs a week that stop with it; None where none has a schedule.
    """

    connection: Connection
    horizon: Horizon
    seen: Picture
    runs: float | None


def page(foreseen: Sequence[Foreseen], pictures: Sequence[Picture], within: timedelta | None) -> str:
    """The page as text; names are escaped, and nothing in it asks the network for anything."""
    now, ahead = max(each.now for each in pictures), within or AHEAD
    dated = [each for each in foreseen if each.horizon.earliest and each.horizon.earliest <= now + ahead]
    near = sorted((each for each in dated if not _was_used_lately(each)), key=_rank)
    shown = near[:MOST_BARS]
    bars = [_bar(each) for each in shown]
    rendered: str = (
        templates()
        .get_template("forecast.html")
        .render(
            names=", ".join(each.name for each in pictures),
            as_of=now,
            completeness=" ".join(sentence for each in pictures for sentence in said_of(each)),
            chart=_markup(chart(bars, now, max(1, ahead.days))),
            days=ahead.days,
            left_out=len(near) - len(shown),
            lately=len(dated) - len(near),
            expected=sum(each.horizon.condition == "expected" for each in near),
            unknown=_unknown(foreseen),
            version=__version__,
        )
    )
    return rendered


def _was_used_lately(each: Foreseen) -> bool:
    at = each.horizon.earliest
    return each.horizon.condition == "if_unused" and at is not None and at > each.seen.now + USED_LATELY


def _rank(each: Foreseen) -> tuple[bool, Any, str]:
    return each.horizon.condition != "expected", each.horizon.earliest, each.connection.display_name


def _bar(each: Foreseen) -> Bar:
    horizon = each.horizon
    assert horizon.earliest is not None
    assert horizon.likely is not None
    assert horizon.latest is not None
    lost = f" · {each.runs:g} runs/week" if each.runs else ""
    return Bar(
        each.connection.display_name,
        horizon.condition.value,
        horizon.earliest,
        horizon.likely,
        horizon.latest,
        f"{day(horizon.earliest)} {horizon.cause.replace('_', ' ')}{lost}",
    )


def _unknown(foreseen: Iterable[Foreseen]) -> list[tuple[str, str, int]]:
    """Cause, what would tell, and of how many connections; those of most first."""
    found = Counter(
        (each.horizon.cause.replace("_", " "), " ".join(each.horizon.assumptions[:2]))
        for each in foreseen
        if each.horizon.earliest is None
    )
    return [(cause, because, count) for (cause, because), count in found.most_common(40)]


def _markup(svg: str) -> Any:
    from markupsafe import Markup

    return Markup(svg)  # made by chart(), which escapes every name
