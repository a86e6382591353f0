"""What people are told of: broken things by whoever has to act, and actions that are overdue."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from holdfast.alerts.problems import ACT_BEFORE, of_connections, of_sagas, proven
from holdfast.core.alert import Audience, Problem, Thread, Topic
from holdfast.core.coverage import Outcome
from holdfast.core.deed import Standing
from holdfast.core.finding import Act, End, Finding
from holdfast.core.horizon import Condition, Horizon, Interval
from holdfast.core.identity import Owner
from holdfast.core.inventory import Connection, ConnectorId
from holdfast.core.judgement import Judgement
from holdfast.core.verdict import Actor, Cause, Remedy, Verdict
from holdfast.core.witness import Source, Witness
from holdfast.diagnosis.status import status
from tests.builders import START, a_connection, a_flow, an_app_connection, day

NOW = day(100)


def judged(connection: Connection, **changes: Any) -> Judgement:
    return Judgement(connection.environment, ConnectorId("shared_sql"), connection.id, **changes)


def seen(connection: Connection, judgement: Judgement, *flows: Any) -> Any:
    return status(connection, judgement, Outcome.SCANNED, NOW, flows), judgement


def broken(
    id: str, owner: str = "o1", who: Actor = Actor.OWNER, act: Act | None = None, **changes: Any
) -> Any:
    connection = a_connection(id, owner=Owner(owner, owner.title(), f"{owner}@contoso.example"), **changes)
    remedy = Remedy("sign_in_again", who, "Sign in again.")
    verdict = Verdict(Cause("session_revoked", "Sessions revoked"), 0.95, remedies=(remedy,))
    finding = Finding("c", "r", "m", "session_revoked", End.REVOKED, since=day(90), act=act)
    return seen(connection, judged(connection, verdict=verdict, findings=(finding,)), a_flow(f"f-{id}"))


def expected(connection: Connection, cause: str, at: float) -> Any:
    horizon = Horizon(cause, Condition.EXPECTED, day(at), day(at), day(at))
    return seen(connection, judged(connection, horizons=(horizon,)), a_flow())


def told(*cases: Any) -> list[Problem]:
    return list(of_connections(cases, NOW))


def test_an_owner_is_told_once_of_all_that_broke_for_one_reason():
    [problem] = told(broken("c1"), broken("c2"))

    assert (problem.audience, problem.to) == (Audience.OWNER, "o1@contoso.example")
    assert (problem.subjects, problem.flows, problem.since) == (("c1", "c2"), 2, day(90))


def test_each_owner_is_told_of_the_own_ones():
    assert [problem.to for problem in told(broken("c1"), broken("c2", "o2"))] == [
        "o1@contoso.example",
        "o2@contoso.example",
    ]


@pytest.mark.parametrize(
    ("who", "audience"), [(Actor.DBA, Audience.DBA), (Actor.ENTRA_ADMIN, Audience.ADMIN)]
)
def test_who_can_act_is_told(who, audience):
    [problem] = told(broken("c1", who=who))

    assert problem.audience is audience


def test_what_one_act_broke_is_told_to_the_administrators_as_one():
    act = Act("p1", "enabled the policy", "policy 'MFA for all'", day(90))

    problems = told(*(broken(f"c{n}", f"o{n}", act=act) for n in range(4)))

    [shared] = [problem for problem in problems if problem.audience is Audience.ADMIN]
    assert shared.subjects == ("c0", "c1", "c2", "c3")
    assert "MFA for all" in shared.title
    assert len(problems) == 5


def test_administrators_are_not_told_again_of_each_that_one_act_broke():
    act = Act("p1", "set", "data policy 'No SQL'", day(90))
    cases = [broken(f"c{n}", f"o{n}", Actor.ENTRA_ADMIN, act) for n in range(4)]

    problems = told(*cases, broken("c9", "o0", Actor.ENTRA_ADMIN))

    assert [problem.subjects for problem in problems] == [("c0", "c1", "c2", "c3"), ("c9",)]


def test_an_action_is_overdue_before_the_break():
    due = (NOW + ACT_BEFORE - START) / timedelta(days=1)

    assert [problem.topic for problem in told(expected(an_app_connection(), "secret_expired", due - 1))] == [
        Topic.AT_RISK
    ]
    assert told(expected(an_app_connection(), "secret_expired", due + 1)) == []


def test_what_only_happens_if_nobody_uses_it_is_no_overdue_action():
    connection = a_connection()
    horizon = Horizon("token_inactive", Condition.IF_UNUSED, day(101), day(101), day(101))

    assert told(seen(connection, judged(connection, horizons=(horizon,)))) == []


def test_what_works_is_not_told():
    assert told(seen(a_connection(), judged(a_connection()))) == []


def test_a_key_is_the_same_at_every_look():
    assert [p.key for p in told(broken("c1"), broken("c2"))] == [
        p.key for p in told(broken("c2"), broken("c1"))
    ]


def test_a_saga_that_stopped_is_told_and_one_that_waits_is_not():
    standings = [
        Standing("p1-1", "refused", "user", "No right.", since=day(1)),
        Standing("p1-2", "waiting", "share", "Ada", since=day(1)),
    ]

    [problem] = of_sagas("migrate", standings, {"p1-1": ["c1"]})

    assert (problem.topic, problem.subjects) == (Topic.MIGRATION_STUCK, ("c1",))


def a_thread(opened: float, *subjects: str) -> dict[str, Thread]:
    return {"k": Thread("k", "e", Topic.BROKEN, day(opened), day(opened), subjects, "t", Audience.OWNER)}


def refreshed(at: float) -> Any:
    connection = a_connection()
    witness = Witness(Source.EXPIRY, Interval(day(at), day(at)), "one")
    return seen(connection, judged(connection, witnesses=(witness,)))


def test_only_a_witness_after_the_trouble_proves_that_it_is_over():
    assert proven([refreshed(95)], a_thread(90, "c1")) == {"c1"}
    assert proven([refreshed(85)], a_thread(90, "c1")) == frozenset()
    assert proven([broken("c1")], a_thread(90, "c1")) == frozenset()
