"""Which of an application's secrets and certificates a connection can be holding, and what that shows."""

from __future__ import annotations

from datetime import UTC, datetime

from holdfast.core.evidence import Evidence, EvidenceKind
from holdfast.core.horizon import Interval
from holdfast.core.identity import ClientSecret, ServicePrincipal
from holdfast.core.inventory import Connection

CAUSE_OF_KIND = {"secret": "secret_expired", "certificate": "certificate_invalid"}

_NEVER = datetime.max.replace(tzinfo=UTC)


def candidates(
    connection: Connection,
    app: ServicePrincipal,
    refreshed: Interval | None = None,
    shown: frozenset[str] = frozenset(),
) -> tuple[ClientSecret, ...]:
    """The credentials that it may hold, soonest to expire first; those without an expiry come last.

    The platform does not tell which one. It cannot be one made after the connection was last changed, nor,
    where it was not changed since it last got a token, one that was not valid then.

    Args:
        shown: ids of the keys that the application showed when the connection last got a token; empty where
            nobody knows.
    """
    kind = connection.sign_in.credential
    if refreshed and connection.modified_at and connection.modified_at > refreshed.latest:
        # Whatever it got then, another may have been put in since.
        refreshed, shown = None, frozenset()
    possible = [
        secret
        for secret in app.secrets
        if secret.kind == kind
        and (not shown or secret.key_id in shown)
        and not _made_later(secret, connection.modified_at)
        and not _invalid_during(secret, refreshed)
    ]
    return tuple(sorted(possible, key=lambda secret: (secret.expires_at or _NEVER, secret.key_id)))


def dead_credential_evidence(
    app: ServicePrincipal, possible: tuple[ClientSecret, ...], seen_at: datetime
) -> Evidence | None:
    """That every credential that it may hold has expired; None while one may live or nothing is known of any."""
    last = max((s.expires_at for s in possible if s.expires_at is not None), default=None)
    if last is None or last > seen_at or any(s.expires_at is None for s in possible):
        return None
    kind = possible[0].kind
    return Evidence(
        EvidenceKind.CREDENTIAL,
        f"{kind}_expired",
        quote=f"the last {kind} of {app.display_name or app.client_id} that this connection can hold expired"
        f" {last:%Y-%m-%d %H:%M} UTC",
        origin="graph",
        at=last,
        causes=(CAUSE_OF_KIND[kind],),
        weight=0.97,
        details={"client_id": app.client_id, "expired_at": last.isoformat()},
    )


def _made_later(secret: ClientSecret, changed_at: datetime | None) -> bool:
    return secret.starts_at is not None and changed_at is not None and secret.starts_at > changed_at


def _invalid_during(secret: ClientSecret, refreshed: Interval | None) -> bool:
    if refreshed is None:
        return False
    too_old = secret.expires_at is not None and secret.expires_at < refreshed.earliest
    too_new = secret.starts_at is not None and secret.starts_at > refreshed.latest
    return too_old or too_new
