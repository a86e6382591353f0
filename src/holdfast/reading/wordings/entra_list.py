"""How Entra's own list of error codes words them, for logs and pages that leave the code out.

From "Microsoft Entra authentication and authorization error codes", read 2026-11-24: those that tell a broken connection
and that no more general phrase tells.
"""

from __future__ import annotations

from typing import Final

from holdfast.core.evidence import EvidenceKind
from holdfast.reading.codes import Meaning
from holdfast.reading.wordings import Wording


def _says(code: str, causes: str, weight: float, *phrases: str) -> Wording:
    return Wording(code, EvidenceKind.WORDING, Meaning(tuple(causes.split()), weight), phrases)


ENTRA_LIST: Final = (
    _says(
        "a sign-in asked for again",
        "signin_frequency token_inactive",
        0.93,
        "re-authentication checks by conditional access",
    ),
    _says(
        "a password that cannot be right",
        "bad_credentials password_expired",
        0.8,
        "password entered exceeds the maximum length",
    ),
    _says(
        "a grant that is not this client's",
        "bad_credentials token_inactive token_audience_or_tenant_wrong",
        0.65,
        "provided grant is invalid or malformed",
        "grant was issued for a different client",
        "identifier in the provided grant doesn't match",
        "assertion is malformed",
    ),
    _says(
        "permissions that were not agreed",
        "consent_missing app_disabled_or_missing",
        0.85,
        "required resource access list does not contain",
        "required resource access configuration has changed",
    ),
    _says(
        "a device that did not prove itself",
        "device_not_compliant conditional_access_blocked",
        0.85,
        "failed to perform device authentication",
        "unsupported required device state",
    ),
    _says(
        "a factor of another provider",
        "mfa_required conditional_access_blocked",
        0.75,
        "claims sent by external provider",
        "external claims provider … not approved",
        "url of external claims provider",
        "definition of external control",
        "external controls mapping",
        "verifiable credential is required",
    ),
    _says(
        "a guest who has not come yet",
        "account_deleted consent_missing",
        0.65,
        "redemption is in a pending state",
        "guest user account is not fully created",
    ),
    _says(
        "an application or resource that is not valid here",
        "app_disabled_or_missing token_audience_or_tenant_wrong",
        0.7,
        "asked for permissions to access a resource that has been removed",
        "as a resource application",
        "is not a valid application identifier",
        "is not a valid resource identifier",
        "cannot be used or is not authorized",
        "provisioned resources are not supported in the tenant",
    ),
    _says(
        "a tenant that keeps out",
        "conditional_access_blocked token_audience_or_tenant_wrong",
        0.7,
        "tenant restrictions signals",
        "tenant has been blocked",
        "not allowed on identity tenant",
    ),
    _says(
        "the wrong door for this account",
        "token_audience_or_tenant_wrong account_deleted",
        0.8,
        "configured for use by microsoft account users only",
        "configured for use by azure active directory users only",
        "unsupported user account for this endpoint",
        "user type is not supported on this endpoint",
        "federation realm object",
        "unknown or invalid instance",
        "not a valid login domain",
        "device tokens are not supported for",
        "different target tenant is preferred",
        "resource application name … is not valid",
    ),
    _says(
        "a fault of the sign-in service",
        "service_transient",
        0.8,
        "error stemming from the directory service",
        "non-retryable error has occurred",
        "issue with our sign-in service",
        "external claims provider unavailable",
        "certificate revocation list (crl) download is currently in progress",
    ),
    _says(
        "a key that is too weak",
        "certificate_invalid",
        0.85,
        "key size … is less than the minimum required",
        "selected certificate does not meet the criteria",
        "has both x5t and x5c values",
    ),
)
