"""Entra: what an identity sees there, and what the application administrator does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Protocol

from holdfast.core.directory import Account, Change, SignInRecord
from holdfast.core.identity import ClientSecret, Principal, ServicePrincipal
from holdfast.core.making import AppPolicy
from holdfast.core.policies import AccessPolicy
from holdfast.core.secret import Secret


class Directory(Protocol):
    """Entra as one identity sees it through Graph."""

    def principals(self) -> AsyncIterator[Principal]:
        """Every application identity of the tenant, also those that are registered elsewhere."""
        ...

    def changes(self, since: datetime) -> AsyncIterator[Change]:
        """What was changed in the directory, newest first."""
        ...

    def sign_ins_of_account(self, account: str, since: datetime) -> AsyncIterator[SignInRecord]:
        """Sign-ins of an account by refresh token, newest first; by its object id."""
        ...

    async def mfa_is_demanded(self, account: str) -> bool | None:
        """Whether the account itself is asked for a second factor, apart from policies; None if not told."""
        ...

    def service_principals(self) -> AsyncIterator[ServicePrincipal]:
        """Every application registered in the tenant, with all its credentials."""
        ...

    def accounts(self) -> AsyncIterator[Account]:
        """Every account of the tenant, guests among them."""
        ...

    def sign_ins_of_application(self, client_id: str, since: datetime) -> AsyncIterator[SignInRecord]:
        """Sign-ins by secret or certificate, newest first, with the key that was shown."""
        ...

    def access_policies(self) -> AsyncIterator[AccessPolicy]:
        """Every Conditional Access policy, also those that are off or only report."""
        ...


class Applications(Protocol):
    """Applications as the reader sees them. Every method raises a CloudError of `core.errors`."""

    async def principal_of(self, client_id: str) -> Principal | None:
        """An application's identity in the tenant; None where it has none."""
        ...

    async def owners_of(self, application: str) -> dict[str, str]:
        """Who owns the application of that object id: names by object id, empty where none is told."""
        ...

    async def app_policy(self, application: str | None = None) -> AppPolicy:
        """What is forbidden to a new application, or to the one of that object id, which may be excepted."""
        ...


class Registry(Protocol):
    """What holdfast does with applications, as the app administrator. Every method raises a CloudError.

    Applications are named by the object id of their registration. Deleting what is not there is no error.
    """

    def labelled(self, label: str) -> AsyncIterator[ServicePrincipal]:
        """The applications whose name begins so. A new one may be missing for some minutes."""
        ...

    async def application(self, application: str) -> ServicePrincipal:
        """One, with all its credentials."""
        ...

    async def register(self, name: str) -> ServicePrincipal:
        """A new application, owned by us. Not to be repeated without a look."""
        ...

    async def make_principal(self, client_id: str) -> str:
        """Make it an identity of the tenant; that identity's object id.

        Raises:
            MissingError: the application is not known everywhere yet.
        """
        ...

    async def add_secret(
        self, application: str, label: str, expires_at: datetime
    ) -> tuple[ClientSecret, Secret]:
        """A new secret and its text, which is told this once. Not to be repeated without a look."""
        ...

    async def remove_secret(self, application: str, key_id: str) -> None:
        """Remove one secret."""
        ...

    async def add_certificate(
        self, application: str, label: str, certificate: bytes, starts_at: datetime, expires_at: datetime
    ) -> None:
        """Add a certificate beside the ones that are there.

        Args:
            certificate: its public part, DER.
        """
        ...

    async def remove_certificate(self, application: str, key_id: str) -> None:
        """Remove one certificate."""
        ...

    async def delete(self, application: str) -> None:
        """Remove an application with all its credentials."""
        ...
