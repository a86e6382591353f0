"""One HTML file that opens anywhere and prints well: what is broken, what breaks next, what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from holdfast import __version__
from holdfast.cli.chart import Bar, chart
from holdfast.cli.render import clean

STATES = ("broken", "at_risk", "unknown", "ok")
WORDS = {"broken": "broken", "at_risk": "at risk", "unknown": "unknown", "ok": "fine"}


@dataclass(frozen=True, slots=True)
class Case:
    """One connection that needs attention, as the report tells it.

    Attributes:
        quotes: pieces of observed text, as evidence.
        remedies: (who, what, command or "") in order.
    """

    name: str
    environment: str
    state: str
    headline: str
    because: str
    quotes: Sequence[str]
    remedies: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Report:
    """All that goes into the file. Times are aware UTC.

    Attributes:
        rows: one mapping per connection with name, environment, sign_in, owner, state, cause, next_action.
        story: (instant, sentence) of what happened, for the demo; empty otherwise.
        completeness: one sentence on what the scan could not see.
    """

    tenant: str
    as_of: datetime
    rows: Sequence[Mapping[str, Any]]
    cases: Sequence[Case]
    bars: Sequence[Bar]
    completeness: str = ""
    story: Sequence[tuple[datetime, str]] = ()


def render(report: Report) -> str:
    """The whole page as text; names are escaped, and nothing in it asks the network for anything."""
    counts = Counter(str(row["state"]) for row in report.rows)
    page: str = (
        templates()
        .get_template("report.html")
        .render(
            report=report,
            counts=[(state, WORDS[state], counts.get(state, 0)) for state in STATES],
            words=WORDS,
            chart=_markup(chart(report.bars, report.as_of)),
            version=__version__,
        )
    )
    return page


def templates() -> Any:
    """Where pages are made: every value is escaped, and cleaned of what a reader would obey."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader("holdfast.cli"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    found.finalize = _cleaned
    return found


def write(report: Report, path: Path) -> None:
    """Write the page; an existing file is replaced whole."""
    temporary = path.with_suffix(path.suffix + ".part")
    temporary.write_text(render(report), encoding="utf-8")
    temporary.replace(path)


def _cleaned(value: Any) -> Any:
    # Markup is our own SVG, escaped where it was made.
    return clean(value) if type(value) is str else value


def _markup(svg: str) -> Any:
    from markupsafe import Markup

    return Markup(svg)  # made by chart(), which escapes every name
