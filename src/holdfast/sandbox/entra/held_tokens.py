"""The tokens that the platform holds for connections, and what comes of refreshing them.

Power Platform rooms ask here when a connection is used and its cached access token is over.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from holdfast.sandbox.entra import errors as say
from holdfast.sandbox.entra.conditional_access import person_of, policy_results, policy_results_of_principal
from holdfast.sandbox.entra.judgement import (
    Refused,
    circumstances_of_platform,
    refusals_of_assignment,
    refusals_of_client,
    refusals_of_principal,
    refusals_of_refresh,
    refusals_of_resource,
    refusals_of_secret,
    refusals_of_tenant,
)
from holdfast.sandbox.entra.policy_conditions import Circumstances
from holdfast.sandbox.entra.sign_ins import Attempt, note_application, note_user
from holdfast.sandbox.entra.spreading import credential_has_spread
from holdfast.sandbox.entra.tokens import life_of
from holdfast.sandbox.ready import secret_text
from holdfast.sandbox.records.directory import Application, ClientSecret
from holdfast.sandbox.records.tokens import RefreshToken
from holdfast.sandbox.world import World


class Redeemed(NamedTuple):
    """What came of the platform's own refresh for a connection: a token's end, or a refusal and its stamped body."""

    ends_at: datetime | None
    refused: Refused | None = None
    body: Mapping[str, Any] = {}


def refresh_held(world: World, token: RefreshToken, resource_id: str, now: datetime) -> Redeemed:
    """The platform redeems the token that it holds for a connection; on success it holds the next one instead."""
    correlation_id = world.fresh("correlation")
    resource = world.applications.get(resource_id)
    how = circumstances_of_platform(world, token, resource)
    refused = next(refusals_of_refresh(world, token, resource, now, how), None)
    policies = policy_results(world, person_of(world, token), how, now)
    attempt = Attempt(token.client_id, resource_id, correlation_id, how.ip_address, policies=policies)
    note_user(world, now, attempt, world.accounts[token.account_id], refused.error if refused else None)
    if refused:
        return Redeemed(None, refused, say.body(world, refused.error, now, correlation_id))
    token.issued_at = token.used_at = now
    return Redeemed(now + life_of(world, token.id, now.isoformat()))


def renew_held(
    world: World, token: RefreshToken, resource_id: str, now: datetime, policies: Mapping[str, str]
) -> Redeemed:
    """The same where it is known that nothing refuses, with the policies as the log shows them."""
    how = circumstances_of_platform(world, token, world.applications.get(resource_id))
    correlation_id = world.fresh("correlation")
    attempt = Attempt(token.client_id, resource_id, correlation_id, how.ip_address, policies=policies)
    note_user(world, now, attempt, world.accounts[token.account_id], None)
    token.issued_at = token.used_at = now
    return Redeemed(now + life_of(world, token.id, now.isoformat()))


def refresh_elsewhere(world: World, tenant: str, now: datetime) -> Redeemed | None:
    """The refusal of a connection that names another tenant; None where it names this one."""
    refused = next(refusals_of_tenant(world, tenant), None)
    if refused is None:
        return None
    return Redeemed(None, refused, say.body(world, refused.error, now, world.fresh("correlation")))


def refresh_as_application(
    world: World, client_id: str, secret: str, resource_id: str, now: datetime
) -> Redeemed:
    """The platform asks for a connection of type service principal, with the secret that it stores."""
    correlation_id = world.fresh("correlation")
    app = world.applications.get(client_id)
    shown = secret_with_text(world, app, secret) if app else None
    key_id = shown.key_id if shown else None
    refused = next(refusals_of_application(world, client_id, secret, resource_id, now), None)
    if refused is None and shown and not credential_has_spread(world, shown.key_id, shown.created_at, now):
        refused = Refused("secret_invalid", shown.created_at, say.wrong_secret(client_id))
    if app is not None and app.principal_id is not None:
        how = Circumstances(client_id, resource_id)
        attempt = Attempt(
            client_id,
            resource_id,
            correlation_id,
            how.ip_address,
            "clientSecret",
            key_id,
            policy_results_of_principal(world, app.principal_id, how),
        )
        note_application(world, now, attempt, app.principal_id, refused.error if refused else None)
    if refused:
        return Redeemed(None, refused, say.body(world, refused.error, now, correlation_id))
    return Redeemed(now + life_of(world, client_id, resource_id, now.isoformat()))


def refusals_of_application(
    world: World, client_id: str, secret: str, resource_id: str, now: datetime
) -> Iterator[Refused]:
    """Why an application that shows this secret would be refused now; nothing if it would get its token."""
    app = world.applications.get(client_id)
    yield from refusals_of_client(world, app, client_id)
    if app is not None:
        yield from refusals_of_secret(app, secret_with_text(world, app, secret), now)
    resource = world.applications.get(resource_id)
    yield from refusals_of_resource(resource)
    if app is not None:
        yield from refusals_of_assignment(resource, app)
        yield from refusals_of_principal(world, app, resource_id)


def secret_with_text(world: World, app: Application, text: str) -> ClientSecret | None:
    """The application's secret with this text, a removed one included; None if it never had it."""
    known = (*app.secrets, *app.removed_secrets)
    return next(
        (one for one in known if hmac.compare_digest(secret_text(world, one).encode(), text.encode())), None
    )
