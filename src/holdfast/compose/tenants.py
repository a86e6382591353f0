"""A tenant of the settings, and the ways into it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.compose.credentials import credential, person, sign_in_name
from holdfast.compose.databases import examined_in, foreign_sql_hosts, sql_servers
from holdfast.compose.own_identities import own_client_ids, own_identities
from holdfast.compose.reach import Examination, Reach
from holdfast.compose.secrets import references, secret_stores
from holdfast.core.errors import CloudError, SettingsError
from holdfast.core.identity import Role
from holdfast.core.secret import Secret
from holdfast.core.sql import SqlPlace
from holdfast.diagnosis.known import Recurrences
from holdfast.ports import (
    Clock,
    FlowList,
    SqlServer,
)
from holdfast.scan.ourselves import OwnIdentity
from holdfast.settings import Identity, Settings, place
from holdfast.settings import Tenant as TenantSettings
from holdfast.settings.shape import NO_ID

if TYPE_CHECKING:
    from holdfast.adapters.cloud.connect import Access
    from holdfast.adapters.cloud.credentials import AnyCredential, Credential
    from holdfast.adapters.cloud.transport import Traffic
    from holdfast.adapters.secrets.references import References

BROWSER_SECONDS = 300
"""So long a sign-in in the browser of this machine is waited for."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant of the settings.

    Attributes:
        name: as the settings name it.
        id: under which the store keeps its rows: Entra's, or apart from it what one maker sees.
    """

    name: str
    id: str
    _tenant: TenantSettings
    _settings: Settings
    _secrets: References
    _clock: Clock

    @asynccontextmanager
    async def reached(self, role: Role = Role.READER, *, budget: int | None = None) -> AsyncIterator[Reach]:
        """The way in as the identity of `role`; closed at the end. Asks the cloud nothing yet.

        Args:
            budget: how many requests to each API there may be, after which BudgetSpentError is raised.

        Raises:
            SettingsError: the role has no identity, or it cannot be used.
        """
        access = self._access(role)
        access.traffic.budget = budget
        try:
            runs = access.flows if access.is_person else None
            async with self._flow_list(role, access) as flow_list:
                yield Reach(
                    platform=access.platform,
                    directory=access.directory,
                    applications=access.directory,
                    operator=access.operator,
                    registry=access.registry,
                    runs=runs,
                    spent=access.traffic.told,
                    recurrences=self.recurrences,
                    starter=runs,
                    flow_list=flow_list,
                    consenting=access.own,
                )
        finally:
            await access.close()

    @asynccontextmanager
    async def _flow_list(self, role: Role, access: Access) -> AsyncIterator[FlowList | None]:
        """Every flow, for the reader: by the person of its own role, else by the reader if that is a person."""
        if role is not Role.READER or self.sees_own_only:
            yield None
        elif not self.has(Role.FLOW_READER):
            yield access.flows if access.is_person else None
        else:
            person = self._access(Role.FLOW_READER, access.traffic)
            try:
                yield person.flows
            finally:
                await person.close()

    async def examined(self, role: Role, databases: Sequence[SqlPlace] = ()) -> Examination:
        """Which calls of the ledger the identity of `role` may make. Writes nothing.

        Args:
            databases: that a SQL administrator is to look into; a paused one wakes.

        Raises:
            SettingsError: the role has no identity, or it cannot be used.
            SecretStoreError: its secret cannot be read.
        """
        access = self._access(role)
        try:
            probes = [probe async for probe in access.probe(role)]
            if role is Role.SQL_ADMIN:
                sql = sql_servers(self._tenant, self._settings, access, self._clock)
                probes += await examined_in(sql, probes, databases)
            cloud_now = access.platform.cloud_now()
        finally:
            await access.close()
        return Examination(tuple(probes), None if cloud_now is None else cloud_now - self._clock.now())

    async def skew(self) -> timedelta | None:
        """How far the cloud's clock is ahead of ours, by one question that needs no token; None without an answer.

        Raises:
            SettingsError: there is no reader, or it cannot be used.
        """
        from holdfast.wire.ledger import OPENID_CONFIGURATION

        access = self._access(Role.READER)
        try:
            await access.transport.ask(OPENID_CONFIGURATION, at={"tenant": self._tenant.tenant_id})
        except CloudError:
            return None
        finally:
            cloud_now = access.platform.cloud_now()
            await access.close()
        return None if cloud_now is None else cloud_now - self._clock.now()

    def foreign_hosts(self) -> tuple[str, ...]:
        """Hosts of the settings that lie outside the shipped lists."""
        from holdfast.adapters.cloud.hosts import foreign_hosts

        hosts = self._tenant.hosts
        return foreign_hosts(self._tenant.cloud, hosts.given(), hosts.dataverse) + foreign_sql_hosts(
            self._tenant
        )

    @property
    def ca_file(self) -> Path | None:
        """Certificates that are believed instead of the operating system's."""
        return self._tenant.ca_file

    @property
    def recurrences(self) -> Recurrences:
        """What comes round for its sign-ins, from the settings."""
        return Recurrences(self._tenant.remember_mfa, self._tenant.terms_of_use)

    @property
    def sees_own_only(self) -> bool:
        """Whether the reader is a maker, to whom only the own connections show."""
        return self._tenant.scope == "own"

    async def signs_in(self, client_id: str, secret: Secret, kind: str = "secret") -> str:
        """Sign in anew as an application, with nothing cached; empty if that worked, else what Entra said.

        Args:
            kind: "secret", or "certificate" as `adapters.certificates` keeps them.
        """
        from holdfast.adapters.cloud.connect import connect
        from holdfast.wire.ledger import Audience

        credential = _of_application(client_id, secret, kind)
        access = connect(self._tenant.tenant_id, credential, self._clock, **self._hosts())
        try:
            # For what connections ask, so that in the sign-in log it looks like one and not like a stranger.
            await access.tokens.token(access.hosts.scopes[Audience.DATABASE])
        except CloudError as error:
            return str(error)
        finally:
            await access.close()
        return ""

    @property
    def entra_id(self) -> str:
        """The tenant as Entra knows it."""
        return self._tenant.tenant_id

    def client_id(self, role: Role) -> str:
        """The application of a role.

        Raises:
            SettingsError: the role has no identity, or one without an application of its own.
        """
        identity = self._tenant.identity(role)
        if identity is None or not identity.client_id:
            raise SettingsError(
                f"Tenant {self.name!r} has no application as {role.value}: `holdfast init --print-setup --role"
                f" {role.value}` prints how to register one."
            )
        return identity.client_id

    def has(self, role: Role) -> bool:
        """Whether the role has an identity."""
        return self._tenant.identity(role) is not None

    @asynccontextmanager
    async def sql(self, role: Role = Role.SQL_ADMIN) -> AsyncIterator[SqlServer]:
        """SQL servers as the identity of `role` sees them. Asks nothing yet.

        Raises:
            SettingsError: the role has no identity, or the driver of the settings cannot be used.
        """
        access = self._access(role)
        try:
            async with sql_servers(self._tenant, self._settings, access, self._clock) as server:
                yield server
        finally:
            await access.close()

    @asynccontextmanager
    async def sql_as(self, client_id: str, secret: Secret, kind: str = "secret") -> AsyncIterator[SqlServer]:
        """SQL servers as an application sees them that signs in with this. As `sql` and `signs_in` otherwise."""
        access = self._connected(_of_application(client_id, secret, kind))
        try:
            async with sql_servers(self._tenant, self._settings, access, self._clock) as server:
                yield server
        finally:
            await access.close()

    def sign_in(self, role: Role, show: Callable[[str], None], *, by_code: bool, seconds: int | None) -> str:
        """Let a person sign in for a role, and keep the tokens in the secret store. Blocks.

        Args:
            show: told what the person has to do.
            by_code: by device code instead of a browser on this machine.
            seconds: how long to wait for the person; None waits five minutes for the browser, and for as long as a
                device code is good.

        Returns:
            Who signed in.

        Raises:
            SettingsError: the role does not sign in as a person.
            CloudError: Entra refused.
        """
        from holdfast.adapters.cloud.connect import person_at

        identity = self._tenant.identity(role)
        if identity is None or not (identity.sign_in and identity.client_id):
            raise SettingsError(
                f"The {role.value} of tenant {self.name!r} does not sign in as a person: give [tenants.{self.name}."
                f"{role.value}] the client_id of your own public client and sign_in = true, which `holdfast init"
                " --print-setup --credential sign_in` explains."
            )
        self._refuse_placeholders(role, identity)
        who = person(self._settings, self._tenant, role, identity.client_id)
        with person_at(self._tenant.tenant_id, who, self._clock, **self._hosts()) as (source, scopes):
            if by_code:
                return source.sign_in_by_code(scopes, show, seconds)
            return source.sign_in_by_browser(scopes, show, BROWSER_SECONDS if seconds is None else seconds)

    def own_client_ids(self) -> dict[str, str]:
        """The applications of the settings, and the roles that each plays."""
        return own_client_ids(self._tenant, self._settings)

    async def own_identities(self) -> list[OwnIdentity]:
        """The identities of the settings whose credential can end; one entry for all roles of an application."""
        return await own_identities(self._tenant, self._settings)

    async def sign_out(self) -> list[str]:
        """Remove the tokens of persons; the roles that had some."""
        store = secret_stores(self._settings)[self._settings.secrets.store]
        return [role.value for role in Role if await store.delete(sign_in_name(self._tenant, role))]

    def try_azure_cli(self) -> None:
        """Ask the Azure CLI for a token of this tenant, and drop it.

        Raises:
            SettingsError: it is not installed.
            CloudError: it gave none.
        """
        from holdfast.adapters.cloud.azure_cli import AzureCliSource
        from holdfast.adapters.cloud.hosts import TABLES
        from holdfast.wire.ledger import Audience

        scope = TABLES[self._tenant.cloud].scopes[Audience.POWERAPPS]
        AzureCliSource(self._tenant.tenant_id, self._clock).acquire(scope)

    def _access(self, role: Role, traffic: Traffic | None = None) -> Access:
        identity = self._tenant.identity(role)
        if identity is None:
            raise SettingsError(
                f"Tenant {self.name!r} has no {role.value} identity: add [tenants.{self.name}.{role.value}], which"
                " `holdfast init` explains."
            )
        self._refuse_placeholders(role, identity)
        proof = credential(self._tenant, role, identity, self._settings, self._secrets)
        return self._connected(proof, traffic)

    def _refuse_placeholders(self, role: Role, identity: Identity) -> None:
        """Nobody is asked about an id that `holdfast init` left to be put in."""
        at = ("tenants", self.name)
        for path, value in (
            ((*at, "tenant_id"), self._tenant.tenant_id),
            ((*at, role.value, "client_id"), identity.client_id),
        ):
            if value == NO_ID:
                raise SettingsError(
                    f"{'.'.join(path)} ({place(path, self._settings.origins)}) is still the {NO_ID} that `holdfast init` left"
                    " there: put your own id in its place."
                )

    def _connected(self, credential: AnyCredential, traffic: Traffic | None = None) -> Access:
        from holdfast.adapters.cloud.connect import connect

        return connect(
            self._tenant.tenant_id,
            credential,
            self._clock,
            own_only=self.sees_own_only,
            traffic=traffic,
            **self._hosts(),
        )

    def _hosts(self) -> dict[str, Any]:
        """Where the tenant is, as the cloud's adapters take it."""
        return {
            "cloud": self._tenant.cloud,
            "hosts": self._tenant.hosts.given(),
            "dataverse": self._tenant.hosts.dataverse,
            "allow_custom_hosts": self._tenant.allow_custom_hosts,
            "ca_file": self._tenant.ca_file,
        }


def tenants_of(settings: Settings, environ: Mapping[str, str] | None = None) -> dict[str, Tenant]:
    """The tenants of the settings, by name; opens no store and asks nothing. Arguments as for `compose`."""
    from holdfast.adapters.system import SystemClock

    clock = SystemClock()
    secrets = references(settings, os.environ if environ is None else environ)
    return {
        name: Tenant(name, _kept_under(tenant), tenant, settings, secrets, clock)
        for name, tenant in settings.tenants.items()
    }


def _of_application(client_id: str, secret: Secret, kind: str) -> Credential:
    from holdfast.adapters.cloud.credentials import Credential

    if kind == "certificate":
        from holdfast.adapters.certificates import pem_of

        return Credential(client_id, certificate=lambda: pem_of(secret))
    return Credential(client_id, secret=lambda: secret)


def _kept_under(tenant: TenantSettings) -> str:
    # A maker's scan must not take what only an administrator sees for gone.
    return f"{tenant.tenant_id} own" if tenant.scope == "own" else tenant.tenant_id
