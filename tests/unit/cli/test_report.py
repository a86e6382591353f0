"""The report opens without a network and shows strangers' names as text."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from holdfast.cli.chart import LABEL_WIDTH, Bar, chart
from holdfast.cli.report import Case, Report, render, write
from tests.nasty import NASTY

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)

names = pytest.mark.parametrize("name", NASTY.values(), ids=NASTY.keys())


def a_report(name: str) -> Report:
    return Report(
        tenant=name,
        as_of=NOW,
        rows=[
            {
                "name": name,
                "environment": name,
                "sign_in": "user",
                "owner": name,
                "state": "broken",
                "cause": None,
                "next_action": name,
            }
        ],
        cases=[Case(name, name, "broken", name, name, [name], [(name, name, name)])],
        bars=[a_bar(name)],
        completeness=name,
        story=[(NOW, name)],
    )


def a_bar(name: str, begins: int = 10) -> Bar:
    start = NOW + timedelta(days=begins)
    return Bar(name, "expected", start, start + timedelta(days=1), start + timedelta(days=2), name)


class Seen(HTMLParser):
    """Which tags and attributes a browser would find."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def seen(page: str) -> Seen:
    parser = Seen()
    parser.feed(page)
    return parser


@names
def test_a_name_adds_no_tag(name):
    assert seen(render(a_report(name))).tags <= seen(render(a_report("plain"))).tags


@names
def test_a_name_adds_no_attribute(name):
    assert seen(render(a_report(name))).attributes <= seen(render(a_report("plain"))).attributes


def test_the_page_asks_the_network_for_nothing():
    page = render(a_report("plain"))

    assert re.findall(r'(?:src|href)="', page) == []
    assert re.findall(r"url\(|@import", page) == []


def test_the_file_appears_whole(tmp_path):
    target = tmp_path / "report.html"

    write(a_report("plain"), target)

    assert target.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert list(tmp_path.iterdir()) == [target]


def test_a_bar_beyond_the_chart_is_left_out():
    assert chart([a_bar("far", begins=400)], NOW) == ""


def test_a_horizon_already_past_stands_at_today():
    assert f'x="{float(LABEL_WIDTH)}"' in chart([a_bar("late", begins=-30)], NOW)
