"""What the directory says of the person behind a connection, before the connection itself has noticed.

A connection says Connected until something uses it. Its owner's account tells sooner.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from holdfast.core.directory import Account
from holdfast.core.evidence import Evidence, EvidenceKind
from holdfast.core.horizon import Interval
from holdfast.core.inventory import Connection

TOGETHER: Final = timedelta(minutes=10)
"""A password that changed so near to a revocation is its reason."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """All accounts of a tenant, to be found by object id or user principal name."""

    by_name: dict[str, Account]

    @classmethod
    def of(cls, accounts: Iterable[Account]) -> Accounts:
        """Those given, which must be all there are: who is missing was deleted."""
        names: dict[str, Account] = {}
        for account in accounts:
            names[account.id.casefold()] = account
            names[account.user_principal_name.casefold()] = account
        return cls(names)

    def of_login(self, login: str) -> Account | None:
        """The synced account that a Windows login `DOMAIN\\name` or `name@domain` is; None where several can be it."""
        if "@" in login:
            return self.by_name.get(login.casefold())
        name = login.rpartition("\\")[2].casefold()
        found = {
            account.id: account
            for account in self.by_name.values()
            if account.is_synced and account.user_principal_name.partition("@")[0].casefold() == name
        }
        return next(iter(found.values())) if len(found) == 1 else None

    def behind(self, connection: Connection) -> Account | None:
        """Whose sign-in the connection holds: the account that it names, else whoever made it."""
        name, owner = connection.account_name, connection.owner
        account = self.by_name.get(name.casefold()) if name else None
        if account is None and owner is not None and owner.id:
            account = self.by_name.get(owner.id.casefold())
        return account


def account_evidence(
    connection: Connection, accounts: Accounts, refreshed: Interval | None, seen_at: datetime
) -> Evidence | None:
    """That its next refresh will be refused because of the account; None if nothing of it says so."""
    if not connection.sign_in.has_refresh_token:
        return None
    account = accounts.behind(connection)
    if account is None:
        named = connection.owner is not None and connection.owner.kind == "User"
        who = connection.account_name or (connection.owner.user_principal_name if connection.owner else "")
        return (
            _evidence("account_deleted", f"no account {who} is in the directory", seen_at) if named else None
        )
    who = account.user_principal_name
    if account.is_enabled is False:
        return _evidence("account_disabled", f"the account {who} is disabled", seen_at)
    since = account.sessions_valid_from
    if refreshed is None or since is None or since <= refreshed.latest:
        return None
    changed = account.password_changed_at
    is_password = changed is not None and abs(changed - since) <= TOGETHER
    return _evidence(
        "password_changed" if is_password else "session_revoked",
        f"sign-ins of {who} from before {since:%Y-%m-%d %H:%M} UTC are refused, and this one was last refreshed"
        f" {refreshed.latest:%Y-%m-%d %H:%M} UTC",
        since,
    )


def _evidence(cause: str, quote: str, at: datetime) -> Evidence:
    return Evidence(
        EvidenceKind.STATUS, cause, quote=quote, origin="graph", at=at, causes=(cause,), weight=0.95
    )
