"""Which gestures, by whom, restore most lost runs."""

from __future__ import annotations

import itertools
import random

import pytest

from holdfast.diagnosis.worklist import EXACT, Gesture, Stopped, worklist


def a_gesture(connection: str, who: str) -> Gesture:
    return Gesture("sales", connection, who, "password_changed", "Sign in.", is_sign_in=True)


def stopped(flow: str, runs: float, *connections: str) -> Stopped:
    return Stopped(flow, frozenset(("sales", each) for each in connections), runs)


def lost(order: list[str], gestures: list[Gesture], flows: list[Stopped]) -> float:
    """Runs that are lost while the list is worked down, one person a week."""
    who = {(g.environment, g.connection): g.who for g in gestures}
    total, done = 0.0, set[str]()
    for each in order:
        done.add(each)
        total += sum(f.runs for f in flows if not {who[one] for one in f.broken} <= done)
    return total


def test_whoever_restores_most_runs_comes_first():
    found = worklist(
        [a_gesture("c1", "ada"), a_gesture("c2", "ben")], [stopped("f1", 7, "c1"), stopped("f2", 35, "c2")]
    )

    assert [(turn.who, turn.restores) for turn in found.turns] == [("ben", 35), ("ada", 7)]
    assert found.is_exact


def test_a_flow_that_needs_two_people_comes_back_with_the_second():
    gestures = [a_gesture("c1", "ada"), a_gesture("c2", "ben"), a_gesture("c3", "cy")]
    found = worklist(gestures, [stopped("both", 70, "c1", "c2"), stopped("f3", 10, "c3")])

    assert [turn.who for turn in found.turns][2] == "cy"
    assert [turn.restores for turn in found.turns] == [0, 70, 10]


def test_a_flow_with_a_connection_that_nobody_can_heal_is_not_promised():
    found = worklist([a_gesture("c1", "ada")], [stopped("f1", 7, "c1", "gone")])

    assert found.turns[0].restores == 0


@pytest.mark.parametrize("seed", range(20))
def test_no_other_order_loses_fewer_runs(seed):
    chance = random.Random(seed)
    people = [f"p{n}" for n in range(6)]
    gestures = [a_gesture(f"c{n}", chance.choice(people)) for n in range(9)]
    flows = [
        stopped(f"f{n}", chance.randrange(1, 50), *{f"c{chance.randrange(9)}" for _ in range(3)})
        for n in range(8)
    ]
    asked = sorted({gesture.who for gesture in gestures})

    found = [turn.who for turn in worklist(gestures, flows).turns]

    best = min(lost(list(order), gestures, flows) for order in itertools.permutations(asked))
    assert lost(found, gestures, flows) == pytest.approx(best)


def test_more_people_than_can_be_ordered_exactly_are_ranked_and_called_so():
    gestures = [a_gesture(f"c{n}", f"p{n}") for n in range(EXACT + 5)]
    flows = [stopped(f"f{n}", n, f"c{n}") for n in range(EXACT + 5)]

    found = worklist(gestures, flows)

    assert not found.is_exact
    assert [turn.restores for turn in found.turns] == sorted((f.runs for f in flows), reverse=True)
