"""Horizons as a chart: time to the right, connections as bars with their uncertainty. SVG as text, pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

from holdfast.cli.render import clean

LABEL_WIDTH = 290
PLOT_WIDTH = 650
NOTE_WIDTH = 280
ROW = 26
TOP = 34
WIDTH = LABEL_WIDTH + PLOT_WIDTH + NOTE_WIDTH


@dataclass(frozen=True, slots=True)
class Bar:
    """One connection and cause on the chart.

    Attributes:
        condition: "expected", "if_unused" or "if_enforced"; chooses the look.
        note: what stands to the right of the plot.
    """

    label: str
    condition: str
    earliest: datetime
    likely: datetime
    latest: datetime
    note: str = ""


def chart(bars: Sequence[Bar], now: datetime, days: int = 120) -> str:
    """The chart as an SVG element; bars that begin after `days` are left out, empty when none is left."""
    end = now + timedelta(days=days)
    shown = [bar for bar in bars if bar.earliest <= end]
    if not shown:
        return ""
    height = TOP + ROW * len(shown) + 12
    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" xmlns="http://www.w3.org/2000/svg">',
        f"<title>When each connection can break, {now:%d %B %Y} to {end:%d %B %Y}</title>",
        *_months(now, days, height),
        *(part for row, bar in enumerate(shown) for part in _bar(bar, row, now, days)),
        f'<line class="now" x1="{LABEL_WIDTH}" y1="{TOP - 14}" x2="{LABEL_WIDTH}" y2="{height - 8}"/>',
        f'<text class="nowtext" x="{LABEL_WIDTH}" y="{TOP - 18}" text-anchor="middle">today</text>',
        "</svg>",
    ]
    return "\n".join(parts)


def _x(instant: datetime, now: datetime, days: int) -> float:
    share = (instant - now) / timedelta(days=days)
    return round(LABEL_WIDTH + PLOT_WIDTH * min(max(share, 0.0), 1.0), 1)


def _months(now: datetime, days: int, height: int) -> list[str]:
    parts = []
    first = (now.replace(day=1) + timedelta(days=32)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    while first <= now + timedelta(days=days):
        x = _x(first, now, days)
        parts.append(f'<line class="grid" x1="{x}" y1="{TOP - 14}" x2="{x}" y2="{height - 8}"/>')
        if x - LABEL_WIDTH > 40:
            parts.append(
                f'<text class="month" x="{x}" y="{TOP - 18}" text-anchor="middle">1 {first:%b}</text>'
            )
        first = (first + timedelta(days=32)).replace(day=1)
    return parts


def _bar(bar: Bar, row: int, now: datetime, days: int) -> list[str]:
    y = TOP + ROW * row
    left, middle, right = (_x(at, now, days) for at in (bar.earliest, bar.likely, bar.latest))
    label = clean(bar.label)
    short = label if len(label) <= 36 else label[:35] + "…"
    kind = bar.condition.replace("_", "-")
    # On a bar that is hardly wider than the dot there is nothing to point out.
    dot = f'<circle class="likely" cx="{middle}" cy="{y + 11}" r="2.4"/>' if right - left > 9 else ""
    return [
        f'<text class="label" x="{LABEL_WIDTH - 10}" y="{y + 15}" text-anchor="end">'
        f"{escape(short)}<title>{escape(label)}</title></text>",
        f'<line class="safe" x1="{LABEL_WIDTH}" y1="{y + 11}" x2="{left}" y2="{y + 11}"/>',
        f'<rect class="bar {escape(kind)}" x="{left}" y="{y + 4}" width="{max(right - left, 5.0):.1f}" height="14" rx="3">'
        f"<title>{escape(label)}: {bar.earliest:%d %b %Y %H:%M} to {bar.latest:%d %b %Y %H:%M} UTC</title></rect>",
        dot,
        f'<text class="note" x="{LABEL_WIDTH + PLOT_WIDTH + 12}" y="{y + 15}">{escape(clean(bar.note))}</text>',
    ]
