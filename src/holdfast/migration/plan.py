"""Connections that are ready → groups of flows → a plan that moves each group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from holdfast.core.plan import Declined, Plan, PlannedStep, saga_id
from holdfast.migration.case import Case, Finding
from holdfast.migration.choices import Choices
from holdfast.migration.eligibility import Grade, Readiness, readiness
from holdfast.migration.sagas import Group, Saga

KIND: Final = "migrate"


def plan_migration(cases: Sequence[Case], choices: Choices) -> Plan:
    """A saga per group of flows: connections that a flow uses together move together, or not at all."""
    judged = [(case, readiness(case)) for case in cases]
    judged = list(_one_rewriting_each(judged))
    ready = [(case, each) for case, each in judged if each.grade is not Grade.NO]
    declined = [_declined(case, each) for case, each in judged if each.grade is Grade.NO]
    groups = _by_environment(ready) if choices.per_environment else _by_flow(ready)
    steps: list[PlannedStep] = []
    for number, group in enumerate(groups, 1):
        steps += Saga(saga_id(choices.plan, number), group, choices).steps()
    return Plan(
        kind=KIND,
        id=choices.plan,
        tenant=choices.tenant,
        tenant_name=choices.tenant_name,
        made_at=choices.now,
        steps=tuple(steps),
        declined=tuple(declined),
        choices={
            "principal_per_environment": choices.per_environment,
            "roles": list(choices.roles),
            "life_days": choices.life.days,
            "operator": choices.operator,
            "own_flows": choices.own_flows,
            **({"credential": "certificate"} if choices.certificate else {}),
        },
        accepted=choices.accepted,
    )


def _one_rewriting_each(judged: Iterable[tuple[Case, Readiness]]) -> Iterator[tuple[Case, Readiness]]:
    """A definition is rewritten for one connection at a time: what it was before is what undoing writes back."""
    taken: set[str] = set()
    for case, found in judged:
        flows = {str(moving.flow.id) for moving in case.flows}
        if found.grade is Grade.NO or not case.needs_rewriting or not taken & flows:
            if found.grade is not Grade.NO and case.needs_rewriting:
                taken |= flows
            yield case, found
            continue
        says = "A flow of it is rewritten for another connection: plan again when that one has moved."
        yield case, Readiness(Grade.NO, Finding("another_first", says), ())


def _declined(case: Case, found: Readiness) -> Declined:
    blocking = found.blocking
    if blocking is None:
        raise ValueError("nothing speaks against it")
    return Declined(case.connection.id, case.environment.id, blocking.reason, blocking.says)


def _by_environment(ready: Iterable[tuple[Case, Readiness]]) -> list[Group]:
    groups: dict[str, Group] = {}
    for one in ready:
        groups.setdefault(one[0].environment.id, []).append(one)
    return list(groups.values())


def _by_flow(ready: Sequence[tuple[Case, Readiness]]) -> list[Group]:
    """Connections that share a flow stand in one group, however many flows lie between them."""
    groups: list[tuple[set[str], Group]] = []
    for one in ready:
        flows = {str(moving.flow.id) for moving in one[0].flows}
        joined: Group = []
        for known in [known for known in groups if known[0] & flows]:
            groups.remove(known)
            flows |= known[0]
            joined += known[1]
        groups.append((flows, [*joined, one]))
    return [group for _, group in groups]
