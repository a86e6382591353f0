"""One cause for many breaks."""

from __future__ import annotations

from holdfast.core.finding import Act, Doer, End, Finding
from holdfast.core.inventory import ConnectionId, ConnectorId, EnvironmentId
from holdfast.core.judgement import Judgement
from holdfast.diagnosis.together import together
from tests.builders import day

MFA = Act("p1", "added", "policy 'Require MFA for all'", day(0), Doer("a1", "admin@contoso.example"))


def broken(id: str, *findings: Finding) -> Judgement:
    return Judgement(EnvironmentId("sales"), ConnectorId("shared_sql"), ConnectionId(id), findings=findings)


def by(act: Act | None, *, end: End = End.REFUSED, since: float = 0, certain: bool = True) -> Finding:
    return Finding("a", "R", "m", "mfa_required", end, certain, day(since), act=act)


def test_the_policy_that_explains_most_breaks_is_named_with_who_and_when():
    three = [broken(f"c{n}", by(MFA)) for n in range(3)]

    (shared,) = together([*three, broken("c9", by(None))])

    assert shared.sentence == (
        "Policy 'Require MFA for all', added by admin@contoso.example at 2026-03-02 09:00 UTC, explains 3 of 4 breaks"
        " (mfa_required); undone, the old sign-ins work again."
    )
    assert shared.behind == (("sales", "c0"), ("sales", "c1"), ("sales", "c2"))


def test_what_is_revoked_does_not_come_back_when_the_policy_goes():
    shared = together([broken(f"c{n}", by(MFA, end=End.REVOKED)) for n in range(2)])[0]

    assert not shared.comes_back
    assert "does not bring the old sign-ins back" in shared.sentence


def test_what_would_still_be_broken_is_not_explained():
    reset = Act("u1", "changed or reset the password of", "ada@contoso.example", day(1))
    revoked = [broken(f"r{n}", by(reset, end=End.REVOKED), by(MFA)) for n in range(2)]

    found = together([*revoked, *(broken(f"c{n}", by(MFA)) for n in range(3))])

    assert [(one.act and one.act.id, len(one.behind)) for one in found] == [("p1", 3), ("u1", 2)]


def test_one_break_alone_has_nothing_in_common():
    assert together([broken("c1", by(MFA))]) == []


def test_what_only_may_be_so_explains_nothing():
    assert together([broken(f"c{n}", by(MFA, certain=False)) for n in range(3)]) == []


def test_breaks_of_one_moment_are_told_though_nobody_knows_why():
    at_once = [broken(f"c{n}", by(None, since=n / 1000)) for n in range(3)]

    (shared,) = together([*at_once, broken("later", by(None, since=3))])

    assert shared.act is None
    assert len(shared.behind) == 3
    assert "nothing that could be read says why" in shared.sentence
