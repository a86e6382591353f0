"""Secrets and certificates that are due, as recurring work: told, and renewed where the settings let `watch` do it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from holdfast import saga
from holdfast.alerts.problems import Renewal
from holdfast.compose import Holdfast, Tenant
from holdfast.compose.alerting import tell_of_renewals
from holdfast.compose.rotating import bound_rotation, candidates, choices_for, rotations
from holdfast.core.agenda import WHOLE_TENANT, Cadence, Job, Performed
from holdfast.core.deed import Standing
from holdfast.core.identity import Role
from holdfast.rotation.checks import Choices, refusal_of
from holdfast.rotation.due import ALWAYS_WITHIN, Candidate, deciding, due_at, is_due
from holdfast.rotation.plan import plan_rotation
from holdfast.rotation.record import Rotated
from holdfast.scan.standing import Picture, picture

EVERY: Final = timedelta(days=1)
SPREAD: Final = timedelta(hours=4)

TRIED_AGAIN_AFTER: Final = timedelta(days=7)
"""A rotation that was refused at once is not planned anew every day; a person is told meanwhile."""


def renewing(holdfast: Holdfast, tenants: Mapping[str, Tenant]) -> Job:
    """The job that looks every day which applications are due.

    Args:
        tenants: by the id under which the store keeps them.
    """

    async def scanned(tenant: str) -> AsyncIterator[str]:
        # Who uses which application is known by the first scan only; until then nothing is due.
        if await holdfast.history.last_scan(tenant) is not None:
            yield WHOLE_TENANT

    async def perform(tenant: str, _subjects: Sequence[str]) -> Performed:
        return await renew(holdfast, tenants[tenant])

    return Job("rotation", Cadence(EVERY, SPREAD), scanned, perform)


async def renew(holdfast: Holdfast, tenant: Tenant) -> Performed:
    """Look what is due, tell it, and renew it where the settings say so.

    Raises:
        CloudError: the tenant could not be asked.
    """
    seen = await picture(holdfast.history, tenant.id, tenant.name, holdfast.clock.now())
    if seen is None:
        return Performed(again={WHOLE_TENANT: "the tenant was not scanned yet"})
    if not (tenant.has(Role.APP_ADMIN) and tenant.has(Role.OPERATOR)):
        return Performed("nobody may renew: there is no app_admin, or no operator")
    found, policy = await candidates(holdfast, tenant, seen)
    choices = await choices_for(tenant, seen, _plan_id(seen), policy)
    due = renewals(found, choices)
    looked_at = {subject for each in found for subject in _subjects_of(each)}
    await tell_of_renewals(holdfast, tenant, due, looked_at, seen.now)
    said = f"{len(due)} due"
    if not holdfast.settings.rotate.automatic:
        return Performed(said, len(due))
    stand = await _renewed(holdfast, tenant, await _worth_trying(holdfast, tenant, found, seen), choices)
    refused = sum(each.state == "refused" for each in stand)
    hindered = sum(bool(each.hindered) for each in due)
    return Performed(f"{said}, {len(stand)} begun, {refused} refused", hindered + refused)


def renewals(found: Iterable[Candidate], choices: Choices) -> list[Renewal]:
    """What is due now, with what hinders holdfast. Pure."""
    due = []
    for each in found:
        decides = deciding(each, choices.now)
        if decides is None or decides.expires_at is None or not is_due(each, choices.now):
            continue
        if not (each.consumers or each.own) or (each.under_way and not _presses(decides.expires_at, choices)):
            continue
        refusal = refusal_of(each, choices, wanted=False)
        since = min(filter(None, (due_at(decides), decides.expires_at - ALWAYS_WITHIN)))
        due.append(
            Renewal(
                each.app.client_id,
                each.app.display_name,
                each.kind,
                since,
                decides.expires_at,
                _subjects_of(each),
                refusal[1] if refusal else "",
            )
        )
    return due


def _presses(ends_at: datetime, choices: Choices) -> bool:
    """Whether it ends so soon that it is told of, though its renewal is under way."""
    return ends_at - choices.now <= ALWAYS_WITHIN


def _subjects_of(candidate: Candidate) -> tuple[str, ...]:
    own = (f"app:{candidate.app.client_id}",) if candidate.own else ()
    return (*own, *(str(each.connection.id) for each in candidate.consumers))


def _plan_id(seen: Picture) -> str:
    # The same for the same moment, so that a look that is repeated after a kill meets the plan it kept.
    return f"{int(seen.now.timestamp()):08x}"


async def _worth_trying(
    holdfast: Holdfast, tenant: Tenant, found: Sequence[Candidate], seen: Picture
) -> list[Candidate]:
    """Without those whose newest rotation was refused only now."""
    newest: dict[tuple[str, str], Rotated] = {}
    for each in await rotations(holdfast, tenant):
        newest.setdefault((each.application, each.kind), each)
    return [each for each in found if not _was_refused(newest.get((each.app.object_id, each.kind)), seen.now)]


def _was_refused(rotated: Rotated | None, now: datetime) -> bool:
    if rotated is None or rotated.standing.state != "refused" or rotated.standing.since is None:
        return False
    return now - rotated.standing.since < TRIED_AGAIN_AFTER


async def _renewed(
    holdfast: Holdfast, tenant: Tenant, found: Sequence[Candidate], choices: Choices
) -> list[Standing]:
    """Plan and begin; `watch` goes on with what waits, as with every plan."""
    plan = plan_rotation(found, replace(choices, apps=frozenset()))
    if not plan.steps:
        return []
    await holdfast.journal.keep(plan)
    async with (
        bound_rotation(holdfast, tenant, plan) as verb,
        holdfast.journal.turn(plan.tenant) as turn,
    ):
        return await saga.apply(plan, verb, holdfast.journal, turn, holdfast.clock, timedelta(0))
