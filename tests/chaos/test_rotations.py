"""Rotations that are killed, lose answers and meet enemies; `make chaos` tries every call, `make test` a sample."""

from __future__ import annotations

import logging
import os
import random
import secrets
from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations, product
from typing import Any

import pytest

from holdfast.core.errors import MissingError
from holdfast.core.identity import Role
from holdfast.core.plan import plan_text
from tests.chaos.rotations import PERILS, Killed, Peril, Trial, many, undisturbed

SEED = secrets.randbits(32)
WHOLE = "HOLDFAST_CHAOS_KILLS" in os.environ
SAMPLE = 4
DONE_AGAIN = 4


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    with undisturbed():
        yield


def story() -> Trial:
    return Trial("story", SEED)


async def clean() -> tuple[Any, int]:
    """The end state of a rotation that nothing disturbs, and how many outside calls it takes."""
    trial, peril = story(), Peril()
    await trial.rotated(peril)
    return trial.state(), peril.calls


async def rotated_before(often: int) -> Trial:
    """A tenant in which so many rotations went well."""
    trial = story()
    for _ in range(often):
        await trial.rotated(Peril())
    return trial


def assert_unharmed(trial: Trial) -> None:
    assert trial.failures() == 0
    assert trial.strays() == []
    assert trial.foreign_touched() == []


@pytest.mark.slow
async def test_flows_run_on_while_every_secret_is_renewed():
    trial = await many(16, SEED)

    assert_unharmed(trial)


@pytest.mark.slow
@pytest.mark.parametrize("what", PERILS)
async def test_one_peril_at_any_call_leads_to_the_same_end(what: str):
    wanted, calls = await clean()
    numbers = range(1, calls + 1)
    for number in numbers if WHOLE else random.Random(SEED).sample(numbers, SAMPLE):
        trial = story()
        await trial.rotated(Peril({number: what}))

        assert trial.state() == wanted, f"seed {SEED}, call {number} of {calls}"
        assert_unharmed(trial)


@pytest.mark.slow
@pytest.mark.parametrize("earlier", [0, 1], ids=["one is made beside", "ours is replaced"])
async def test_any_two_perils_at_writes_lead_to_the_same_end(earlier: int):
    counted = Peril(only_writes=True)
    trial = await rotated_before(earlier)
    await trial.rotated(counted)
    wanted, writes = trial.state(), counted.calls
    # What a kill or a lost answer undid is done once more, and can be met there.
    places = combinations(range(1, writes + DONE_AGAIN + 1), 2)
    pairs = [(place, kinds) for place in places for kinds in product(PERILS, repeat=2)]
    for place, kinds in pairs if WHOLE else random.Random(SEED).sample(pairs, SAMPLE):
        trial = await rotated_before(earlier)
        await trial.rotated(Peril(dict(zip(place, kinds, strict=True)), only_writes=True))

        assert trial.state() == wanted, f"seed {SEED}, writes {place} of {writes}: {kinds}"
        assert_unharmed(trial)


@pytest.mark.slow
async def test_losing_every_answer_once_leads_to_the_same_end():
    wanted, calls = await clean()
    trial = story()

    await trial.rotated(Peril(dict.fromkeys(range(1, 4 * calls, 2), "lose")))

    assert trial.state() == wanted
    assert_unharmed(trial)


@pytest.mark.slow
async def test_undoing_after_a_kill_restores_what_was_there():
    _, calls = await clean()
    numbers = range(1, calls + 1)
    for number in numbers if WHOLE else random.Random(SEED).sample(numbers, SAMPLE):
        trial = story()
        before = trial.state()
        plan = await trial.plan([app.client_id for app in trial.apps])
        for _ in range(4):
            await trial.go_on(plan, Peril({number: "kill after"}))
            trial.inner.advance(minutes=13)
        await trial.finish(plan, trial.again(Peril()), "undo")

        assert trial.state() == before, f"seed {SEED}, call {number} of {calls}"
        assert_unharmed(trial)


async def bound_half() -> tuple[Trial, Any, Any]:
    """A rotation whose process is gone after references were bound and before that was noted; with what was there."""
    trial = story()
    before = trial.state()
    plan = await planned(trial)
    note = trial.journal.note

    async def until_bound(turn: Any, id: str, deed: Any) -> None:
        if deed.step.startswith("bind:") and deed.outcome.is_done:
            raise Killed
        await note(turn, id, deed)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(trial.journal, "note", until_bound)
        for _ in range(60):
            if await trial.go_on(plan, Peril()) is None:
                break
            trial.inner.advance(minutes=13)
    assert trial.state() != before
    return trial, plan, before


@pytest.mark.slow
async def test_an_undo_that_is_killed_at_any_call_takes_back_whatever_it_lent():
    trial, plan, _ = await bound_half()
    peril = Peril()
    await trial.finish(plan, trial.again(peril), "undo")

    numbers = range(1, peril.calls + 1)
    for number in numbers if WHOLE else random.Random(SEED).sample(numbers, SAMPLE):
        trial, plan, before = await bound_half()
        await trial.finish(plan, trial.again(Peril({number: "kill after"})), "undo")

        assert trial.state() == before, f"seed {SEED}, call {number} of {peril.calls}"
        assert_unharmed(trial)


@pytest.mark.slow
async def test_the_second_rotation_changes_the_connection_that_the_first_one_made():
    trial = story()
    await trial.rotated(Peril())
    first = trial.state()
    [old] = trial.ours(trial.apps[0])

    await trial.rotated(Peril())

    assert trial.ours(trial.apps[0]) != [old]
    assert trial.state() == first
    assert_unharmed(trial)


# --- enemies -------------------------------------------------------------------------------------------------


async def stands(trial: Trial, plan: Any) -> Any:
    found = await trial.go_on(plan, Peril())
    assert found is not None
    return found[0]


async def planned(trial: Trial) -> Any:
    return await trial.plan([app.client_id for app in trial.apps])


@pytest.mark.slow
async def test_of_two_plans_for_one_application_the_second_is_refused():
    trial = story()
    first, second = await planned(trial), await planned(trial)

    await stands(trial, first)
    refused = await stands(trial, second)

    assert (refused.state, refused.step) == ("refused", "add")
    assert "under way" in refused.says
    assert len(trial.ours(trial.apps[0])) == 1


@pytest.mark.slow
async def test_what_is_under_way_is_not_planned_again():
    trial = story()
    await stands(trial, await planned(trial))

    second = await planned(trial)

    assert second.steps == ()
    assert {each.reason for each in second.declined} == {"under_way"}


@pytest.mark.slow
async def test_a_policy_that_came_after_planning_leaves_nothing_behind():
    trial = story()
    plan = await planned(trial)
    trial.inner.event("set_app_policy", passwordAddition=True)

    refused = await stands(trial, plan)

    assert refused.state == "refused"
    assert "plan again" in refused.says
    assert trial.ours(trial.apps[0]) == []


@pytest.mark.slow
async def test_an_application_that_somebody_deleted_ends_the_rotation():
    trial = story()
    plan = await planned(trial)
    trial.inner.event("delete_app", trial.apps[0].client_id)

    refused = await stands(trial, plan)
    undone = await trial.undo(plan, Peril())

    assert "deleted" in refused.says
    assert undone is not None
    assert undone[0].state == "undone"


@pytest.mark.slow
async def test_an_application_deleted_before_the_proof_stops_it_at_once():
    trial = story()
    plan = await planned(trial)
    await stands(trial, plan)
    trial.inner.advance(minutes=13)
    trial.inner.event("delete_app", trial.apps[0].client_id)

    refused = await stands(trial, plan)
    undone = await trial.finish(plan, trial.again(Peril()), "undo")

    assert (refused.state, refused.step) == ("refused", "prove")
    assert "deleted" in refused.says
    assert undone[0].state == "undone"


@pytest.mark.slow
async def test_an_application_deleted_after_the_switch_can_be_undone():
    trial = story()
    plan = await planned(trial)
    await stands(trial, plan)
    trial.inner.advance(minutes=13)
    await stands(trial, plan)
    trial.inner.event("delete_app", trial.apps[0].client_id)

    undone = await trial.finish(plan, trial.again(Peril()), "undo")

    assert undone[0].state == "undone"


@pytest.mark.slow
async def test_a_secret_that_cannot_be_kept_is_revoked_and_made_anew():
    trial = story()
    plan = await planned(trial)
    app = trial.apps[0]

    write = trial.secrets.write

    async def refuse(name: str, secret: Any) -> None:
        raise MissingError("The vault is away.", "secrets", "write")

    trial.secrets.write = refuse  # type: ignore[method-assign]
    refused = await stands(trial, plan)
    without = list(trial.ours(app))
    trial.secrets.write = write  # type: ignore[method-assign]
    await trial.finish(plan, trial.again(Peril()))

    assert refused.state == "refused"
    assert without == []
    assert len(trial.ours(app)) == 1
    assert_unharmed(trial)


@pytest.mark.slow
async def test_a_secret_that_somebody_added_since_planning_stops_it():
    trial = story()
    plan = await planned(trial)
    trial.tenant.peril = Peril()
    async with trial.tenant.reached(Role.APP_ADMIN) as way:
        await way.registry.add_secret(
            trial.apps[0].object_id, "by hand", trial.clock.now() + timedelta(days=90)
        )

    refused = await stands(trial, plan)

    assert "'by hand'" in refused.says
    assert [one.label for one in trial.apps[0].secrets][-1] == "by hand"


@pytest.mark.slow
async def test_what_somebody_bound_elsewhere_meanwhile_stays_there():
    trial = story()
    plan = await planned(trial)
    await stands(trial, plan)
    held = {c.id for c in trial.connections(trial.apps[0])}
    reference = next(r for r in trial.world.references.values() if r.connection_id in held)
    other = next(c for c in trial.world.connections.values() if c.id not in held)
    reference.connection_id = other.id
    trial.world.changed()
    trial.inner.advance(minutes=13)

    await stands(trial, plan)

    assert reference.connection_id == other.id


@pytest.mark.slow
async def test_certificates_are_renewed_likewise():
    trial = Trial("contoso", SEED, 2, kinds=("certOauth",))
    foreign = [len(app.certificates) for app in trial.apps]

    await trial.rotated(Peril())
    await trial.rotated(Peril())

    assert [len(app.certificates) for app in trial.apps] == [number + 1 for number in foreign]
    assert_unharmed(trial)


@pytest.mark.slow
async def test_no_secret_is_in_anything_that_was_written(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    trial = Trial("contoso", SEED, 4)
    texts: set[str] = set()
    write = trial.secrets.write

    async def noted(name: str, secret: Any) -> None:
        texts.add(secret.reveal())
        await write(name, secret)

    trial.secrets.write = noted  # type: ignore[method-assign]
    plan = await planned(trial)
    said = [plan_text(plan)]
    for peril in trial.perils():
        await trial.go_on(plan, peril)
    said += [each.says for each in await trial.finish(plan, trial.again(Peril()))]
    said += [repr(deed) for deed in await trial.journal.deeds("t", plan.id)]
    said.append(repr(vars(trial.history)))
    said += [record.getMessage() + repr(record.__dict__) for record in caplog.records]

    assert texts
    for text in texts:
        assert not any(text in each for each in said)
