"""What several breaks have in common, and what each check of a connection came to, as commands print it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from holdfast.cli.times import iso

if TYPE_CHECKING:
    from holdfast.core.finding import Finding
    from holdfast.diagnosis.checks import Check
    from holdfast.diagnosis.together import Shared
    from holdfast.scan.standing import Picture, Standing


def shared_row(each: Shared, tenant: str) -> dict[str, Any]:
    """For programs, with the list behind it."""
    by = each.act.by if each.act else None
    return {
        "tenant": tenant,
        "says": each.sentence,
        "cause": each.cause,
        "thing": each.act.thing if each.act else None,
        "id": each.act.id if each.act else None,
        "by": (by.user_principal_name or by.id) if by else None,
        "at": iso(each.since),
        "explains": len(each.behind),
        "of": each.of,
        "comes_back": each.comes_back,
        "connections": [{"environment": where, "connection": id} for where, id in each.behind],
    }


def checks_of(standing: Standing, seen: Picture) -> Iterator[tuple[Check, Finding | None, str]]:
    """Every check of its kind, in order: what it found, and why it could not look; "" where it could."""
    from holdfast.diagnosis.checks import CHECKS

    connection, judgement = standing.status.connection, standing.judgement
    found = {each.check: each for each in reversed(judgement.findings if judgement else ())}
    for check in CHECKS:
        if connection.sign_in in check.of:
            unread = "; ".join(_unread(check, connection.environment, seen))
            if check.name == "failed_in_use" and not standing.status.flows:
                unread = unread or "no flow that uses it was seen"
            yield check, found.get(check.name), unread


def _unread(check: Check, environment: str, seen: Picture) -> Iterator[str]:
    from holdfast.core.coverage import RUNS, Outcome

    for part in check.parts:
        sweep = seen.record.sweep_of(environment if part == RUNS else "", part)
        if sweep is None:
            yield f"{part.replace('_', ' ')} were not asked for"
        elif sweep.outcome is not Outcome.SCANNED:
            yield f"{part.replace('_', ' ')}: {sweep.outcome.value}{_permission(sweep.detail)}"


def _permission(detail: str) -> str:
    """The permission that a refusal names; "" where it names none."""
    _, mark, rest = detail.partition("It needs ")
    return f", needs {rest.partition('. ')[0].rstrip('.')}" if mark else ""


def check_row(check: Check, found: Finding | None, unread: str) -> dict[str, Any]:
    """For programs. `found` is null where nothing was found; `not_looked_at` says why that may mean nothing."""
    return {
        "check": check.name,
        "asks": check.asks,
        "not_looked_at": unread or None,
        "found": finding_row(found) if found else None,
    }


def finding_row(found: Finding) -> dict[str, Any]:
    """For programs."""
    by = found.act.by if found.act else None
    return {
        "reason": found.reason,
        "message": found.message,
        "cause": found.cause,
        "end": found.end.value,
        "certain": found.is_certain,
        "since": iso(found.since),
        "by": (by.user_principal_name or by.id) if by else None,
        "evidence": [
            {
                "kind": fact.kind.value,
                "code": fact.code,
                "quote": fact.quote,
                "origin": fact.origin,
                "reach": fact.reach or None,
                "at": iso(fact.at),
            }
            for fact in found.evidence
        ],
    }


def check_line(check: Check, found: Finding | None, unread: str) -> str:
    """For people."""
    if found is not None:
        sure = "" if found.is_certain else "perhaps: "
        return f"{check.asks} {sure}{found.message} [{found.reason}]"
    return f"{check.asks} Not looked at ({unread})." if unread else f"{check.asks} Nothing found against it."
