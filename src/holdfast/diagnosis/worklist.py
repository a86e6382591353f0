"""Which gestures, by whom, restore most lost runs (pure).

A flow runs again only when every broken connection that it holds is healed, which may take several people. Up to
`EXACT` people the order is the best there is: no other loses fewer runs while it is worked down, a person at a time.
Beyond, the next is whoever restores most at that point, which is only ranked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

EXACT: Final = 20
"""So many people can be put into the best order; each one more doubles the work."""


@dataclass(frozen=True, slots=True)
class Gesture:
    """What one person has to do for one connection.

    Attributes:
        who: whose gesture it is, by id: an account, or a role.
        does: the first remedy, one sentence.
        is_sign_in: a sign-in by the owner heals it; else somebody has to change something first.
    """

    environment: str
    connection: str
    who: str
    cause: str
    does: str
    is_sign_in: bool


@dataclass(frozen=True, slots=True)
class Stopped:
    """A flow that is on and cannot run.

    Attributes:
        broken: the broken connections that it holds, as (environment, connection).
        runs: a week; 0 where it has no schedule.
    """

    flow: str
    broken: frozenset[tuple[str, str]]
    runs: float


@dataclass(frozen=True, slots=True)
class Turn:
    """One person in the order.

    Attributes:
        gestures: what to do, in the order of environment and connection.
        restores: runs a week that come back once this person and all before are done.
        alone: runs a week that come back if only this person acts.
        flows: that run again at this point.
    """

    who: str
    gestures: tuple[Gesture, ...]
    restores: float
    alone: float
    flows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Worklist:
    """Everybody who can do something, in order.

    Attributes:
        is_exact: no better order exists.
    """

    turns: tuple[Turn, ...]
    is_exact: bool


def worklist(gestures: Iterable[Gesture], stopped: Sequence[Stopped]) -> Worklist:
    """The order in which to ask people."""
    by_person: dict[str, list[Gesture]] = {}
    who_of: dict[tuple[str, str], str] = {}
    for gesture in gestures:
        by_person.setdefault(gesture.who, []).append(gesture)
        who_of[gesture.environment, gesture.connection] = gesture.who
    needs = {
        flow: frozenset(who_of[each] for each in flow.broken)
        for flow in stopped
        if flow.broken and flow.broken <= who_of.keys()
    }
    people = sorted(by_person, key=lambda who: (-_alone(who, needs), -len(by_person[who]), who))
    is_exact = len(people) <= EXACT
    order = _best_order(people, needs) if is_exact else _ranked(people, needs)
    done: set[str] = set()
    turns = []
    for who in order:
        before = set(done)
        done.add(who)
        back = [flow for flow, needed in needs.items() if needed <= done and not needed <= before]
        turns.append(
            Turn(
                who,
                tuple(sorted(by_person[who], key=lambda g: (g.environment, g.connection))),
                round(sum(flow.runs for flow in back), 1),
                round(_alone(who, needs), 1),
                tuple(flow.flow for flow in back),
            )
        )
    return Worklist(tuple(turns), is_exact)


Needs = Mapping[Stopped, frozenset[str]]


def _alone(who: str, needs: Needs) -> float:
    return sum(flow.runs for flow, needed in needs.items() if needed == {who})


def _best_order(people: Sequence[str], needs: Needs) -> list[str]:
    """The order that loses fewest runs while it is worked down, by dynamic programming over sets of people.

    Who shares no flow with others comes in by what he restores alone, so that only the entangled are enumerated.
    """
    entangled = [who for who in people if any(who in needed and len(needed) > 1 for needed in needs.values())]
    singles = [who for who in people if who not in entangled]
    worth = [_alone(who, needs) for who in singles]
    value = _values(entangled, needs)
    full, count = 1 << len(entangled), len(singles)
    prefix = [0.0]
    for each in worth:
        prefix.append(prefix[-1] + each)
    # best[set] of the row for so many singles: what has been restored, summed over all steps so far.
    before: list[float] = []
    choices: list[bytearray] = []
    for taken in range(count + 1):
        best, choice = [0.0] * full, bytearray(full)
        for chosen in range(full):
            most, last = (before[chosen], SINGLE) if taken else (-1.0, SINGLE)
            left = chosen
            while left:
                bit = left & -left
                left ^= bit
                if best[chosen ^ bit] > most:
                    most, last = best[chosen ^ bit], bit.bit_length() - 1
            best[chosen] = (most if chosen or taken else 0.0) + value[chosen] + prefix[taken]
            choice[chosen] = last
        before = best
        choices.append(choice)
    return _walked_back(choices, entangled, singles)


SINGLE: Final = 255


def _walked_back(choices: Sequence[bytearray], entangled: Sequence[str], singles: Sequence[str]) -> list[str]:
    order = []
    taken, chosen = len(singles), (1 << len(entangled)) - 1
    while taken or chosen:
        last = choices[taken][chosen]
        if last == SINGLE:
            taken -= 1
            order.append(singles[taken])
        else:
            chosen ^= 1 << last
            order.append(entangled[last])
    return order[::-1]


def _values(people: Sequence[str], needs: Needs) -> list[float]:
    """Runs a week that come back by set of people, as bits: what is needed by each set, summed over its subsets."""
    place = {who: number for number, who in enumerate(people)}
    value = [0.0] * (1 << len(people))
    for flow, needed in needs.items():
        if needed <= place.keys():
            value[sum(1 << place[who] for who in needed)] += flow.runs
    for number in range(len(people)):
        bit = 1 << number
        for chosen in range(len(value)):
            if chosen & bit:
                value[chosen] += value[chosen ^ bit]
    return value


def _ranked(people: Sequence[str], needs: Needs) -> list[str]:
    """Whoever restores most next; where nobody does alone, those behind the flow with most runs for each."""
    left, order = list(people), list[str]()
    open_flows = dict(needs)
    while left:
        gains = dict.fromkeys(left, 0.0)
        for flow, needed in open_flows.items():
            missing = [who for who in needed if who not in order]
            if len(missing) == 1:
                gains[missing[0]] += flow.runs
        best = max(left, key=lambda who: gains[who])
        if gains[best] <= 0 and open_flows:
            flow = max(open_flows, key=lambda each: each.runs / len(open_flows[each] - set(order)))
            best = next(who for who in left if who in open_flows[flow])
        order.append(best)
        left.remove(best)
        done = set(order)
        open_flows = {flow: needed for flow, needed in open_flows.items() if not needed <= done}
    return order
