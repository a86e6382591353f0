"""A calendar that calendars can read."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.cli.icalendar import Event, calendar
from tests.builders import START, day


def unfolded(text: str) -> list[str]:
    return text.replace("\r\n ", "").split("\r\n")


def test_an_event_stands_on_the_day_of_the_break():
    lines = unfolded(calendar([Event("c1/secret_expired", day(9), "ERP breaks", "Its secret ends.")], START))

    assert "DTSTART;VALUE=DATE:20260311" in lines
    assert "SUMMARY:ERP breaks" in lines


def test_a_break_that_moves_stays_the_same_event():
    def uid(at):
        return [
            line for line in unfolded(calendar([Event("k", at, "s", "d")], START)) if line.startswith("UID")
        ]

    assert uid(day(9)) == uid(day(12))


def test_names_of_strangers_are_text_and_nothing_else():
    hostile = "a\r\nEND:VEVENT\r\nBEGIN:VALARM;x,y\\z\x1b[31m"

    lines = unfolded(calendar([Event("k", day(1), hostile, hostile)], START))

    assert lines.count("END:VEVENT") == 1
    assert not any("\x1b" in line for line in lines)


@given(st.text(max_size=200))
def test_no_line_is_longer_than_the_format_allows(text):
    for line in calendar([Event("k", START, text, text)], START).encode().split(b"\r\n"):
        assert len(line) <= 75
        line.decode()
