"""Case: all that is known about one connection, as the checks take it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from holdfast.core.directory import Account, SignInRecord
from holdfast.core.evidence import Evidence
from holdfast.core.horizon import Interval
from holdfast.core.identity import ClientSecret, Principal, ServicePrincipal
from holdfast.core.inventory import Connection, Flow, FlowRun
from holdfast.core.policies import AccessPolicy, DataPolicy
from holdfast.reading.accounts import Accounts
from holdfast.reading.changes import Changes
from holdfast.reading.credentials import candidates


@dataclass(frozen=True, slots=True)
class Use:
    """The last run that failed of a flow that uses the connection, and has not succeeded since.

    Attributes:
        said: what the failed action met with, read; None where only a person who owns the flow may ask.
    """

    flow: Flow
    run: FlowRun
    said: tuple[Evidence, ...] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One connection and everything around it. None stands for "not looked at", never for "fine".

    Attributes:
        refreshed: when its token was last refreshed, by all witnesses.
        said: what the fault that the platform recorded says, read.
        principals: application identities by client id.
        shown: ids of the keys that its application showed when it last got a token.
        mfa_demanded: whether the owner's account itself is asked for a second factor.
        sign_ins: of the owner by refresh token, newest first.
        uses: that failed; empty where none did.
        was_registered: an earlier look saw its application at home in this tenant.
        former_app: that application as the look before saw it, where it is gone since.
    """

    connection: Connection
    seen_at: datetime
    refreshed: Interval | None = None
    said: tuple[Evidence, ...] = ()
    accounts: Accounts | None = None
    apps: Mapping[str, ServicePrincipal] | None = None
    principals: Mapping[str, Principal] | None = None
    policies: tuple[AccessPolicy, ...] | None = None
    changes: Changes | None = None
    data_policies: tuple[DataPolicy, ...] | None = None
    shown: frozenset[str] = frozenset()
    mfa_demanded: bool | None = None
    sign_ins: tuple[SignInRecord, ...] | None = None
    flows: tuple[Flow, ...] = ()
    uses: tuple[Use, ...] | None = None
    was_registered: bool = False
    former_app: ServicePrincipal | None = None

    @property
    def is_person(self) -> bool:
        """Whether it holds a person's sign-in."""
        return self.connection.sign_in.has_refresh_token

    @property
    def account(self) -> Account | None:
        """Whose sign-in it holds; None also where the directory was not read."""
        return self.accounts.behind(self.connection) if self.accounts is not None else None

    @property
    def person_id(self) -> str | None:
        """Object id of that account, known even when it is gone."""
        account = self.account
        owner = self.connection.owner
        return account.id if account else owner.id if owner else None

    @property
    def person_name(self) -> str:
        """That account as people call it."""
        account, connection = self.account, self.connection
        if account is not None:
            return account.user_principal_name or account.display_name
        owner = connection.owner.user_principal_name if connection.owner else ""
        return connection.account_name or owner or "its owner"

    @property
    def app(self) -> ServicePrincipal | None:
        """The application whose secret or certificate it holds, where that is known."""
        client = self.connection.client_id
        return self.apps.get(client) if self.apps is not None and client is not None else None

    @property
    def credentials(self) -> tuple[ClientSecret, ...]:
        """The secrets or certificates that it may hold."""
        return candidates(self.connection, self.app, self.refreshed, self.shown) if self.app else ()

    @property
    def told_at(self) -> datetime | None:
        """When the recorded fault was met; the platform writes it down on use."""
        if not self.said:
            return None
        return next((fact.at for fact in self.said if fact.at is not None), self.connection.modified_at)

    def let_through(self, since: datetime | None) -> bool:
        """Whether what stood since then did not keep it from a token."""
        return since is not None and self.refreshed is not None and since < self.refreshed.earliest
