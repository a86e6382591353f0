"""Limits of the platform, each with its source, how well it is supported, and the day it was read.

Support marks: `recorded` (seen in a real answer), `documented` (a page of the vendor), `code` (a shipped
client does it), `secondary` (one other public source), `assumed` (nobody has recorded it).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final, NamedTuple, TypeVar

Value = TypeVar("Value")


class Fact(NamedTuple):
    """One limit of the platform, as docs/facts.md prints it."""

    name: str
    value: object
    says: str
    support: str
    source: str
    read_on: date


FACTS: Final[list[Fact]] = []

_READ: Final = date(2026, 11, 23)


def _fact(name: str, value: Value, says: str, support: str, source: str) -> Value:
    FACTS.append(Fact(name, value, says, support, source, _READ))
    return value


REFRESH_TOKEN_IDLE_LIMIT: Final = _fact(
    "refresh_token_idle_limit",
    timedelta(days=90),
    "A refresh token that is not redeemed for this long expires; each redemption gives a new one with a fresh limit.",
    "documented",
    "entra-docs docs/identity-platform/refresh-tokens.md @1c46dd7",
)
ACCESS_TOKEN_LIFE_MIN: Final = _fact(
    "access_token_life_min",
    timedelta(minutes=60),
    "An access token lives at least this long.",
    "documented",
    "entra-docs docs/identity-platform/access-tokens.md @0bbfa8a",
)
ACCESS_TOKEN_LIFE_MAX: Final = _fact(
    "access_token_life_max",
    timedelta(minutes=90),
    "An access token lives at most this long, continuous access evaluation aside.",
    "documented",
    "entra-docs docs/identity-platform/access-tokens.md @0bbfa8a",
)
ACCESS_TOKEN_LIFE_LONGEST: Final = _fact(
    "access_token_life_longest",
    timedelta(hours=28),
    "With continuous access evaluation an access token lives up to this long.",
    "documented",
    "entra-docs docs/identity-platform/access-tokens.md @0bbfa8a",
)
EXPIRATION_TIME_IS_TOKEN_EXPIRY: Final = _fact(
    "expiration_time_is_token_expiry",
    True,
    "`expirationTime` of a connection is the expiry of its cached access token, so the last refresh lies one"
    " access-token life before it. Measured on recorded connections; the rule itself is ours.",
    "assumed",
    "microsoft/Employee-Self-Service-Agent-Developer-Kit flightcheck_pp_admin.yaml, 10 of 10 connections",
)
FLOW_FAILING_FOR: Final = _fact(
    "flow_failing_for",
    timedelta(days=14),
    "A flow that fails without a break for so long is switched off.",
    "documented",
    "learn.microsoft.com/power-automate/limits-and-config",
)
FLOW_DORMANT_AFTER: Final = _fact(
    "flow_dormant_after",
    timedelta(days=90),
    "A flow whose trigger did not fire for so long is switched off, but for owners with a paid plan.",
    "documented",
    "learn.microsoft.com/power-automate/limits-and-config",
)
SECRET_PROPAGATION: Final = _fact(
    "secret_propagation",
    timedelta(minutes=2),
    "A new client secret may be refused for seconds after it was made; replicas disagree.",
    "recorded",
    "microsoftgraph/microsoft-graph-docs-contrib#1921 (4-18 s), hashicorp/terraform-provider-vault#2079",
)
