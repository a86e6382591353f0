"""Whether Entra would issue a token, and if not why and since when (pure).

One list of small checks per kind of grant, in the order in which Entra is believed to answer. The token endpoint,
the platform's own refreshes and `/truth` all ask here, so that the world has one opinion.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from holdfast.sandbox.entra import errors as say
from holdfast.sandbox.entra.conditional_access import (
    PLATFORM_PLACE,
    blocks_of_principal,
    person_of,
    unmet_demands,
)
from holdfast.sandbox.entra.errors import TokenError
from holdfast.sandbox.entra.policy_conditions import PLATFORM_ADDRESS, Circumstances
from holdfast.sandbox.records.directory import Account, Application, Certificate, ClientSecret
from holdfast.sandbox.records.tokens import RefreshToken
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.world import World

IDLE_LIMIT = timedelta(days=90)
SPA_LIMIT = timedelta(days=1)
SOFT_DELETED_FOR = timedelta(days=30)

IDLE = Rule(
    "refresh_token_idle_limit",
    "A refresh token is refused with AADSTS700082 once it lay for 90 days.",
    Mark.DOCUMENTED,
    "entra-docs identity-platform/refresh-tokens.md @1c46dd7; text recorded in foundry-dev-tools#707",
)
OLD_TOKEN_NOT_RENEWED = Rule(
    "redeeming_does_not_renew_the_old_token",
    "Redeeming a refresh token gives a new one with 90 days of its own; the old one still ends 90 days after its issue.",
    Mark.ASSUMED,
    "inferred from one recorded case: Azure/AzureAuth#81, a daily job on one old token, refused after 93 days",
    flipped="Redeeming a refresh token also gives the old one 90 more days.",
)
GRANT_BEFORE_ACCOUNT = Rule(
    "token_lifetime_is_checked_before_the_account",
    "A token that is both idle and of a disabled account is refused as idle, then the account, then a revocation.",
    Mark.ASSUMED,
    "no recorded answer shows two causes at once",
    flipped="The account's state is answered before the token's own lifetime.",
)
SPA = Rule(
    "spa_token_lives_a_day",
    "A refresh token of a single-page app ends 24 hours after the sign-in, however often it is redeemed.",
    Mark.DOCUMENTED,
    "entra-docs identity-platform/refresh-tokens.md @1c46dd7",
)
REFUSED_NOT_REVOKED = Rule(
    "disabled_account_is_refused_not_revoked",
    "While an account is disabled its tokens are refused with AADSTS50057; enabled again, the same tokens work.",
    Mark.ASSUMED,
    "inferred from entra-docs users-revoke-access.md @07d3251: refresh re-evaluates the account",
    flipped="Disabling an account revokes its tokens for good.",
)
DELETED_CODES = Rule(
    "deleted_account_codes",
    "A deleted account is refused with AADSTS500341 for 30 days and with AADSTS50034 afterwards.",
    Mark.ASSUMED,
    "both codes are listed (f-bader, Power Platform troubleshooting); when which is said is nowhere",
    flipped="A deleted account is refused with AADSTS50034 from the start.",
)
NO_REFRESH_TOKEN_FOR_APPS = Rule(
    "client_credentials_give_no_refresh_token",
    "A service principal has no refresh token: it neither idles nor is it revoked.",
    Mark.DOCUMENTED,
    "entra-docs v2-oauth2-client-creds-grant-flow.md @03033eb",
)
RULES = (
    IDLE,
    OLD_TOKEN_NOT_RENEWED,
    GRANT_BEFORE_ACCOUNT,
    SPA,
    REFUSED_NOT_REVOKED,
    DELETED_CODES,
    NO_REFRESH_TOKEN_FOR_APPS,
)


class Refused(NamedTuple):
    """One reason to refuse.

    Attributes:
        cause: a cause id of the knowledge base.
        since: when it began; None if that cannot be known.
    """

    cause: str
    since: datetime | None
    error: TokenError


def idle_ends_at(world: World, token: RefreshToken) -> datetime:
    """When the token will have lain too long, if nobody redeems it."""
    if world.holds(OLD_TOKEN_NOT_RENEWED):
        return token.issued_at + IDLE_LIMIT
    return max(token.issued_at, token.used_at or token.issued_at) + IDLE_LIMIT


def refusals_of_refresh(
    world: World,
    token: RefreshToken,
    resource: Application | None,
    now: datetime,
    how: Circumstances | None = None,
) -> Iterator[Refused]:
    """Why this refresh token would be refused now for a token to `resource`; nothing if it would be taken.

    Args:
        how: None stands for a refresh by the platform.
    """
    account = world.accounts[token.account_id]
    lifetime = list(_lifetime(world, token, now))
    standing = list(_account(world, account, now))
    yield from lifetime + standing if world.holds(GRANT_BEFORE_ACCOUNT) else standing + lifetime
    yield from _revocation(token, now)
    yield from refusals_of_client(world, world.applications.get(token.client_id), token.client_id)
    yield from _consent(world, token)
    yield from refusals_of_resource(resource)
    yield from refusals_of_assignment(resource, account)
    how = how or circumstances_of_platform(world, token, resource)
    for unmet in unmet_demands(world, person_of(world, token), how, now):
        yield Refused(unmet.cause, unmet.since, unmet.error)


def circumstances_of_platform(
    world: World, token: RefreshToken, resource: Application | None
) -> Circumstances:
    """How the platform refreshes what it holds."""
    owner = world.accounts[token.account_id]
    place = PLATFORM_ADDRESS if world.holds(PLATFORM_PLACE) else owner.ip_address
    return Circumstances(token.client_id, resource.client_id if resource else "", place)


def _lifetime(world: World, token: RefreshToken, now: datetime) -> Iterator[Refused]:
    ends = idle_ends_at(world, token)
    if token.is_spa and now >= token.signed_in_at + SPA_LIMIT:
        yield Refused("token_inactive", token.signed_in_at + SPA_LIMIT, say.spa_over(token.signed_in_at))
    elif now >= ends:
        yield Refused("token_inactive", ends, say.inactive(token.issued_at, IDLE_LIMIT))


def _account(world: World, account: Account, now: datetime) -> Iterator[Refused]:
    if account.deleted_at is not None:
        gone = account.hard_deleted_at or (
            now if not world.holds(DELETED_CODES) or now >= account.deleted_at + SOFT_DELETED_FOR else None
        )
        error = say.no_account(world.display_name) if gone else say.deleted_account(world.display_name)
        yield Refused("account_deleted", account.deleted_at, error)
    elif not account.enabled:
        yield Refused("account_disabled", account.disabled_at, say.disabled_account())


def _revocation(token: RefreshToken, now: datetime) -> Iterator[Refused]:
    if token.revoked_at is not None and now >= token.revoked_at:
        yield Refused(
            token.revoked_by or "session_revoked",
            token.revoked_at,
            say.revoked(token.signed_in_at, token.revoked_at),
        )


def refusals_of_principal(
    world: World, app: Application, resource_id: str, ip_address: str = PLATFORM_ADDRESS
) -> Iterator[Refused]:
    """Why policies for workloads refuse this application from this place."""
    how = Circumstances(app.client_id, resource_id, ip_address)
    for unmet in blocks_of_principal(world, app.principal_id or "", how):
        yield Refused(unmet.cause, unmet.since, unmet.error)


def refusals_of_client(world: World, app: Application | None, client_id: str) -> Iterator[Refused]:
    """Why the client application itself gets no token."""
    if app is None or app.deleted_at is not None or app.principal_id is None:
        yield Refused(
            "app_disabled_or_missing",
            app.deleted_at if app else None,
            say.no_app(client_id, world.display_name),
        )
    elif not app.enabled:
        yield Refused(
            "app_disabled_or_missing", app.disabled_at, say.disabled_app(client_id, app.display_name)
        )


def _consent(world: World, token: RefreshToken) -> Iterator[Refused]:
    app = world.applications.get(token.client_id)
    if app is None:
        return
    since = app.consent_withdrawn.get(token.account_id)
    if app.consent_revoked_at is not None and not app.delegated:
        since = app.consent_revoked_at
    if since is not None:
        yield Refused("consent_missing", since, say.no_consent(app.client_id, app.display_name))


def refusals_of_resource(resource: Application | None) -> Iterator[Refused]:
    """Why nobody gets a token for this resource."""
    if resource is not None and not resource.enabled:
        yield Refused(
            "app_disabled_or_missing", resource.disabled_at, say.disabled_resource(resource.client_id)
        )


def refusals_of_assignment(resource: Application | None, who: Account | Application) -> Iterator[Refused]:
    """Why the resource is not for this person or application: its tokens are for those it was assigned to."""
    if resource is None or resource.assignees is None:
        return
    if isinstance(who, Account):
        who_id, error = (
            who.object_id,
            say.not_assigned(resource.client_id, resource.display_name, "{EmailHidden}"),
        )
    else:
        who_id, error = (
            who.principal_id or "",
            say.role_not_assigned(resource.client_id, resource.display_name, who.client_id),
        )
    if who_id not in resource.assignees:
        yield Refused("role_or_assignment_missing", resource.assignment_changed_at, error)


def refusals_of_tenant(world: World, name: str, since: datetime | None = None) -> Iterator[Refused]:
    """Why a token asked of another tenant is none of this one; an empty name stands for this one."""
    if name.lower() not in ("", world.tenant_id, world.domain.lower()):
        yield Refused("token_audience_or_tenant_wrong", since, say.no_tenant(name))


def refusals_of_secret(app: Application, credential: ClientSecret | None, now: datetime) -> Iterator[Refused]:
    """Why a client secret would be refused now; None stands for a text that no secret of the app has."""
    if credential is None or credential.removed_at is not None:
        yield Refused(
            "secret_invalid", credential.removed_at if credential else None, say.wrong_secret(app.client_id)
        )
    elif now >= credential.expires_at:
        yield Refused("secret_expired", credential.expires_at, say.expired_secret(app.client_id))


def refusals_of_certificate(
    app: Application, certificate: Certificate | None, thumbprint: str, now: datetime
) -> Iterator[Refused]:
    """Why a certificate would be refused now; None stands for one that the app does not have."""
    if certificate is None or certificate.removed_at is not None:
        since = certificate.removed_at if certificate else None
        yield Refused(
            "certificate_invalid", since, say.unregistered_certificate(thumbprint, "The key was not found.")
        )
    elif now >= certificate.expires_at:
        error = say.unregistered_certificate(thumbprint, "The key used is expired.")
        yield Refused("certificate_invalid", certificate.expires_at, error)
