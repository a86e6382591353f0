"""Sign-ins and changes as Graph's logs tell them, in our words."""

from __future__ import annotations

from typing import Final

from holdfast.core.directory import Change, SignInKind, SignInRecord
from holdfast.wire import signins
from holdfast.wire.shape import instant

_KINDS: Final = {
    "interactiveUser": SignInKind.INTERACTIVE,
    "nonInteractiveUser": SignInKind.NON_INTERACTIVE,
    "servicePrincipal": SignInKind.APPLICATION,
}


def sign_in_record(told: signins.SignIn) -> SignInRecord | None:
    """A sign-in in our words; None for a row without a date, which can date nothing."""
    at = instant(told.created_date_time)
    if at is None:
        return None
    status = told.status or signins.SignInStatus()
    applied = told.applied_conditional_access_policies or ()
    return SignInRecord(
        id=told.id,
        at=at,
        kind=_kind(told),
        who=told.user_id or told.service_principal_id or "",
        client_id=told.app_id or "",
        resource_id=told.resource_id or "",
        code=status.error_code or 0,
        reason=status.failure_reason or "",
        correlation_id=told.correlation_id or "",
        blocked_by=tuple(policy.id for policy in applied if policy.result == "failure" and policy.id),
        key_id=told.service_principal_credential_key_id or None,
        resource=told.resource_display_name or "",
        ip_address=told.ip_address or "",
    )


def change(told: signins.DirectoryAudit) -> Change | None:
    """A change in our words; None for a row without a date."""
    at = instant(told.activity_date_time)
    if at is None:
        return None
    by = told.initiated_by or signins.AuditInitiator()
    targets = told.target_resources or ()
    changed = [part for target in targets for part in target.modified_properties or ()]
    return Change(
        id=told.id,
        at=at,
        # Real logs end some names with a blank.
        activity=(told.activity_display_name or "").strip(),
        succeeded=told.result == "success",
        by=(by.user.id if by.user else by.app.service_principal_id if by.app else None) or "",
        by_name=(by.user.user_principal_name if by.user else by.app.display_name if by.app else None) or "",
        targets=tuple(target.id for target in targets if target.id),
        target_names=tuple(
            name for target in targets if (name := target.display_name or target.user_principal_name)
        ),
        properties=tuple(dict.fromkeys(part.display_name for part in changed if part.display_name)),
        correlation_id=told.correlation_id or "",
    )


def _kind(told: signins.SignIn) -> SignInKind:
    kinds = [_KINDS[name] for name in told.sign_in_event_types or () if name in _KINDS]
    if kinds:
        return kinds[0]
    # v1.0 does not tell the kind, and lists interactive ones only.
    return SignInKind.INTERACTIVE if told.is_interactive else SignInKind.OTHER
