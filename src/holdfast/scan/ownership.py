"""Whose things are: leavers are marked as they are read, and applications behind connections asked for their owners."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from typing import Final, TypeVar

from holdfast.core.errors import CloudError
from holdfast.core.identity import Owner, Principal, ServicePrincipal
from holdfast.core.inventory import Connection, ConnectionReference, Flow, ListedFlow
from holdfast.ports import Applications
from holdfast.reading.accounts import Accounts

MOST_APPLICATIONS: Final = 100
"""Asked in one scan, those never asked before first: an application is one question."""

Owned = TypeVar("Owned", Flow, ListedFlow, ConnectionReference)


class Ownership:
    """What one scan learns of owners.

    Attributes:
        accounts: of the tenant; None where not all could be read, and then nobody is said to have left.
        clients: in lower case, of the applications that SQL connections hold a secret or certificate of.
    """

    def __init__(self, applications: Applications | None) -> None:
        self._applications = applications
        self.accounts: Accounts | None = None
        self.clients: set[str] = set()

    async def connections(self, source: AsyncIterator[Connection]) -> AsyncIterator[Connection]:
        """With their owners marked, and their applications noted."""
        async for connection in source:
            if connection.client_id:
                self.clients.add(connection.client_id.casefold())
            yield replace(connection, owner=self._marked(connection.owner))

    async def owned(self, source: AsyncIterator[Owned]) -> AsyncIterator[Owned]:
        """With their owners marked."""
        async for thing in source:
            yield replace(thing, owned_by=self._marked(thing.owned_by))

    async def applications(
        self, source: AsyncIterator[ServicePrincipal], known: Mapping[str, ServicePrincipal]
    ) -> AsyncIterator[ServicePrincipal]:
        """With the owners that an earlier scan asked for: the list does not tell them."""
        async for app in source:
            before = known.get(app.client_id)
            yield replace(app, owners=before.owners if before else None)

    async def of_applications(
        self, there: Iterable[ServicePrincipal], principals: Mapping[str, Principal] | None
    ) -> list[ServicePrincipal]:
        """The applications behind the connections that were read, where their owners are others than known."""
        if self._applications is None:
            return []
        wanted = [app for app in there if app.client_id.casefold() in self.clients]
        names = {one.object_id: one.display_name for one in (principals or {}).values()}
        found = []
        for app in sorted(wanted, key=lambda app: app.owners is not None)[:MOST_APPLICATIONS]:
            try:
                ids = await self._applications.owners_of(app.object_id)
            except CloudError:
                break  # what is not known is not said; the next scan asks again
            owners = tuple(self._named(id, names) for id in ids)
            if owners != app.owners:
                found.append(replace(app, owners=owners))
        return found

    def _named(self, id: str, principals: Mapping[str, str]) -> Owner:
        if id in principals:
            return Owner(id, principals[id], kind="ServicePrincipal")
        account = self.accounts.by_name.get(id.casefold()) if self.accounts else None
        if account is None:
            return Owner(id, has_left=True if self.accounts and principals else None)
        return Owner(
            id, account.display_name, account.user_principal_name, has_left=account.is_enabled is False
        )

    def _marked(self, owner: Owner | None) -> Owner | None:
        if owner is None or self.accounts is None or owner.kind != "User":
            return owner
        account = self.accounts.by_name.get(owner.id.casefold())
        if account is not None and not (owner.display_name or owner.user_principal_name):
            owner = replace(
                owner, display_name=account.display_name, user_principal_name=account.user_principal_name
            )
        return replace(owner, has_left=account is None or account.is_enabled is False)
