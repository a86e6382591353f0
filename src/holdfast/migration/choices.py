"""What a person chose about a move, and who holdfast is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from holdfast.core.making import AppPolicy
from holdfast.core.plan import Accepted

USUAL_LIFE: Final = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose, and who holdfast is.

    Attributes:
        per_environment: one principal for all of an environment instead of one per group of flows.
        roles: for every database user beside its single grants.
        life: of the secrets or certificates.
        certificate: whether the applications sign in with certificates.
        operator: object id of the operator's identity in the tenant.
        has_sql_admin: whether holdfast makes the database users itself; `has_app_admin` the applications.
        app_admin: what people call the application administrator; empty where none is of ours.
        own_flows: whether the operator takes the flows over from their owners.
        starts: whether runs are started after the move, as the operator is a person.
    """

    plan: str
    tenant: str
    tenant_name: str
    tenant_id: str
    now: datetime
    operator: str
    policy: AppPolicy | None = None
    per_environment: bool = False
    roles: tuple[str, ...] = ()
    life: timedelta = USUAL_LIFE
    certificate: bool = False
    has_sql_admin: bool = True
    has_app_admin: bool = True
    accepted: tuple[Accepted, ...] = ()
    app_admin: str = ""
    own_flows: bool = False
    starts: bool = False
