"""The directory over Microsoft Graph, in our words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from holdfast.adapters.cloud.logs import change, sign_in_record
from holdfast.adapters.cloud.policies import access_policy, app_policy, password_policy
from holdfast.adapters.cloud.powerplatform import count_strangers
from holdfast.adapters.cloud.transport import Transport
from holdfast.core.directory import Account, Change, SignInRecord
from holdfast.core.identity import ClientSecret, Principal, ServicePrincipal
from holdfast.core.making import AppPolicy
from holdfast.core.policies import AccessPolicy, PasswordPolicy
from holdfast.wire import graph, signins
from holdfast.wire.ledger import (
    ACCESS_POLICIES,
    APPLICATIONS,
    DIRECTORY_AUDITS,
    DOMAINS,
    MFA_STATE,
    SERVICE_PRINCIPALS,
    SIGN_INS_OF_ACCOUNT,
    SIGN_INS_OF_APPLICATION,
    USERS,
)
from holdfast.wire.making.applications import (
    APP_MANAGEMENT_POLICY,
    APPLICATION_MADE,
    APPLICATION_OWNERS,
    OWN_APP_POLICIES,
    PRINCIPAL_OF,
)
from holdfast.wire.shape import instant, zulu


class GraphDirectory:
    """`ports.Directory` over Graph. Every method raises a CloudError of `core.errors`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def service_principals(self) -> AsyncIterator[ServicePrincipal]:
        """Every application registered in the tenant, with all its credentials."""
        async for told in self._transport.items(APPLICATIONS, graph.Application):
            count_strangers(self._transport.traffic.strangers, "application", told)
            yield application(told)

    async def principals(self) -> AsyncIterator[Principal]:
        """Every application identity of the tenant, also those that are registered elsewhere."""
        async for told in self._transport.items(SERVICE_PRINCIPALS, graph.ServicePrincipal):
            yield _principal(told)

    async def mfa_is_demanded(self, account: str) -> bool | None:
        """Whether the account itself is asked for a second factor, apart from policies; None if not told."""
        told = await self._transport.read(
            MFA_STATE, graph.AuthenticationRequirements, at={"account": account}
        )
        return None if told.per_user_mfa_state is None else told.per_user_mfa_state != "disabled"

    async def accounts(self) -> AsyncIterator[Account]:
        """Every account of the tenant, guests among them."""
        async for told in self._transport.items(USERS, graph.User):
            yield account(told)

    async def sign_ins_of_account(self, account: str, since: datetime) -> AsyncIterator[SignInRecord]:
        """Sign-ins by refresh token, newest first; stop taking, and no further page is asked for.

        Args:
            account: object id.
        """
        at = {"account": account, "since": zulu(since)}
        async for told in self._transport.items(SIGN_INS_OF_ACCOUNT, signins.SignIn, at=at):
            if (record := sign_in_record(told)) is not None:
                yield record

    async def sign_ins_of_application(self, client_id: str, since: datetime) -> AsyncIterator[SignInRecord]:
        """Sign-ins by secret or certificate, newest first, with the key that was shown."""
        at = {"client": client_id, "since": zulu(since)}
        async for told in self._transport.items(SIGN_INS_OF_APPLICATION, signins.SignIn, at=at):
            if (record := sign_in_record(told)) is not None:
                yield record

    async def changes(self, since: datetime) -> AsyncIterator[Change]:
        """What was changed in the directory, newest first."""
        async for told in self._transport.items(
            DIRECTORY_AUDITS, signins.DirectoryAudit, at={"since": zulu(since)}
        ):
            if (row := change(told)) is not None:
                yield row

    async def access_policies(self) -> AsyncIterator[AccessPolicy]:
        """Every Conditional Access policy, also those that are off or only report."""
        async for told in self._transport.items(ACCESS_POLICIES, signins.ConditionalAccessPolicy):
            yield access_policy(told)

    async def principal_of(self, client_id: str) -> Principal | None:
        """An application's identity in the tenant; None where it has none."""
        at = {"client": client_id}
        async for told in self._transport.items(PRINCIPAL_OF, graph.ServicePrincipal, at=at):
            return _principal(told)
        return None

    async def owners_of(self, application: str) -> dict[str, str]:
        """Who owns the application of that object id: names by object id, empty where none is told."""
        at = {"application": application}
        owners = self._transport.items(APPLICATION_OWNERS, graph.DirectoryObject, at=at)
        return {told.id: told.display_name or "" async for told in owners}

    async def app_policy(self, application: str | None = None) -> AppPolicy:
        """What is forbidden to a new application, or to the one of that object id."""
        if application is None:
            return app_policy(await self._transport.read(APP_MANAGEMENT_POLICY, graph.AppManagementPolicy))
        at = {"application": application}
        made_at = instant(
            (await self._transport.read(APPLICATION_MADE, graph.Application, at=at)).created_date_time
        )
        async for own in self._transport.items(OWN_APP_POLICIES, graph.AppManagementPolicy, at=at):
            # Nobody says what one that is switched off does: the tenant's is taken to count then.
            if own.is_enabled:
                return app_policy(own, made_at)
        told = await self._transport.read(APP_MANAGEMENT_POLICY, graph.AppManagementPolicy)
        return app_policy(told, made_at)

    async def password_policies(self) -> AsyncIterator[PasswordPolicy]:
        """How long passwords live, by domain."""
        async for told in self._transport.items(DOMAINS, signins.Domain):
            yield password_policy(told)


def application(told: graph.Application) -> ServicePrincipal:
    """An application in our words; `object_id` is that of its registration."""
    secrets = [_credential(part, "secret") for part in told.password_credentials or ()]
    certificates = [_credential(part, "certificate") for part in told.key_credentials or ()]
    return ServicePrincipal(
        client_id=told.app_id,
        object_id=told.id,
        display_name=told.display_name or told.app_id,
        secrets=(*secrets, *certificates),
    )


def account(told: graph.User) -> Account:
    """An account in our words."""
    valid_from = told.sign_in_sessions_valid_from_date_time or told.refresh_tokens_valid_from_date_time
    return Account(
        id=told.id,
        user_principal_name=told.user_principal_name or "",
        display_name=told.display_name or told.user_principal_name or told.id,
        is_enabled=told.account_enabled,
        is_guest=told.user_type == "Guest",
        is_synced=bool(told.on_premises_sync_enabled),
        created_at=instant(told.created_date_time),
        password_changed_at=instant(told.last_password_change_date_time),
        password_never_expires="DisablePasswordExpiration" in (told.password_policies or ""),
        sessions_valid_from=instant(valid_from),
    )


def client_secret(told: graph.PasswordCredential) -> ClientSecret:
    """A secret in our words; never its text."""
    return _credential(told, "secret")


def _credential(told: graph.PasswordCredential | graph.KeyCredential, kind: str) -> ClientSecret:
    return ClientSecret(
        key_id=told.key_id,
        display_name=told.display_name or "",
        kind=kind,
        starts_at=instant(told.start_date_time),
        expires_at=instant(told.end_date_time),
    )


def _principal(told: graph.ServicePrincipal) -> Principal:
    return Principal(told.app_id, told.id, told.display_name or told.app_id, told.account_enabled)
