"""A plan's file says all of it, and shows when somebody changed it."""

import json

import pytest

from holdfast.core.errors import SettingsError
from holdfast.core.plan import (
    Accepted,
    Declined,
    Plan,
    PlannedStep,
    Show,
    digest,
    plan_text,
    read_plan,
    saga_of,
)
from tests.builders import START

STEP = PlannedStep(
    "p1-1", "user", "Makes a user", "c1", "sales", {"of": "app"}, (Show("T-SQL", "tsql", "CREATE USER [ä]"),)
)
PLAN = Plan(
    "migrate", "p1", "contoso", "Contoso", START, (STEP,), (Declined("c2", "sales", "gateway"),), {"flows": 3}, (Accepted("licence", "Ada", "known"),)
)  # fmt: skip


def test_a_plan_reads_back_as_it_was():
    assert read_plan(plan_text(PLAN)) == PLAN


@pytest.mark.parametrize(
    "edit",
    [
        lambda found: found["steps"][0]["shows"][0].update(text="GRANT CONTROL"),
        lambda found: found["steps"].clear(),
        lambda found: found.update(tenant="fabrikam"),
        lambda found: found.update(digest="0" * 64),
        lambda found: found.pop("digest"),
        lambda found: found.update(more=1),
    ],
)
def test_an_edited_plan_is_refused(edit):
    found = json.loads(plan_text(PLAN))
    edit(found)

    with pytest.raises(SettingsError, match="edited"):
        read_plan(json.dumps(found))


@pytest.mark.parametrize("text", ["", "[]", "{}", plan_text(PLAN)[:300], '{"shape": "holdfast.plan/2"}'])
def test_what_is_no_plan_is_said_to_be_none(text):
    with pytest.raises(SettingsError, match="not a plan"):
        read_plan(text)


def test_two_steps_of_one_name_are_refused():
    with pytest.raises(SettingsError, match="stands twice"):
        read_plan(plan_text(Plan("migrate", "p1", "contoso", "Contoso", START, (STEP, STEP))))


def test_the_digest_does_not_depend_on_how_the_file_is_laid_out():
    assert read_plan(json.dumps(json.loads(plan_text(PLAN)))) == PLAN
    assert len(digest(PLAN)) == 64


@pytest.mark.parametrize(
    ("name", "saga"),
    [("holdfast/p1-1 keep alive", "p1-1"), ("holdfast/p1-1", "p1-1"), ("Sales", None), ("holdfast/", None)],
)
def test_a_label_names_its_saga(name, saga):
    assert saga_of(name) == saga
