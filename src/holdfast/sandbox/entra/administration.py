"""What administrators and people do to accounts and applications (pure): the control port's events, and their effects.

The revocation matrix is the published one (entra-docs refresh-tokens.md @1c46dd7; entra-graph.md section 4.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from holdfast.sandbox.entra.audits import changed, note_account, note_application
from holdfast.sandbox.entra.first_party import GRAPH, SQL
from holdfast.sandbox.entra.held_tokens import refusals_of_application
from holdfast.sandbox.entra.judgement import (
    REFUSED_NOT_REVOKED,
    refusals_of_refresh,
    refusals_of_tenant,
)
from holdfast.sandbox.frame import Deed, Event, Standing
from holdfast.sandbox.records.directory import Account, Application, ClientSecret
from holdfast.sandbox.records.platform import Connection
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.world import World

STRICT_PASSWORD_REVOCATION = Rule(
    "password_change_revokes_connections",
    "A password change, self-service reset or reset in the Azure portal revokes confidential clients' tokens too.",
    Mark.ASSUMED,
    "Power Platform troubleshoot-broken-connections.md @051c368 quotes AADSTS50173; the matrix says they stay alive",
    flipped="Only password-based tokens are revoked, as the published matrix says.",
)
MATRIX = Rule(
    "revocation_matrix",
    "Which tokens a password change, a reset or a revocation ends follows the published matrix.",
    Mark.DOCUMENTED,
    "entra-docs identity-platform/refresh-tokens.md @1c46dd7 (2025-05-14)",
)
PASSWORD_EXPIRY = Rule(
    "password_expiry_revokes_nothing",
    "An expired password ends no token.",
    Mark.DOCUMENTED,
    "entra-docs identity-platform/refresh-tokens.md @1c46dd7",
)
REVOCATION_AT_ONCE = Rule(
    "revocation_is_immediate",
    "A revocation counts from the next token request; the cloud may take a few minutes.",
    Mark.ASSUMED,
    "Graph user-revokesigninsessions @01c641a says there may be a small delay",
    flipped="A revocation counts three minutes later; until then the tokens are taken.",
)
ACCESS_TOKENS_LIVE_ON = Rule(
    "access_tokens_outlive_revocation",
    "An access token that was issued works until its own end, whatever happens to the account.",
    Mark.DOCUMENTED,
    "entra-docs access-tokens.md @0bbfa8a; continuous access evaluation is absent here",
)
EXPIRY_IS_SILENT = Rule(
    "what_expires_by_itself_is_not_logged",
    "A password, secret or certificate that reaches its end leaves no row in the directory audit log, in the events too; "
    "the next sign-in that needs it does, in the sign-in log.",
    Mark.ASSUMED,
    "entra-docs reference-audit-activities lists no activity for an expiry: the log keeps what somebody did",
)
OWN_ASSIGNMENT = Rule(
    "assignment_is_checked_at_every_refresh",
    "An application that demands assignment refuses the tokens of whoever is not assigned, with AADSTS50105 or 501051.",
    Mark.DOCUMENTED,
    "entra-docs reference-error-codes @3164b3b names both; that a refresh is refused like a sign-in is inferred",
)
RULES = (
    STRICT_PASSWORD_REVOCATION,
    MATRIX,
    PASSWORD_EXPIRY,
    EXPIRY_IS_SILENT,
    OWN_ASSIGNMENT,
    REVOCATION_AT_ONCE,
    ACCESS_TOKENS_LIVE_ON,
)

REVOCATION_LAG = timedelta(minutes=3)
ALL_CLASSES = ("password", "nonpassword", "confidential")
RESET_PLACES = {"entra": ALL_CLASSES, "azure": ("password",), "sspr": ("password",)}


def revoke(world: World, account: Account, at: datetime, classes: tuple[str, ...], cause: str) -> None:
    """End the account's tokens of these classes that were signed in before `at`."""
    counts_from = at if world.holds(REVOCATION_AT_ONCE) else at + REVOCATION_LAG
    for token in world.refresh_tokens.values():
        if (
            token.account_id == account.object_id
            and token.token_class in classes
            and token.signed_in_at < at
            and token.revoked_at is None
        ):
            token.revoked_at, token.revoked_by = counts_from, cause
    if set(classes) == set(ALL_CLASSES):
        account.tokens_valid_from = at


def _classes_of_password(world: World, published: tuple[str, ...]) -> tuple[str, ...]:
    return ALL_CLASSES if world.holds(STRICT_PASSWORD_REVOCATION) else published


def change_password(deed: Deed) -> None:
    """The person changes the password."""
    account = deed.world.find_account(deed.target)
    _new_password(account, deed.now)
    revoke(deed.world, account, deed.now, _classes_of_password(deed.world, ("password",)), "password_changed")
    note_account(deed.world, deed.now, "Change user password", account, actor_id=account.object_id)


def reset_password(deed: Deed) -> None:
    """An administrator resets it; ``via`` is "entra" (the admin center), "azure" (the portal) or "sspr"."""
    account = deed.world.find_account(deed.target)
    via = str(deed.details.get("via", "entra"))
    if via not in RESET_PLACES:
        raise ValueError(f"via must be one of {', '.join(RESET_PLACES)}")
    _new_password(account, deed.now)
    revoke(
        deed.world, account, deed.now, _classes_of_password(deed.world, RESET_PLACES[via]), "password_changed"
    )
    if via == "sspr":
        service = {"logged_by": "Self-service Password Management", "actor_id": account.object_id}
        note_account(deed.world, deed.now, "Reset password (self-service)", account, **service)
    else:
        note_account(deed.world, deed.now, "Reset password", account)


def _new_password(account: Account, now: datetime) -> None:
    account.password_changed_at = now
    account.password_generation += 1
    account.password_expired_at = None


def expire_password(deed: Deed) -> None:
    """The password's validity ends. No token minds."""
    deed.world.find_account(deed.target).password_expired_at = deed.now


def revoke_sessions(deed: Deed) -> None:
    """Every session and refresh token of the account is revoked."""
    account = deed.world.find_account(deed.target)
    before = account.tokens_valid_from
    revoke(deed.world, account, deed.now, ALL_CLASSES, "session_revoked")
    moved = changed("StsRefreshTokensValidFrom", before.isoformat(), deed.now.isoformat())
    note_account(deed.world, deed.now, "Update StsRefreshTokenValidFrom Timestamp", account, changes=[moved])


def disable_account(deed: Deed) -> None:
    """Sign-in is blocked."""
    account = deed.world.find_account(deed.target)
    if not account.enabled:
        return
    account.enabled, account.disabled_at = False, deed.now
    if not deed.world.holds(REFUSED_NOT_REVOKED):
        revoke(deed.world, account, deed.now, ALL_CLASSES, "account_disabled")
    note_account(
        deed.world, deed.now, "Disable account", account, changes=[changed("AccountEnabled", True, False)]
    )


def enable_account(deed: Deed) -> None:
    """Sign-in is allowed again."""
    account = deed.world.find_account(deed.target)
    if account.enabled:
        return
    account.enabled, account.disabled_at = True, None
    note_account(
        deed.world, deed.now, "Enable account", account, changes=[changed("AccountEnabled", False, True)]
    )


def delete_account(deed: Deed) -> None:
    """The account goes to the deleted ones, from where it can come back for 30 days."""
    account = deed.world.find_account(deed.target)
    if account.deleted_at is None:
        account.deleted_at = deed.now
        note_account(deed.world, deed.now, "Delete user", account, operation="Delete")


def hard_delete_account(deed: Deed) -> None:
    """The account is gone for good."""
    account = deed.world.find_account(deed.target)
    account.deleted_at = account.deleted_at or deed.now
    account.hard_deleted_at = deed.now
    note_account(deed.world, deed.now, "Hard Delete user", account, operation="Delete")


def _secret(deed: Deed, app: Application) -> ClientSecret:
    """The secret named by ``key_id``; the newest without."""
    key_id = deed.details.get("key_id")
    found = [one for one in app.secrets if key_id in (None, one.key_id)]
    if not found:
        raise LookupError(f"secret of {app.client_id!r}")
    return max(found, key=lambda one: one.created_at)


def expire_secret(deed: Deed) -> dict[str, Any]:
    """A client secret's end is now."""
    secret = _secret(deed, deed.world.find_application(deed.target))
    secret.expires_at = deed.now
    return {"key_id": secret.key_id}


def remove_secret(deed: Deed) -> dict[str, Any]:
    """A client secret is removed."""
    app = deed.world.find_application(deed.target)
    secret = _secret(deed, app)
    drop_secret(deed.world, deed.now, app, secret)
    return {"key_id": secret.key_id}


def drop_secret(world: World, now: datetime, app: Application, secret: ClientSecret) -> None:
    """Take a secret from the application, and remember that it was there."""
    secret.removed_at = now
    app.secrets.remove(secret)
    app.removed_secrets.append(secret)
    note_credentials(world, now, app, "Remove service principal credentials")


def note_credentials(world: World, now: datetime, app: Application, activity: str) -> None:
    """The two rows that the log has for a change of credentials."""
    note_application(world, now, "Update application – Certificates and secrets management ", app)
    if app.principal_id is not None:
        note_application(
            world, now, activity, app, target_id=app.principal_id, target_type="ServicePrincipal"
        )


def expire_certificate(deed: Deed) -> dict[str, Any]:
    """A certificate's end is now; the one named by ``key_id``, else the newest."""
    app = deed.world.find_application(deed.target)
    key_id = deed.details.get("key_id")
    found = [one for one in app.certificates if key_id in (None, one.key_id)]
    if not found:
        raise LookupError(f"certificate of {app.client_id!r}")
    newest = max(found, key=lambda one: one.created_at)
    newest.expires_at = deed.now
    return {"key_id": newest.key_id}


def disable_app(deed: Deed) -> None:
    """The service principal is disabled in the tenant."""
    app = deed.world.find_application(deed.target)
    if app.enabled:
        app.enabled, app.disabled_at = False, deed.now
        off = changed("AccountEnabled", True, False)
        kind = "ServicePrincipal"
        note_application(
            deed.world, deed.now, "Update service principal", app, target_type=kind, changes=[off]
        )


def delete_app(deed: Deed) -> None:
    """The registration and its service principal go to the deleted ones."""
    app = deed.world.find_application(deed.target)
    if app.deleted_at is None:
        app.deleted_at = deed.now
        note_application(deed.world, deed.now, "Delete application", app, operation="Delete")


def grant_role(deed: Deed) -> None:
    """An application permission of Graph, named by ``role``, is granted to an application."""
    app = deed.world.find_application(deed.target)
    granted = f"{GRAPH.client_id}/{deed.details.get('role')}"
    if granted not in app.app_roles:
        app.app_roles.append(granted)
        note_application(deed.world, deed.now, "Add app role assignment to service principal", app)


def revoke_consent(deed: Deed) -> None:
    """What was consented for a client is taken back: by everybody, or by one ``account`` only.

    Targeted at an account, it is this person's consent for every client, the connections' among them.
    """
    app = deed.world.applications.get(deed.target.lower())
    if app is None:
        account = deed.world.find_account(deed.target)
        for client in [one for one in deed.world.applications.values() if one.delegated]:
            _withdraw_consent(deed, client, account)
    elif (named := deed.details.get("account")) is not None:
        _withdraw_consent(deed, app, deed.world.find_account(str(named)))
    else:
        app.delegated, app.consent_revoked_at = [], deed.now
        _note_consent_removed(deed, app)


def _withdraw_consent(deed: Deed, app: Application, account: Account) -> None:
    if account.object_id not in app.consent_withdrawn:
        app.consent_withdrawn[account.object_id] = deed.now
        _note_consent_removed(deed, app)


def _note_consent_removed(deed: Deed, app: Application) -> None:
    activity, kind = "Remove delegated permission grant", "ServicePrincipal"
    note_application(deed.world, deed.now, activity, app, target_id=app.principal_id, target_type=kind)


def require_assignment(deed: Deed) -> dict[str, Any]:
    """An application demands assignment, and the target, an account or an application, is not assigned.

    ``app`` is the client id of the application that demands it; without, it is Azure SQL. Whoever else is in the tenant
    is assigned when it first demands it.
    """
    app, who_id = _assignment(deed)
    if app.assignees is None:
        everybody = [one.principal_id for one in deed.world.applications.values() if one.principal_id]
        app.assignees = [*deed.world.accounts, *everybody]
    if who_id in app.assignees:
        app.assignees.remove(who_id)
        app.assignment_changed_at = deed.now
        activity = "Remove app role assignment from user"
        kind = "ServicePrincipal"
        note_application(deed.world, deed.now, activity, app, target_id=app.principal_id, target_type=kind)
    return {"app": app.client_id}


def assign(deed: Deed) -> dict[str, Any]:
    """The target, an account or an application, is assigned to ``app``; without, to Azure SQL."""
    app, who_id = _assignment(deed)
    if app.assignees is not None and who_id not in app.assignees:
        app.assignees.append(who_id)
        app.assignment_changed_at = deed.now
        activity = "Add app role assignment grant to user"
        kind = "ServicePrincipal"
        note_application(deed.world, deed.now, activity, app, target_id=app.principal_id, target_type=kind)
    return {"app": app.client_id}


def _assignment(deed: Deed) -> tuple[Application, str]:
    app = deed.world.find_application(str(deed.details.get("app", SQL.client_id)))
    target = deed.world.applications.get(deed.target)
    if target is not None and target.principal_id is not None:
        return app, target.principal_id
    return app, deed.world.find_account(deed.target).object_id


EVENTS: Mapping[str, Event] = {
    "change_password": change_password,
    "reset_password": reset_password,
    "expire_password": expire_password,
    "revoke_sessions": revoke_sessions,
    "disable_account": disable_account,
    "enable_account": enable_account,
    "delete_account": delete_account,
    "hard_delete_account": hard_delete_account,
    "expire_secret": expire_secret,
    "remove_secret": remove_secret,
    "expire_certificate": expire_certificate,
    "disable_app": disable_app,
    "delete_app": delete_app,
    "revoke_consent": revoke_consent,
    "grant_role": grant_role,
    "require_assignment": require_assignment,
    "assign": assign,
}


def causes(world: World, connection: Connection, now: datetime) -> Iterator[Standing]:
    """Why Entra would refuse the connection's next token; nothing for kinds that Entra never sees."""
    sql = world.applications.get(SQL.client_id)
    if connection.refresh_token_id is not None:
        token = world.refresh_tokens[connection.refresh_token_id]
        for refused in refusals_of_refresh(world, token, sql, now):
            yield Standing(refused.cause, refused.since)
    elif connection.parameter_set == "oauthSP":
        client_id = str(connection.parameters.get("token:clientId", ""))
        secret = connection.secrets.get("token:clientSecret", "")
        tenant = str(connection.parameters.get("token:TenantId", ""))
        for refused in refusals_of_tenant(world, tenant, connection.modified_at):
            yield Standing(refused.cause, refused.since)
        for refused in refusals_of_application(world, client_id, secret, SQL.client_id, now):
            yield Standing(refused.cause, refused.since)


def truth(world: World, now: datetime) -> dict[str, Any]:
    """The applications with their secrets, and the accounts."""
    return {
        "apps": [
            {
                "client_id": app.client_id,
                "name": app.display_name,
                "secrets": [
                    {
                        "key_id": secret.key_id,
                        "label": secret.label,
                        "expires_at": secret.expires_at.isoformat(),
                        "usable": now < secret.expires_at and app.enabled and app.deleted_at is None,
                    }
                    for secret in app.secrets
                ],
            }
            for app in world.applications.values()
            if not app.is_first_party
        ],
        "counters": {"queries_failed": 0, "writes": 0, **world.counts},
    }
