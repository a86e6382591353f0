"""Which secrets and certificates have to be renewed, and when (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from holdfast.core.identity import ClientSecret, ServicePrincipal
from holdfast.core.inventory import Connection, ConnectionReference, Environment, SignIn
from holdfast.core.making import AppPolicy
from holdfast.core.plan import LABEL, Plan, saga_of

DUE_AT: Final = 2 / 3
"""Of a secret's life: from then on it is due."""

ALWAYS_WITHIN: Final = timedelta(days=14)
"""What expires so soon is taken along whatever its life was."""

USUAL_LIFE: Final = timedelta(days=180)

SETS: Final = {SignIn.SERVICE_PRINCIPAL: "oauthSP", SignIn.CERTIFICATE: "certOauth"}
"""The parameter set of connections that sign in so."""


class Consumer(NamedTuple):
    """A connection that holds a credential of the application.

    Attributes:
        is_seen: the operator made it, or it is shared with it, so that it may be changed in place.
        references: those bound to it, for the way round where it cannot be changed.
        target: server and database of a proof query; None where no flow tells.
        is_offered: the connector still offers its way to sign in.
        is_lacking: it was judged broken because it holds no secret or certificate that its application still has.
    """

    connection: Connection
    environment: Environment
    is_seen: bool
    references: tuple[ConnectionReference, ...] = ()
    target: tuple[str, str] | None = None
    is_offered: bool = True
    is_lacking: bool = False


class Use(NamedTuple):
    """A credential as the sign-in log shows it used.

    Attributes:
        resource: what was signed in to, as people call it.
        last_at: the newest such sign-in.
        by_connection: a connection can have done it: it is to a SQL server.
    """

    key_id: str
    resource: str
    ip_address: str
    last_at: datetime
    by_connection: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """One application with all that was looked at about one kind of credential; None for what could not be.

    Attributes:
        kind: "secret" or "certificate".
        owners: names of who owns the registration, by object id.
        stored: key ids whose text lies in our secret store, with the name there.
        ours: key ids that holdfast made, by its journal.
        held: key ids that the connections are known to hold; empty where that is not known.
        own: roles that this application plays for holdfast itself.
        log_read: whether its sign-ins can be read; `uses` is what they show, up to 30 days back.
        under_way: the saga of a rotation that is not over.
        policy: what it may sign in with; None where only the tenant's policy is known.
        may_sign_in: whether its identity in the tenant is there and enabled; None where that was not looked at.
    """

    app: ServicePrincipal
    consumers: tuple[Consumer, ...] = ()
    owners: Mapping[str, str] | None = None
    stored: Mapping[str, str] = field(default_factory=dict)
    own: str = ""
    log_read: bool = False
    kind: str = "secret"
    ours: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    uses: tuple[Use, ...] = ()
    under_way: str = ""
    policy: AppPolicy | None = None
    may_sign_in: bool | None = None

    @property
    def credentials(self) -> tuple[ClientSecret, ...]:
        """Those of its kind, which its connections can be holding."""
        return tuple(each for each in self.app.secrets if each.kind == self.kind)

    @property
    def is_broken(self) -> bool:
        """Whether a connection waits for a credential, however long those live that the application has."""
        none_left = bool(self.consumers) and not self.credentials
        return none_left or any(each.is_lacking for each in self.consumers)

    @property
    def strangers(self) -> tuple[Use, ...]:
        """Uses that no connection can have been."""
        known = {each.key_id for each in self.credentials}
        return tuple(use for use in self.uses if use.key_id in known and not use.by_connection)


def due_at(secret: ClientSecret) -> datetime | None:
    """When it should be renewed: at two thirds of its life; None without an expiry."""
    if secret.expires_at is None:
        return None
    start = secret.starts_at or secret.expires_at - USUAL_LIFE
    return start + (secret.expires_at - start) * DUE_AT


def deciding(candidate: Candidate, now: datetime) -> ClientSecret | None:
    """The credential whose end decides: the first to end of those that the connections hold, or may hold.

    An expired one decides only where none lives. None where none has an end.
    """
    held = [each for each in candidate.credentials if each.key_id in candidate.held]
    dated = [each for each in held or candidate.credentials if each.expires_at is not None]
    living = [each for each in dated if each.expires_at is not None and each.expires_at > now]
    if living:
        return min(living, key=_end)
    # Expired ones beside one that never ends do not matter: whoever still works holds that.
    endless = any(each.expires_at is None for each in held or candidate.credentials)
    return None if endless else max(dated, key=_end, default=None)


def _end(secret: ClientSecret) -> tuple[datetime | None, str]:
    return secret.expires_at, secret.key_id


def newest(credentials: Iterable[ClientSecret]) -> ClientSecret | None:
    """The last to end of those that have an end."""
    dated = [each for each in credentials if each.expires_at is not None]
    return max(dated, key=_end, default=None)


def is_due(candidate: Candidate, now: datetime) -> bool:
    """Whether a credential in use is past two thirds of its life, or ends within 14 days."""
    decides = deciding(candidate, now)
    if decides is None or decides.expires_at is None:
        return False
    due = due_at(decides)
    return decides.expires_at - now <= ALWAYS_WITHIN or (due is not None and due <= now)


def ours_of(app: ServicePrincipal, plans: Iterable[Plan]) -> frozenset[str]:
    """The key ids that the sagas of these plans made. A label alone does not make a secret ours.

    Another installation labels its secrets likewise, and a person can write any label.
    """
    sagas = {saga for plan in plans for saga in plan.sagas()}
    return frozenset(
        each.key_id
        for each in app.secrets
        if each.display_name.startswith(LABEL) and saga_of(each.display_name) in sagas
    )
