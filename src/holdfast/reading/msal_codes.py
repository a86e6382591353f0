"""Codes that Microsoft's sign-in libraries give themselves, before or instead of an answer of Entra.

From the error lists of MSAL.NET (`MsalError`), MSAL.js (`ClientAuthError`, `InteractionRequiredAuthError`) and
MSAL Java, read 2026-11-24.
"""

from __future__ import annotations

from typing import Final

from holdfast.core.evidence import EvidenceKind
from holdfast.reading.codes import ENVELOPE, FAMILY, Meaning

MSAL: Final[tuple[tuple[EvidenceKind, Meaning, str], ...]] = (
    (
        EvidenceKind.OAUTH,
        Meaning(("token_inactive", "bad_credentials", "session_revoked"), 0.6),
        "no_account_in_silent_request no_tokens_found no_account_found no_account_error user_null user_login_error"
        " token_refresh_required native_account_unavailable failed_to_acquire_token_silently_from_broker"
        " no_account_for_login_hint no_cached_authority_error expired_token code_expired",
    ),
    (
        EvidenceKind.OAUTH,
        Meaning(("token_inactive", "session_revoked"), 0.85),
        "refresh_token_expired",
    ),
    (
        EvidenceKind.OAUTH,
        Meaning(("bad_credentials", "token_inactive", "mfa_required"), 0.5, FAMILY),
        "ui_not_allowed unknown_broker_error platform_broker_error authentication_ui_failed authentication_failed"
        " authentication_canceled user_cancel user_cancelled no_prompt_failed",
    ),
    (
        EvidenceKind.OAUTH,
        Meaning(("bad_credentials", "token_audience_or_tenant_wrong"), 0.7),
        "unknown_user unknown_user_type user_mismatch password_required_for_managed_user get_user_name_failed"
        " integrated_windows_auth_not_supported_managed_user no_username_specified_for_integrated_windows_auth"
        " parsing_wstrust_response_failed federated_service_returned_error accessing_ws_metadata_exchange_failed"
        " wstrust_endpoint_not_found parsing_ws_metadata_exchange_failed missing_federation_metadata_url",
    ),
    (
        EvidenceKind.OAUTH,
        Meaning(("mfa_required", "conditional_access_blocked", "signin_frequency"), 0.6, FAMILY),
        "external_challenge_required claims_challenge insufficient_claims",
    ),
    (
        EvidenceKind.OAUTH,
        Meaning(("token_audience_or_tenant_wrong", "app_disabled_or_missing", "bad_credentials"), 0.6),
        "managed_identity_request_failed user_assigned_managed_identity_not_supported"
        " user_assigned_managed_identity_not_configurable_at_runtime",
    ),
    (
        EvidenceKind.OAUTH,
        Meaning(("certificate_invalid",), 0.85),
        "cert_without_private_key device_certificate_not_found certificate_not_rsa client_credential_authentication_type",
    ),
    (
        EvidenceKind.OAUTH,
        Meaning(("network_or_tls",), 0.9),
        "managed_identity_unreachable_network no_network_connectivity network_error network_not_available"
        " endpoint_resolution_error endpoints_resolution_error openid_config_error post_request_failed"
        " get_request_failed non_https_redirect_failed",
    ),
    (EvidenceKind.OAUTH, Meaning(("network_or_tls", "service_transient"), 0.75), "request_timeout"),
    (EvidenceKind.OAUTH, Meaning(("service_transient",), 0.85), "service_not_available"),
    (EvidenceKind.OAUTH, Meaning(("throttled",), 0.9), "aad_throttled throttled_request slow_down"),
    (
        EvidenceKind.OAUTH,
        Meaning(("token_audience_or_tenant_wrong",), 0.75),
        "untrusted_authority invalid_authority_type tenant_override_non_aad authority_mismatch",
    ),
    (
        EvidenceKind.OAUTH,
        Meaning((), 0.0, ENVELOPE),
        "client_auth_error http_status_not_200 http_status_code",
    ),
)
"""Each meaning with the codes that have it."""
