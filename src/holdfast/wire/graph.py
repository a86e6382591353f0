"""Microsoft Graph: applications, service principals, users.

Recorded or documented: fixtures/entra/graph-addpassword.json, graph-batch-errors.json. The resources name the
properties of the reference pages (microsoft-graph-docs-contrib, application, serviceprincipal, user).
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from holdfast.wire.problems import Problem
from holdfast.wire.shape import GraphPage, Hidden, Shape


class PasswordCredential(Shape):
    """A client secret. `secretText` is told once, by addPassword; `hint` is its first three characters."""

    custom_key_identifier: str | None = None
    end_date_time: str | None = None
    key_id: str
    start_date_time: str | None = None
    secret_text: Hidden | None = None
    hint: str | None = None
    display_name: str | None = None


class KeyCredential(Shape):
    """A certificate. `customKeyIdentifier` is its thumbprint; `key` comes only when selected."""

    custom_key_identifier: str | None = None
    display_name: str | None = None
    end_date_time: str | None = None
    key: str | None = None
    key_id: str
    start_date_time: str | None = None
    type: str | None = None
    usage: str | None = None


class NewKeyCredential(Shape):
    """A certificate to be written; one that is there is told with its `keyId`."""

    key_id: str | None = None
    display_name: str | None = None
    custom_key_identifier: str | None = None
    type: str
    usage: str
    key: str | None = None
    start_date_time: str | None = None
    end_date_time: str | None = None


class NewPassword(Shape):
    """Body of addPassword."""

    class Wanted(Shape):
        """What the secret should be."""

        display_name: str
        end_date_time: str

    password_credential: Wanted


class NewApplication(Shape):
    """Body that registers an application."""

    display_name: str
    sign_in_audience: str


class NewPrincipal(Shape):
    """Body that makes an application an identity of the tenant."""

    app_id: str


class KeyId(Shape):
    """Body of removePassword."""

    key_id: str


class Certificates(Shape):
    """Body that writes an application's certificates, whole."""

    key_credentials: tuple[NewKeyCredential, ...]


class DirectoryObject(Shape):
    """Anything of the directory that is only pointed at."""

    id: str
    display_name: str | None = None


class Restriction(Shape):
    """One rule of an app management policy; `maxLifetime` is an ISO 8601 length."""

    restriction_type: str
    max_lifetime: str | None = None
    restrict_for_apps_created_after_date_time: str | None = None
    state: str | None = None


class Restrictions(Shape):
    """Rules of an app management policy, by what they limit."""

    password_credentials: tuple[Restriction, ...] | None = None
    key_credentials: tuple[Restriction, ...] | None = None


class AppManagementPolicy(Shape):
    """What the tenant forbids secrets of applications, or one application (documented: tenantappmanagementpolicy and
    appmanagementpolicy; the second has `restrictions`)."""

    id: str | None = None
    display_name: str | None = None
    description: str | None = None
    is_enabled: bool | None = None
    application_restrictions: Restrictions | None = None
    service_principal_restrictions: Restrictions | None = None
    restrictions: Restrictions | None = None


class Application(Shape):
    """An app registration. `id` is the object id, `appId` the client id."""

    id: str
    app_id: str
    display_name: str | None = None
    created_date_time: str | None = None
    deleted_date_time: str | None = None
    sign_in_audience: str | None = None
    identifier_uris: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None
    notes: str | None = None
    disabled_by_microsoft_status: str | None = None
    password_credentials: tuple[PasswordCredential, ...] | None = None
    key_credentials: tuple[KeyCredential, ...] | None = None


class ServicePrincipal(Shape):
    """An application as an identity of this tenant. `id` is its object id here."""

    id: str
    app_id: str
    display_name: str | None = None
    account_enabled: bool | None = None
    app_display_name: str | None = None
    app_owner_organization_id: str | None = None
    app_role_assignment_required: bool | None = None
    created_date_time: str | None = None
    deleted_date_time: str | None = None
    service_principal_type: str | None = None
    sign_in_audience: str | None = None
    tags: tuple[str, ...] | None = None
    disabled_by_microsoft_status: str | None = None
    password_credentials: tuple[PasswordCredential, ...] | None = None
    key_credentials: tuple[KeyCredential, ...] | None = None


class SignInActivity(Shape):
    """When a user last signed in. Only `lastSuccessfulSignInDateTime` means success."""

    last_sign_in_date_time: str | None = None
    last_sign_in_request_id: str | None = None
    last_non_interactive_sign_in_date_time: str | None = None
    last_non_interactive_sign_in_request_id: str | None = None
    last_successful_sign_in_date_time: str | None = None
    last_successful_sign_in_request_id: str | None = None


class User(Shape):
    """A person or a service account. All but id, displayName and userPrincipalName need `$select`."""

    id: str
    display_name: str | None = None
    user_principal_name: str | None = None
    mail: str | None = None
    account_enabled: bool | None = None
    user_type: str | None = None
    created_date_time: str | None = None
    deleted_date_time: str | None = None
    last_password_change_date_time: str | None = None
    sign_in_sessions_valid_from_date_time: str | None = None
    refresh_tokens_valid_from_date_time: str | None = None
    password_policies: str | None = None
    on_premises_sync_enabled: bool | None = None
    external_user_state: str | None = None
    sign_in_activity: SignInActivity | None = None


class AuthenticationRequirements(Shape):
    """`/users/{id}/authentication/requirements`: disabled, enabled or enforced, whatever policies say."""

    per_user_mfa_state: str | None = None


class BatchAnswer(Shape):
    """One answer within a batch; each has its own status."""

    id: str
    status: int
    headers: dict[str, str] | None = None
    body: Problem | dict[str, Any] | None = Field(default=None, union_mode="left_to_right")


class BatchAnswers(Shape):
    """`POST /$batch`: answers in any order."""

    responses: tuple[BatchAnswer, ...]


class Truth(Shape):
    """`Edm.Boolean`, as revokeSignInSessions answers."""

    context: str | None = Field(default=None, alias="@odata.context")
    value: bool


ApplicationPage = GraphPage[Application]
ServicePrincipalPage = GraphPage[ServicePrincipal]
UserPage = GraphPage[User]
