"""One thread per problem: told once, told again seldom, over only on proof."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from holdfast.alerts.threads import QUIET_AFTER, Told, tell
from holdfast.core.alert import Problem, Thread, Topic
from tests.builders import day

BROKEN = Problem("c1/session_revoked", Topic.BROKEN, day(0), ("c1",), "Revoked", "Why", "Sign in again")
RISK = replace(BROKEN, topic=Topic.AT_RISK)


class Post:
    """Threads as they are kept from look to look."""

    def __init__(self) -> None:
        self.threads: dict[str, Thread] = {}
        self.sent: list[str] = []
        self.ids: list[str] = []

    def look(self, at: datetime, *problems: Problem, proven: tuple[str, ...] = ()) -> Told:
        told = tell("contoso", problems, self.threads, proven, at)
        self.threads |= {thread.key: thread for thread in told.threads}
        self.sent += [event.topic.value for event in told.events]
        self.ids += [event.id for event in told.events]
        return told


def test_a_problem_is_told_once():
    post = Post()

    for hours in range(48):
        post.look(day(1) + timedelta(hours=hours), BROKEN)

    assert post.sent == ["connection.broken"]


def test_it_is_told_again_after_a_week():
    post = Post()

    post.look(day(1), BROKEN)
    post.look(day(1) + QUIET_AFTER, BROKEN)

    assert post.sent == ["connection.broken"] * 2
    assert len(set(post.ids)) == 2


def test_the_second_event_names_the_first():
    post = Post()

    [first] = post.look(day(1), BROKEN).events
    [second] = post.look(day(9), BROKEN).events

    assert (first.thread, second.thread) == (first.id, first.id)


def test_the_same_look_twice_gives_the_same_id():
    """A crash between the look and the note repeats the look: the receiver can tell."""
    [first] = Post().look(day(1), BROKEN).events
    [again] = Post().look(day(2), BROKEN).events

    assert first.id == again.id


def test_it_recovers_on_proof_only():
    post = Post()
    post.look(day(1), BROKEN)

    post.look(day(2))
    assert post.sent == ["connection.broken"]

    post.look(day(3), proven=("c1",))
    assert post.sent == ["connection.broken", "connection.recovered"]


def test_a_recovery_is_told_once():
    post = Post()
    post.look(day(1), BROKEN)

    for number in range(2, 9):
        post.look(day(number), proven=("c1",))

    assert post.sent.count("connection.recovered") == 1


def test_one_that_flaps_is_not_told_each_time():
    post = Post()

    for hours in range(24):
        at = day(1) + timedelta(hours=hours)
        post.look(at, BROKEN) if hours % 2 == 0 else post.look(at, proven=("c1",))

    assert post.sent.count("connection.broken") <= 3


def test_what_was_at_risk_and_broke_is_told_at_once():
    post = Post()

    post.look(day(1), RISK)
    post.look(day(1) + timedelta(minutes=5), BROKEN)

    assert post.sent == ["connection.at_risk", "connection.broken"]


def test_a_group_that_grows_is_told_when_it_has_settled():
    post = Post()
    post.look(day(1), BROKEN)

    post.look(day(1) + timedelta(hours=1), replace(BROKEN, subjects=("c1", "c2")))
    post.look(day(2), replace(BROKEN, subjects=("c1", "c2", "c3")))

    assert post.sent == ["connection.broken"] * 2


def test_a_group_recovers_when_all_of_it_does():
    post = Post()
    post.look(day(1), replace(BROKEN, subjects=("c1", "c2")))

    post.look(day(2), proven=("c1",))
    assert "connection.recovered" not in post.sent

    post.look(day(3), proven=("c1", "c2"))
    assert post.sent[-1] == "connection.recovered"


def test_the_same_trouble_a_month_later_is_a_new_thread():
    post = Post()
    post.look(day(1), BROKEN)
    post.look(day(2), proven=("c1",))

    [event] = post.look(day(40), replace(BROKEN, since=day(39))).events

    assert event.thread == event.id


@given(
    st.lists(
        st.tuples(st.integers(1, 48), st.sampled_from(["broken", "risk", "silent", "proven"])), max_size=30
    )
)
def test_no_two_events_share_an_id_and_every_open_problem_was_told(looks):
    post, at = Post(), day(0)
    for hours, what in looks:
        at += timedelta(hours=hours)
        problems = {"broken": (BROKEN,), "risk": (RISK,)}.get(what, ())
        post.look(at, *problems, proven=("c1",) if what == "proven" else ())

    assert len(set(post.ids)) == len(post.ids)
    if any(what in ("broken", "risk") for _, what in looks):
        assert post.sent
