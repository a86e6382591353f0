"""Inventory → horizons, nearest first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from holdfast.core import beliefs
from holdfast.core.facts import REFRESH_TOKEN_IDLE_LIMIT
from holdfast.core.horizon import Condition, Horizon, Interval
from holdfast.core.identity import ClientSecret, ServicePrincipal
from holdfast.core.policies import PolicyState
from holdfast.core.witness import Witness
from holdfast.diagnosis.known import Known as Known
from holdfast.diagnosis.known import unknown
from holdfast.diagnosis.passwords import password_change, password_expiry
from holdfast.diagnosis.policies import hit_of
from holdfast.diagnosis.sign_in_limits import sign_in_limits
from holdfast.diagnosis.switching_off import switching_off
from holdfast.diagnosis.usage import idle_break
from holdfast.reading.credentials import CAUSE_OF_KIND, candidates
from holdfast.reading.witnesses import last_refresh

WIDEST_EXPECTED: Final = timedelta(days=30)
WIDEST_EXPECTED_CREDENTIAL: Final = timedelta(days=2)
"""An `expected` break that is less certain than this is said as unknown."""

SIGN_IN_IS_GONE: Final = frozenset(
    {"token_inactive", "password_changed", "session_revoked", "account_deleted", "signin_frequency"}
)
"""After these only a new sign-in helps, so the old one cannot go idle any more."""


def forecast(known: Known) -> tuple[Horizon, ...]:
    """When each predictable cause can break the connection; a cause that already broke it is left out."""
    found = [horizon for look in FORESEEN for horizon in look(known)]
    return tuple(sorted(found, key=Horizon.sort_key))


def inactivity(known: Known) -> list[Horizon]:
    """The sign-in expires if nothing uses it for 90 days."""
    if not known.connection.sign_in.has_refresh_token or known.cause in SIGN_IN_IS_GONE:
        return []
    refreshed = last_refresh(known.witnesses)
    if refreshed is None and known.verdict is not None:
        return []  # it never signed in
    if refreshed is None:
        return [Horizon("token_inactive", Condition.IF_UNUSED, None, None, None, (beliefs.NO_WITNESS,))]
    stands_on = _idle_assumptions(known.witnesses)
    unused = Horizon.after(
        refreshed, REFRESH_TOKEN_IDLE_LIMIT, "token_inactive", Condition.IF_UNUSED, stands_on
    )
    comes = idle_break(
        refreshed,
        known.flows,
        known.seen_at,
        flows_read=known.flows_read,
        unseen=known.unseen,
        canvas=known.canvas,
        failing=[each.flow for each in known.failing],
        flows_complete=known.flows_complete,
    )
    if comes is None:
        return [unused]
    if comes.at.width > WIDEST_EXPECTED:
        return [unused]
    expected = Horizon(
        "token_inactive",
        Condition.EXPECTED,
        comes.at.earliest,
        comes.at.middle,
        comes.at.latest,
        (*comes.because, *stands_on),
    )
    return [expected] if expected.earliest == unused.earliest else [unused, expected]


def credential_expiry(known: Known) -> list[Horizon]:
    """The secret or certificate that the connection holds expires."""
    connection = known.connection
    kind = connection.sign_in.credential
    if not kind or known.cause == CAUSE_OF_KIND[kind]:
        return []
    cause = CAUSE_OF_KIND[kind]
    if connection.client_id is None:
        return [unknown(cause, beliefs.NO_APPLICATION_NAMED)]
    if known.apps is None:
        return [unknown(cause, beliefs.NO_DIRECTORY)]
    app = known.apps.get(connection.client_id)
    if app is None:
        return [
            unknown(
                cause,
                f"Application {connection.client_id} is not registered in this tenant: it was deleted, or its"
                " home is another tenant, whose administrators see its expiry.",
            )
        ]
    possible = candidates(connection, app, last_refresh(known.witnesses), known.shown)
    return _credential_horizon(kind, app, possible, is_shown=bool(known.shown))


def policies_in_waiting(known: Known) -> list[Horizon]:
    """A policy that only reports would stop the connection once it is switched on; nobody tells when."""
    found: dict[str, list[str]] = {}
    for policy in known.policies:
        hit = hit_of(policy, known.connection) if policy.state is PolicyState.REPORT_ONLY else None
        if hit is not None and hit.cause != known.cause:
            sure = "Once it is enforced" if hit.is_certain else "Once it is enforced, possibly"
            found.setdefault(hit.cause, []).append(f"{sure}: {hit.because}")
    return [
        Horizon(cause, Condition.IF_ENFORCED, None, None, None, tuple(because))
        for cause, because in found.items()
    ]


FORESEEN: Final[tuple[Callable[[Known], list[Horizon]], ...]] = (
    inactivity,
    credential_expiry,
    password_expiry,
    password_change,
    sign_in_limits,
    policies_in_waiting,
    switching_off,
)


def _idle_assumptions(found: tuple[Witness, ...]) -> tuple[str, ...]:
    said = [belief for witness in found for belief in witness.assumptions]
    return (beliefs.IDLE_RULE, *dict.fromkeys(said))


def _credential_horizon(
    kind: str, app: ServicePrincipal, possible: tuple[ClientSecret, ...], *, is_shown: bool
) -> list[Horizon]:
    cause = CAUSE_OF_KIND[kind]
    name = app.display_name or app.client_id
    expiries = [secret.expires_at for secret in possible if secret.expires_at is not None]
    if not possible:
        return [unknown(cause, f"{name} has no {kind} in the directory that this connection can hold.")]
    if len(expiries) < len(possible):
        return [
            unknown(
                cause,
                f"{name} has a {kind} without an expiry, and which one is held the platform does not tell.",
            )
        ]
    ends = Interval(expiries[0], expiries[-1])
    if ends.width > WIDEST_EXPECTED_CREDENTIAL:
        return [
            unknown(
                cause,
                f"{name} has {len(possible)} {kind}s that this connection can hold; they expire from"
                f" {ends.earliest:%Y-%m-%d} to {ends.latest:%Y-%m-%d}, and which one is held the platform does"
                " not tell; the application's sign-in log would.",
            )
        ]
    label = possible[0].display_name or possible[0].key_id
    held = f"It holds the only {kind} of {name} that it can hold, {label!r}."
    if is_shown:
        held = f"The sign-in log shows that it holds {label!r} of {name}."
    several = f"It holds one of {len(possible)} {kind}s of {name}, which expire close together."
    return [
        Horizon(
            cause,
            Condition.EXPECTED,
            ends.earliest,
            ends.middle,
            ends.latest,
            (held if len(possible) == 1 else several, beliefs.NOBODY_RENEWS),
        )
    ]
