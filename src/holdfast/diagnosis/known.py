"""Known: all that a forecast of one connection stands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from holdfast.core.horizon import Condition, Horizon
from holdfast.core.identity import ServicePrincipal
from holdfast.core.imported import PasswordTerm
from holdfast.core.inventory import Connection, Flow
from holdfast.core.policies import AccessPolicy
from holdfast.core.verdict import Verdict
from holdfast.core.witness import Witness


@dataclass(frozen=True, slots=True)
class Recurrences:
    """What comes round for everybody who signed in, and what no call of the cloud tells: settings of ours.

    Attributes:
        remember_mfa: so long a proof of the second factor lasts; None where it lasts as the sign-in does, or is not set.
        terms: so often terms of use must be accepted anew; None likewise.
    """

    remember_mfa: timedelta | None = None
    terms: timedelta | None = None


class Failing(NamedTuple):
    """A flow whose last run failed, when that run began."""

    flow: str
    since_at_latest: datetime


NOTHING_COMES_ROUND = Recurrences()


class Known(NamedTuple):
    """All that a forecast of one connection stands on.

    Attributes:
        witnesses: when its token was last refreshed.
        apps: the tenant's applications by client id; None where the directory could not be read.
        verdict: why it is broken; None where nothing speaks for a break.
        seen_at: when it was read, by the cloud's clock.
        flows: those that hold it, as far as they were seen.
        flows_read: whether the flows in solutions of its environment could be read.
        policies: for access of the tenant, as far as they could be read.
        shown: ids of the keys that its application showed when it last got a token, where the log tells.
        password: what an imported table tells of it.
        password_changed_at: of the synced account that its login is, or of the person whose sign-in it holds if that
            was after its last use; None where that is not known.
        failing: flows that use it and failed when they last ran.
        unseen: names of flows with SQL in its environment that only an imported table knows; None without one.
        canvas: names of canvas apps in its environment that name its connector; None where they were not read.
        flows_complete: whether all flows of its environment were seen, also those outside solutions.
    """

    connection: Connection
    witnesses: tuple[Witness, ...]
    apps: Mapping[str, ServicePrincipal] | None
    verdict: Verdict | None
    seen_at: datetime
    flows: tuple[Flow, ...] = ()
    flows_read: bool = False
    policies: tuple[AccessPolicy, ...] = ()
    shown: frozenset[str] = frozenset()
    password: PasswordTerm | None = None
    password_changed_at: datetime | None = None
    failing: tuple[Failing, ...] = ()
    unseen: tuple[str, ...] | None = None
    recurrences: Recurrences = NOTHING_COMES_ROUND
    canvas: tuple[str, ...] | None = None
    flows_complete: bool = False

    @property
    def cause(self) -> str | None:
        """Id of the cause that broke it."""
        return self.verdict.cause.id if self.verdict else None


def unknown(cause: str, *because: str) -> Horizon:
    """That the cause can break it as things stand, and that nobody can say when."""
    return Horizon(cause, Condition.EXPECTED, None, None, None, because)
