"""Which secrets are renewed, when, and what is said about the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from holdfast.core.identity import ClientSecret, ServicePrincipal
from holdfast.core.inventory import SignIn
from holdfast.core.making import AppPolicy
from holdfast.core.plan import Accepted, plan_text, read_plan
from holdfast.rotation.due import Use, ours_of
from holdfast.rotation.plan import Candidate, Choices, Consumer, due_at, is_due, plan_rotation
from tests.builders import a_reference, an_app_connection, an_environment, day

NOW = day(100)


def secret(key_id: str = "k1", label: str = "first", starts: float = 0, ends: float = 120) -> ClientSecret:
    return ClientSecret(key_id, label, "secret", day(starts), day(ends))


def a_candidate(*secrets: ClientSecret, **changes: Any) -> Candidate:
    """An application of ours whose only secret is due, in one connection that we may change."""
    app = ServicePrincipal("app-1", "object-1", "erp", secrets or (secret(),))
    consumer = Consumer(
        an_app_connection(), an_environment(), True, (a_reference(connection="c2"),), ("s", "d")
    )
    return replace(Candidate(app, (consumer,), {"admin": "holdfast-app-admin"}, log_read=True), **changes)


def choices(**changes: Any) -> Choices:
    return replace(Choices("p1", "contoso", "Contoso", "t1", NOW, "admin", AppPolicy()), **changes)


def reasons(candidate: Candidate, **chosen: Any) -> list[str]:
    return [each.reason for each in plan_rotation([candidate], choices(**chosen)).declined]


def names(candidate: Candidate, **chosen: Any) -> list[str]:
    return [step.name for step in plan_rotation([candidate], choices(**chosen)).steps]


def test_it_is_added_proven_switched_proven_watched_and_only_then_removed():
    assert names(a_candidate()) == [
        "add",
        "prove",
        "switch:c2",
        "prove:c2",
        "bind:c2",
        "quiet",
        "remove",
        "sweep",
    ]


@pytest.mark.parametrize(
    ("now", "due"),
    [(day(79), False), (day(81), True), (day(119), True), (day(130), True)],
    ids=["before two thirds", "after two thirds", "a day before the end", "after the end"],
)
def test_a_secret_is_due_at_two_thirds_of_its_life(now, due):
    assert is_due(a_candidate(), now) == due


def test_the_last_two_weeks_are_always_due():
    long = a_candidate(secret(starts=-1000, ends=113))
    short = a_candidate(secret(starts=99, ends=112))

    assert is_due(long, NOW)
    assert is_due(short, NOW)


BESIDE = (secret(), secret("k2", "second", 95, 275))


@pytest.mark.parametrize(
    ("held", "due"),
    [(frozenset(), True), (frozenset({"k2"}), False), (frozenset({"k1"}), True)],
    ids=["not known which", "the newer", "the older"],
)
def test_the_secret_that_the_connections_hold_decides(held, due):
    assert is_due(a_candidate(*BESIDE, held=held), NOW) == due


def test_an_expired_secret_does_not_decide_beside_a_living_one():
    assert not is_due(a_candidate(secret(ends=90), secret("k2", "second", 95, 275)), NOW)


def test_a_secret_without_an_end_is_never_due():
    assert due_at(replace(secret(), expires_at=None)) is None


def test_an_application_that_is_excepted_from_the_tenants_policy_is_renewed():
    forbidden = AppPolicy(allows_secrets=False)

    assert names(a_candidate(policy=AppPolicy()), policy=forbidden)


DECLINED = {
    "not due": (a_candidate(secret(ends=900)), {}, "not_due"),
    "our own identity": (a_candidate(own="reader"), {}, "own_identity"),
    "owners not looked at": (a_candidate(owners=None), {}, "not_looked_at:owners"),
    "not owned": (a_candidate(owners={"ada": "Ada"}), {}, "not_owned"),
    "secrets forbidden": (a_candidate(), {"policy": AppPolicy(allows_secrets=False)}, "secrets_forbidden"),
    "certificates of named authorities only": (
        a_candidate(replace(secret(), kind="certificate"), kind="certificate"),
        {"policy": AppPolicy(allows_self_signed=False)},
        "self_signed_forbidden",
    ),
    "secrets forbidden to it alone": (
        a_candidate(policy=AppPolicy(allows_secrets=False)), {}, "secrets_forbidden"
    ),
    "life too short": (a_candidate(), {"policy": AppPolicy(longest_secret=timedelta(days=1))}, "life_too_short"),
    "policy not looked at": (a_candidate(), {"policy": None}, "not_looked_at:app_policy"),
    "policy allows less than watching takes": (
        a_candidate(log_read=False), {"policy": AppPolicy(longest_secret=timedelta(days=9))}, "life_too_short"
    ),
    "chosen too short": (a_candidate(), {"life": timedelta(days=1)}, "life_too_short"),
    "another rotation": (a_candidate(under_way="p0-1"), {}, "under_way"),
    "no longer offered": (
        a_candidate(consumers=(Consumer(an_app_connection(), an_environment(), True, is_offered=False),)), {}, "not_offered"
    ),
    "a person's connection without a reference": (
        a_candidate(consumers=(Consumer(an_app_connection(), an_environment(), False),)), {}, "consumer_not_ours"
    ),
}  # fmt: skip


LACKING = Consumer(an_app_connection(), an_environment(), True, is_lacking=True)


@pytest.mark.parametrize(
    "candidate",
    [
        a_candidate(replace(secret(), kind="certificate")),
        a_candidate(secret(ends=900), consumers=(LACKING,)),
    ],
    ids=["none of its kind is left", "another one is left"],
)
def test_a_connection_whose_secret_is_gone_gets_a_new_one_before_all_others(candidate: Candidate):
    other = a_candidate(app=ServicePrincipal("app-0", "object-0", "other", (secret(),)))

    plan = plan_rotation([other, candidate], choices())

    first = plan.steps[0]
    assert (first.name, first.arguments["client_id"]) == ("add", "app-1")
    assert "broken" in first.risk
    assert len(plan.sagas()) == 2


def test_an_application_without_secrets_and_connections_is_left_alone():
    empty = replace(a_candidate(), app=ServicePrincipal("app-1", "o", "erp", ()), consumers=())

    assert names(empty, apps=frozenset({"app-1"})) == []


@pytest.mark.parametrize(("candidate", "chosen", "reason"), DECLINED.values(), ids=DECLINED.keys())
def test_what_cannot_be_renewed_is_declined(candidate: Candidate, chosen: dict[str, Any], reason: str):
    assert reasons(candidate, **chosen) == [reason]
    assert names(candidate, **chosen) == []


def test_who_may_make_us_an_owner_is_given_the_command():
    [declined] = plan_rotation([a_candidate(owners={"ada": "Ada"})], choices()).declined

    assert "az ad app owner add --id app-1 --owner-object-id admin" in declined.says
    assert "owned by Ada" in declined.says


def test_an_application_that_was_named_is_taken_though_it_is_not_due():
    assert names(a_candidate(secret(ends=900)), apps=frozenset({"app-1"}))


def test_an_application_that_was_not_named_is_left_out():
    plan = plan_rotation([a_candidate()], choices(apps=frozenset({"other"})))

    assert (plan.steps, plan.declined) == ((), ())


def test_a_policy_that_nobody_could_read_can_be_answered_for():
    accepted = (Accepted("app_policy", "Ada", "it allows 180 days"),)

    assert names(a_candidate(), policy=None, accepted=accepted)


def life_of(candidate: Candidate, **chosen: Any) -> timedelta:
    step = plan_rotation([candidate], choices(**chosen)).steps[0]
    return timedelta(seconds=step.arguments["life_seconds"])


def test_the_new_secret_lives_as_long_as_the_old_one():
    assert life_of(a_candidate()) == timedelta(days=120)


def test_it_never_lives_longer_than_the_policy_allows():
    assert life_of(a_candidate(), policy=AppPolicy(longest_secret=timedelta(days=90))) < timedelta(days=90)


def removal(candidate: Candidate) -> Any:
    return next(step for step in plan_rotation([candidate], choices()).steps if step.name == "remove")


def test_what_somebody_else_made_is_named_and_left():
    made = (secret("k1", "first"), secret("k2", "holdfast/p0-1", -10, 110))

    owners = {"admin": "holdfast-app-admin", "ada": "Ada", "b0b": ""}

    step = removal(a_candidate(*made, ours=frozenset({"k2"}), owners=owners))

    assert step.arguments["remove"] == ["k2"]
    assert "'first' (made 2026-03-02, 100 days ago, ends 2026-06-30)" in step.does
    assert "owned by Ada, b0b" in step.does
    [foreign] = step.arguments["foreign"]
    assert (foreign["key_id"], foreign["owners"]) == ("k1", owners)


def test_what_ends_first_is_renewed_first():
    later, sooner = (
        a_candidate(secret(ends=ends), app=ServicePrincipal(name, name, name, (secret(ends=ends),)))
        for name, ends in (("later", 112), ("sooner", 103))
    )

    plan = plan_rotation([later, sooner], choices())

    assert [step.arguments["name"] for step in plan.steps if step.name == "add"] == ["sooner", "later"]


def test_a_label_like_ours_does_not_make_a_secret_ours():
    step = removal(a_candidate(secret("k1", "holdfast/somebody-1")))

    assert step.arguments["remove"] == []


def test_a_secret_is_ours_by_the_plan_that_its_label_names():
    app = ServicePrincipal(
        "app-1", "object-1", "erp", (secret("k1", "holdfast/p1-1"), secret("k2", "holdfast/p9-1"))
    )

    assert ours_of(app, [plan_rotation([a_candidate()], choices())]) == {"k1"}


A_JOB = Use("k1", "Microsoft Graph", "10.1.2.3", day(90), False)


def quiet(candidate: Candidate, **chosen: Any) -> Any:
    return next(s for s in plan_rotation([candidate], choices(**chosen)).steps if s.name == "quiet")


def test_what_uses_a_secret_and_is_no_connection_is_named_before_anything_is_removed():
    step = quiet(a_candidate(uses=(A_JOB,)))

    assert "Microsoft Graph from 10.1.2.3, last 2026-05-31" in step.risk
    assert step.arguments["seen"][0]["ip_address"] == "10.1.2.3"
    assert step.arguments["quiet_seconds"] == 30 * 86400


def test_somebody_can_answer_for_the_other_consumers():
    known = (Accepted("other_consumers", "Ada", "the job is gone"),)

    assert quiet(a_candidate(uses=(A_JOB,)), accepted=known).arguments["quiet_seconds"] == 86400


def test_a_certificate_goes_into_a_connection_of_its_kind():
    held = an_app_connection(sign_in=SignIn.CERTIFICATE)
    candidate = a_candidate(
        replace(secret(), kind="certificate"),
        kind="certificate",
        consumers=(Consumer(held, an_environment(), True),),
    )

    step = next(s for s in plan_rotation([candidate], choices()).steps if s.name == "switch:c2")

    assert (step.arguments["kind"], step.arguments["sign_in"]) == ("certificate", "certOauth")


def test_undoing_the_switch_is_promised_only_with_the_previous_text():
    def promise(**changes: Any) -> str:
        steps = plan_rotation([a_candidate(**changes)], choices()).steps
        return next(step.undo for step in steps if step.name == "switch:c2")

    assert "Cannot put the previous secret back" in promise()
    assert promise(stored={"k1": "app/app-1/k1"}).startswith("Puts the previous secret back")


def test_without_the_log_it_waits_longer_and_says_so():
    step = next(s for s in plan_rotation([a_candidate(log_read=False)], choices()).steps if s.name == "quiet")

    assert step.arguments["quiet_seconds"] == 7 * 86400
    assert "not seen" in step.risk


def test_a_plan_survives_its_file_and_holds_no_secret():
    plan = plan_rotation([a_candidate(stored={"k1": "app/app-1/k1"})], choices())

    assert read_plan(plan_text(plan)) == plan


@pytest.mark.parametrize("wanted", [frozenset(), frozenset({"app-1"})], ids=["due", "named"])
def test_an_application_that_cannot_sign_in_gets_no_secret(wanted):
    candidate = a_candidate(may_sign_in=False)

    assert reasons(candidate, apps=wanted) == ["app_disabled"]
    assert names(candidate, apps=wanted) == []


@pytest.mark.parametrize("known", [True, None])
def test_not_knowing_whether_it_may_sign_in_blocks_nothing(known):
    assert "add" in names(a_candidate(may_sign_in=known))


def test_one_that_is_not_due_is_not_called_disabled():
    assert reasons(a_candidate(secret(ends=1000), may_sign_in=False)) == ["not_due"]
