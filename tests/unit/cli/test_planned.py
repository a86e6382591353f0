"""A plan on the terminal: each saga under its own heading, every word of a step beside it."""

from datetime import UTC, datetime
from typing import Any

from holdfast.cli.planned import print_steps
from holdfast.core.plan import Plan, PlannedStep


def a_plan(*steps: PlannedStep) -> Plan:
    return Plan("rotate", "aa", "tenant", "contoso", datetime(2026, 11, 24, tzinfo=UTC), steps)


def a_step(saga: str, **words: Any) -> PlannedStep:
    return PlannedStep(saga, "name", words.pop("does", "Does it"), None, None, {}, **words)


def test_a_plan_without_steps_says_so(capsys):
    print_steps(a_plan())

    assert capsys.readouterr().out == "Nothing to do.\n"


def test_steps_stand_numbered_under_their_saga(capsys):
    print_steps(
        a_plan(a_step("aa-1", does="Adds"), a_step("aa-1", does="Waits"), a_step("aa-2", does="Ends"))
    )

    assert capsys.readouterr().out.splitlines() == [
        "Saga aa-1",
        "  1.  Adds",
        "  2.  Waits",
        "Saga aa-2",
        "  1.  Ends",
        "",
        "2 sagas with 3 steps in all.",
    ]


def test_only_what_there_is_to_say_is_said(capsys):
    print_steps(a_plan(a_step("aa-1", risk="It may fail", by="Dana")))

    out = capsys.readouterr().out
    assert "By: Dana" in out
    assert "Risk: It may fail" in out
    assert "Undo" not in out


def test_a_hostile_name_in_a_step_obeys_nobody(capsys):
    print_steps(a_plan(a_step("aa-1", does="Binds '\x1b[31mred[/] [bold]'")))

    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "[bold]" in out
