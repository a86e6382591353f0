"""Tokens that the platform fetches for connections of type client certificate, of which it keeps the thumbprint here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from holdfast.sandbox.entra import errors as say
from holdfast.sandbox.entra.conditional_access import policy_results_of_principal
from holdfast.sandbox.entra.held_tokens import Redeemed
from holdfast.sandbox.entra.judgement import (
    Refused,
    refusals_of_assignment,
    refusals_of_certificate,
    refusals_of_client,
    refusals_of_principal,
    refusals_of_resource,
)
from holdfast.sandbox.entra.policy_conditions import Circumstances
from holdfast.sandbox.entra.sign_ins import Attempt, note_application
from holdfast.sandbox.entra.tokens import life_of
from holdfast.sandbox.records.directory import Certificate
from holdfast.sandbox.world import World


def refresh_by_certificate(
    world: World, client_id: str, thumbprint: str, resource_id: str, now: datetime
) -> Redeemed:
    """The platform asks for a connection of type client certificate."""
    correlation_id = world.fresh("correlation")
    app = world.applications.get(client_id)
    shown = _certificate(world, client_id, thumbprint)
    refused = next(refusals_by_certificate(world, client_id, thumbprint, resource_id, now), None)
    if app is not None and app.principal_id is not None:
        how = Circumstances(client_id, resource_id)
        policies = policy_results_of_principal(world, app.principal_id, how)
        key_id = shown.key_id if shown else None
        attempt = Attempt(
            client_id, resource_id, correlation_id, how.ip_address, "certificate", key_id, policies
        )
        note_application(world, now, attempt, app.principal_id, refused.error if refused else None)
    if refused:
        return Redeemed(None, refused, say.body(world, refused.error, now, correlation_id))
    return Redeemed(now + life_of(world, client_id, resource_id, now.isoformat()))


def refusals_by_certificate(
    world: World, client_id: str, thumbprint: str, resource_id: str, now: datetime
) -> Iterator[Refused]:
    """Why an application that signs with this certificate would be refused now; nothing if it would get its token."""
    app = world.applications.get(client_id)
    yield from refusals_of_client(world, app, client_id)
    if app is not None:
        yield from refusals_of_certificate(app, _certificate(world, client_id, thumbprint), thumbprint, now)
    resource = world.applications.get(resource_id)
    yield from refusals_of_resource(resource)
    if app is not None:
        yield from refusals_of_assignment(resource, app)
        yield from refusals_of_principal(world, app, resource_id)


def _certificate(world: World, client_id: str, thumbprint: str) -> Certificate | None:
    app = world.applications.get(client_id)
    known = (*app.certificates, *app.removed_certificates) if app else ()
    return next((one for one in known if thumbprint in (one.sha1, one.sha256)), None)
