"""Whether a connection can move to a service principal: the checks in order, and the grade that they come to."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

from holdfast.migration.case import Case, Finding
from holdfast.migration.checks import connection, flows, policies, rights


class Grade(StrEnum):
    """How ready a connection is."""

    GO = "go"
    CARE = "go_with_care"
    NO = "no"


class Readiness(NamedTuple):
    """What is known against moving a connection; the first finding that blocks decides."""

    grade: Grade
    blocking: Finding | None
    cares: tuple[Finding, ...]


Check = Callable[[Case], Finding | None]

CHECKS: Final[tuple[Check, ...]] = (
    connection.signs_in_as_a_person_or_login,
    connection.is_of_the_sql_connector,
    flows.carries_flows,
    flows.flows_can_be_read,
    flows.has_no_first_version_operation,
    connection.is_cured_by_moving,
    flows.may_be_rewritten,
    rights.has_decided_rights,
    rights.has_a_place,
    connection.is_offered,
    policies.is_allowed_its_credential,
    policies.meets_no_policy_for_workloads,
    policies.is_allowed_by_data_policies,
    flows.is_kept_from_canvas_apps,
    policies.may_meet_a_policy_for_workloads,
    flows.is_managed,
    flows.polls,
    flows.has_flows_outside,
    connection.owner_left,
    connection.is_broken,
)
"""Those that block come first: the first of them decides."""


def readiness(case: Case) -> Readiness:
    """Whether the connection can move, and what to mind."""
    cares = []
    for check in CHECKS:
        found = check(case)
        if found is None or (found.blocks and found.fact in case.accepted):
            continue
        if found.blocks:
            return Readiness(Grade.NO, found, ())
        cares.append(found)
    return Readiness(Grade.CARE if cares else Grade.GO, None, tuple(cares))
