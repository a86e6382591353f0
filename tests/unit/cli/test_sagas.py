"""How the sagas of plans stand, on a terminal and for programs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from holdfast.cli.options import Invocation
from holdfast.cli.sagas import show_sagas, tenant_of
from holdfast.core.errors import SettingsError
from holdfast.core.plan import Plan
from tests.fakes.holdfast import ToldHoldfast


def a_row(plan: str, state: str, **more: Any) -> dict[str, Any]:
    return {
        "plan": plan,
        "saga": f"{plan}-1",
        "state": state,
        "step": "",
        "says": "",
        "connections": [],
        **more,
    }


ROWS = [a_row("aaaa", "planned"), a_row("bbbb", "waiting"), a_row("bbbb", "planned")]


def test_a_plan_that_nobody_applied_is_only_counted(capsys):
    show_sagas(ROWS, "rotate", Invocation(), every=False)

    told = capsys.readouterr().out
    assert "aaaa-1" not in told
    assert told.count("bbbb-1") == 2
    assert told.endswith("Made and never applied: aaaa.\n")


def test_the_plan_asked_for_is_shown_though_nobody_applied_it(capsys):
    show_sagas(ROWS[:1], "rotate", Invocation(), every=True)

    assert "aaaa-1" in capsys.readouterr().out


def test_programs_get_every_saga(capsys):
    show_sagas(ROWS, "rotate", Invocation("jsonl"), every=False)

    assert [json.loads(line)["plan"] for line in capsys.readouterr().out.splitlines()] == [
        "aaaa",
        "bbbb",
        "bbbb",
    ]


def test_sagas_of_several_tenants_say_whose_they_are(capsys):
    show_sagas([a_row("bbbb", "waiting", tenant="fabrikam")], "rotate", Invocation("csv"), every=False)

    assert capsys.readouterr().out.splitlines()[0].split(",")[0] == "tenant"


def a_plan(tenant: str) -> Plan:
    return Plan("rotate", "aa", tenant, "fabrikam", datetime(2026, 11, 24, tzinfo=UTC), ())


def test_a_plan_knows_its_tenant_among_several():
    holdfast: Any = ToldHoldfast("contoso", "fabrikam")

    assert tenant_of(a_plan("id-of-fabrikam"), holdfast, Invocation()).name == "fabrikam"


def test_the_tenant_that_was_named_counts_before_that_of_the_plan():
    holdfast: Any = ToldHoldfast("contoso", "fabrikam")

    assert tenant_of(a_plan("id-of-fabrikam"), holdfast, Invocation(tenant="contoso")).name == "contoso"


def test_a_plan_of_a_tenant_that_the_settings_do_not_have_is_an_error():
    holdfast: Any = ToldHoldfast("contoso", "fabrikam")

    with pytest.raises(SettingsError):
        tenant_of(a_plan("id-of-litware"), holdfast, Invocation())
