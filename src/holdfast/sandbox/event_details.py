"""What each event of the control port takes besides its target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

TAKES: Mapping[str, frozenset[str]] = {
    "reset_password": frozenset({"via"}),
    "change_mfa_method": frozenset({"method"}),
    "set_security_defaults": frozenset({"on"}),
    "remember_mfa": frozenset({"days"}),
    "add_location": frozenset({"ranges", "trusted"}),
    "expire_secret": frozenset({"key_id"}),
    "remove_secret": frozenset({"key_id"}),
    "expire_certificate": frozenset({"key_id"}),
    "grant_role": frozenset({"role"}),
    "revoke_consent": frozenset({"account"}),
    "require_assignment": frozenset({"app"}),
    "assign": frozenset({"app"}),
    "remove_licence": frozenset({"licence"}),
    "share_connection": frozenset({"with", "role"}),
    "reconsent": frozenset({"as"}),
    "dlp_block": frozenset({"connector", "action", "server"}),
    "dlp_allow": frozenset({"connector"}),
    "slow_directory": frozenset({"seconds"}),
    "set_vault_role": frozenset({"role"}),
    "edit_flow": frozenset({"definition"}),
    "deploy_solution": frozenset({"connection"}),
    "sql_drop_user": frozenset({"user"}),
    "sql_add_user": frozenset({"user", "roles"}),
    "sql_revoke": frozenset({"user", "permission", "object"}),
    "sql_grant": frozenset({"user", "permission", "object", "role"}),
    "sql_lock_login": frozenset({"user"}),
    "sql_unlock_login": frozenset({"user"}),
    "sql_trouble": frozenset({"error", "hours"}),
    "connector_outage": frozenset({"status", "hours"}),
}
"""By event; an event that is not named here takes nothing but its target."""

CHECKED_BY_THE_EVENT = frozenset({"add_policy", "set_app_policy"})
"""These take a Graph object, whose keys they know."""


def unknown_details(event: str, details: Iterable[str]) -> list[str]:
    """The keys that the event would not look at, so that a typing error is not silently nothing."""
    if event in CHECKED_BY_THE_EVENT:
        return []
    return sorted(set(details) - TAKES.get(event, frozenset()))
