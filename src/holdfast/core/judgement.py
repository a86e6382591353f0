"""Judgement: what we concluded about one connection from one look at it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from holdfast.core.finding import Finding
from holdfast.core.horizon import Horizon
from holdfast.core.inventory import ConnectionId, ConnectorId, EnvironmentId
from holdfast.core.verdict import Verdict
from holdfast.core.witness import Witness


@dataclass(frozen=True, slots=True)
class Judgement:
    """Its witnesses, its verdict and its horizons, nearest first.

    Attributes:
        verdict: None where nothing speaks for a break.
        shown: ids of the keys that its application showed when it last got a token, in order, where that was
            asked: the sign-in log forgets after a month, we do not.
        findings: what the checks found to stop it or that it can, in the order in which the cloud would answer.
        conflicts: where sources contradict each other, a sentence each.
        is_lifted: what stopped it when it was last used is over; its next use will tell.
        password_changed_at: of the account behind it, where a forecast stands on that.
    """

    environment: EnvironmentId
    connector: ConnectorId
    connection: ConnectionId
    verdict: Verdict | None = None
    horizons: tuple[Horizon, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    shown: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    conflicts: tuple[str, ...] = ()
    is_lifted: bool = False
    password_changed_at: datetime | None = None
