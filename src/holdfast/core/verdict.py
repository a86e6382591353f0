"""Verdict: a cause, the evidence for it, and its remedies."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from holdfast.core.evidence import Evidence


class Actor(StrEnum):
    """Who has to act."""

    OWNER = "owner"  # whose sign-in the connection holds
    MAKER = "maker"  # who builds the flow
    ADMIN = "power_platform_admin"
    ENTRA_ADMIN = "entra_admin"
    APP_OWNER = "app_owner"
    DBA = "dba"
    NETWORK_ADMIN = "network_admin"
    GATEWAY_ADMIN = "gateway_admin"
    NOBODY = "nobody"  # it passes by itself

    @property
    def spoken(self) -> str:
        """As people say it at the beginning of a line."""
        return _TITLES.get(self, self.value.replace("_", " ").capitalize())


_TITLES = {
    Actor.OWNER: "Connection owner",
    Actor.MAKER: "Flow maker",
    Actor.ADMIN: "Power Platform admin",
    Actor.ENTRA_ADMIN: "Entra admin",
    Actor.APP_OWNER: "Application owner",
    Actor.DBA: "Database administrator",
    Actor.NOBODY: "Nobody, it passes",
}


@dataclass(frozen=True, slots=True)
class Cause:
    """A known way to break. `id` is stable for ever; its page is the docstring of its module."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do, by whom, whether holdfast can do it.

    Attributes:
        id: stable name of the remedy: "sign_in_again".
        does: one imperative sentence.
        command: the holdfast command that does it or leads to it, None when there is none.
    """

    id: str
    who: Actor
    does: str
    can_holdfast: bool = False
    command: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is broken and why.

    Attributes:
        confidence: from 0 to 1, how often such a verdict is right.
        because: the evidence it stands on, strongest first.
        alternatives: ids of other causes that fit, likeliest first.
    """

    cause: Cause
    confidence: float
    because: tuple[Evidence, ...] = ()
    alternatives: tuple[str, ...] = ()
    remedies: tuple[Remedy, ...] = ()


UNKNOWN = Cause("unknown", "No known cause")
NOT_CONNECTION = Cause("not_connection", "Not a broken connection")
