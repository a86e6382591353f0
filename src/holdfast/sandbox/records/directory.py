"""Who is in the directory: users, and applications with what they prove themselves by."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True, kw_only=True)
class Account:
    """A user of the tenant.

    Attributes:
        tokens_valid_from: sign-ins before it are refused (``signInSessionsValidFromDateTime``).
        per_user_mfa: "disabled", "enabled" or "enforced".
        password_generation: counts changes; the password's text is derived from it.
        directory_roles: names such as "Power Platform Administrator".
    """

    object_id: str
    user_principal_name: str
    display_name: str
    created_at: datetime
    password_changed_at: datetime
    tokens_valid_from: datetime
    enabled: bool = True
    disabled_at: datetime | None = None
    deleted_at: datetime | None = None
    hard_deleted_at: datetime | None = None
    user_type: str = "Member"
    password_generation: int = 0
    password_expired_at: datetime | None = None
    wrong_passwords: int = 0
    locked_until: datetime | None = None
    password_policies: str | None = None
    synced_from_on_premises: bool = False
    per_user_mfa: str = "disabled"
    mfa_required_since: datetime | None = None
    mfa_methods: list[str] = field(default_factory=list)
    directory_roles: list[str] = field(default_factory=list)
    licences: list[str] = field(default_factory=list)
    accepted_terms: dict[str, datetime] = field(default_factory=dict)
    ip_address: str = "203.0.113.10"
    last_interactive_at: datetime | None = None
    last_noninteractive_at: datetime | None = None
    last_successful_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class ClientSecret:
    """A password credential of an application; its text is derived, never kept."""

    key_id: str
    label: str
    starts_at: datetime
    expires_at: datetime
    created_at: datetime
    removed_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Certificate:
    """A certificate credential: the public part, base64 DER as Graph has it, and its two thumbprints in hex."""

    key_id: str
    label: str
    der: str
    sha1: str
    sha256: str
    starts_at: datetime
    expires_at: datetime
    created_at: datetime
    removed_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class FederatedCredential:
    """Trust in tokens of another issuer."""

    id: str
    name: str
    issuer: str
    subject: str
    audiences: list[str]
    description: str | None = None
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class Application:
    """An app registration and its service principal in this tenant, by their one client id.

    Attributes:
        principal_id: object id of the service principal; None for a registration that has none yet.
        app_roles: application permissions granted, as "resource client id/role value".
        delegated: consents, as "resource client id/scope value".
        is_public: may redeem without a secret.
        is_first_party: one of Microsoft's, present in every tenant.
        consent_withdrawn: since when accounts that took back their own consent have done so, by object id.
        assignees: object ids of whom its tokens are for; None where assignment is not required.
    """

    client_id: str
    object_id: str
    display_name: str
    created_at: datetime
    principal_id: str | None = None
    principal_created_at: datetime | None = None
    enabled: bool = True
    disabled_at: datetime | None = None
    deleted_at: datetime | None = None
    is_public: bool = False
    is_spa: bool = False
    is_first_party: bool = False
    identifier_uris: list[str] = field(default_factory=list)
    redirect_uris: list[str] = field(default_factory=list)
    secrets: list[ClientSecret] = field(default_factory=list)
    removed_secrets: list[ClientSecret] = field(default_factory=list)
    certificates: list[Certificate] = field(default_factory=list)
    removed_certificates: list[Certificate] = field(default_factory=list)
    federated: list[FederatedCredential] = field(default_factory=list)
    app_roles: list[str] = field(default_factory=list)
    delegated: list[str] = field(default_factory=list)
    consent_revoked_at: datetime | None = None
    consent_withdrawn: dict[str, datetime] = field(default_factory=dict)
    assignees: list[str] | None = None
    assignment_changed_at: datetime | None = None
    owner_ids: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    notes: str | None = None
    sql_databases: list[str] = field(default_factory=list)
    is_platform_admin: bool = False
