"""The grants of the token endpoint, one function each: the form in, a token answer out."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from holdfast.sandbox.clock import wall
from holdfast.sandbox.entra import errors as say
from holdfast.sandbox.entra.audiences import resource_of
from holdfast.sandbox.entra.clients import Credential, Times, TokenRefusedError, authenticate
from holdfast.sandbox.entra.conditional_access import person_of, policy_results, policy_results_of_principal
from holdfast.sandbox.entra.errors import TokenError
from holdfast.sandbox.entra.first_party import GRAPH, Resource
from holdfast.sandbox.entra.judgement import (
    Refused,
    refusals_of_assignment,
    refusals_of_client,
    refusals_of_principal,
    refusals_of_refresh,
    refusals_of_resource,
)
from holdfast.sandbox.entra.jwt import encode
from holdfast.sandbox.entra.policy_conditions import Circumstances
from holdfast.sandbox.entra.sign_ins import Attempt, note_application, note_user
from holdfast.sandbox.entra.spreading import has_spread
from holdfast.sandbox.entra.tokens import app_token, id_token, life_of, user_token
from holdfast.sandbox.ready import refresh_token_text
from holdfast.sandbox.records.directory import Application
from holdfast.sandbox.records.tokens import RefreshToken
from holdfast.sandbox.tenant import Tenant
from holdfast.sandbox.world import World

APPLICATION_ADDRESS = "203.0.113.20"
"""Where applications ask from, as policies and the sign-in log see it: all of them are on loopback here."""
OIDC_SCOPES = frozenset({"openid", "profile", "offline_access", "email"})


class Wanted(NamedTuple):
    """What the token shall be for.

    Attributes:
        audience: the identifier as the client wrote it; a double slash leaves one at its end.
        names: the scopes' last parts, ".default" among them.
        oidc: openid, profile, offline_access as asked.
    """

    resource: Resource
    audience: str
    names: tuple[str, ...]
    oidc: frozenset[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request at the token endpoint. `tenant_name` is the segment of the path."""

    tenant: Tenant
    tenant_name: str
    form: Mapping[str, str]
    now: datetime
    correlation_id: str

    @property
    def world(self) -> World:
        """The tenant's world."""
        return self.tenant.world

    def need(self, name: str) -> str:
        """A field that must be there."""
        value = self.form.get(name)
        if not value:
            raise TokenRefusedError(say.missing_parameter(name))
        return value

    def client(self) -> Application:
        """The application that asks, present and enabled."""
        client_id = self.need("client_id").lower()
        app = self.world.applications.get(client_id)
        for refusal in refusals_of_client(self.world, app, client_id):
            raise TokenRefusedError(refusal.error)
        if app is None or not has_spread(self.world, app, self.now):
            raise TokenRefusedError(say.no_app(client_id, self.world.display_name))
        return app

    def circumstances(self, account_id: str, resource: Resource) -> Circumstances:
        """How a client on a person's machine asks: from the person's address, for all clients here are on loopback."""
        place = self.world.accounts[account_id].ip_address
        return Circumstances(self.form.get("client_id", ""), resource.client_id, place)

    def attempt(
        self,
        resource: Resource,
        credential: Credential,
        ip_address: str,
        policies: Mapping[str, str],
    ) -> Attempt:
        """This request as the sign-in log notes it."""
        return Attempt(
            self.form.get("client_id", ""),
            resource.client_id,
            self.correlation_id,
            ip_address,
            credential.kind,
            credential.key_id,
            policies,
        )


def wanted(asked: Asked, scope: str) -> Wanted:
    """What a scope text asks for. Raises TokenRefusedError for a scope or resource that is not known."""
    words = scope.split()
    oidc = frozenset(words) & OIDC_SCOPES
    named = [word for word in words if word not in OIDC_SCOPES]
    if not named:
        return Wanted(GRAPH, GRAPH.uris[0], (), oidc)
    audience, _, name = named[0].rpartition("/")
    if not audience:
        return Wanted(GRAPH, GRAPH.uris[0], tuple(named), oidc)
    resource = resource_of(asked.tenant, audience)
    if resource is None:
        raise TokenRefusedError(say.no_resource(audience, asked.world.display_name))
    if not name:
        raise TokenRefusedError(say.bad_scope(named[0]))
    names = tuple(word.rpartition("/")[2] for word in named if word.rpartition("/")[0] == audience)
    return Wanted(resource, audience, names, oidc)


def client_credentials(asked: Asked) -> dict[str, Any]:
    """An application for itself. There is no refresh token in the answer, ever."""
    if asked.tenant_name in ("common", "consumers"):
        raise TokenRefusedError(say.common_endpoint())
    app = asked.client()
    scope = asked.need("scope")
    if not scope.endswith("/.default"):
        raise TokenRefusedError(say.scope_without_default(scope))
    want = wanted(asked, scope)
    how = Circumstances(app.client_id, want.resource.client_id, APPLICATION_ADDRESS)
    credential, refused = Credential(), None
    try:
        credential = _confidential(asked, app)
        for refusal in _refusals_for_itself(asked.world, app, want.resource.client_id):
            raise TokenRefusedError(refusal.error)
    except TokenRefusedError as error:
        refused = error
    principal_id = app.principal_id or ""
    rows = policy_results_of_principal(asked.world, principal_id, how)
    attempt = asked.attempt(want.resource, credential, how.ip_address, rows)
    note_application(asked.world, asked.now, attempt, principal_id, refused.error if refused else None)
    if refused:
        raise refused
    life = life_of(asked.world, app.client_id, want.audience, asked.now.isoformat())
    token = app_token(asked.tenant, app, want.resource, want.audience, asked.now, asked.now + life)
    seconds = int(life.total_seconds()) - 1
    return {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}


def _refusals_for_itself(world: World, app: Application, resource_id: str) -> Iterator[Refused]:
    resource = world.applications.get(resource_id)
    yield from refusals_of_resource(resource)
    yield from refusals_of_assignment(resource, app)
    yield from refusals_of_principal(world, app, resource_id, APPLICATION_ADDRESS)


def _confidential(asked: Asked, app: Application) -> Credential:
    return authenticate(asked.world, app, asked.form, Times(asked.now, wall()))


def refresh_token(asked: Asked) -> dict[str, Any]:
    """A person, by what an earlier sign-in left with the client."""
    app = asked.client()
    credential = prove_client(asked, app)
    token = find_refresh_token(asked.world, asked.need("refresh_token"))
    if token is None:
        raise TokenRefusedError(say.malformed_token())
    if token.client_id != app.client_id:
        raise TokenRefusedError(say.other_client())
    want = wanted(asked, asked.form.get("scope") or " ".join(token.scopes))
    resource = asked.world.applications.get(want.resource.client_id)
    how = asked.circumstances(token.account_id, want.resource)
    refusal = next(refusals_of_refresh(asked.world, token, resource, asked.now, how), None)
    refused = refusal.error if refusal else _unconsented(asked, app, want)
    rows = policy_results(asked.world, person_of(asked.world, token), how, asked.now)
    attempt = asked.attempt(want.resource, credential, how.ip_address, rows)
    note_user(
        asked.world,
        asked.now,
        attempt,
        asked.world.accounts[token.account_id],
        refused,
    )
    if refused:
        raise TokenRefusedError(refused)
    return user_answer(asked, renewed(asked.world, token, asked.now), want)


def _unconsented(asked: Asked, app: Application, want: Wanted) -> TokenError | None:
    try:
        granted_scopes(asked, app, want)
    except TokenRefusedError as refusal:
        return refusal.error
    return None


def prove_client(asked: Asked, app: Application) -> Credential:
    """A public client proves nothing and may not try; any other must."""
    shown = "client_secret" in asked.form or "client_assertion" in asked.form
    if app.is_public and shown:
        raise TokenRefusedError(say.credential_of_public_client())
    return Credential() if app.is_public else _confidential(asked, app)


def find_refresh_token(world: World, text: str) -> RefreshToken | None:
    """The token that this text stands for; None for a text that this tenant never gave."""
    digits = text[2:34]
    token_id = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    token = world.refresh_tokens.get(token_id)
    if token is None or not hmac.compare_digest(refresh_token_text(world, token_id).encode(), text.encode()):
        return None
    return token


def renewed(world: World, token: RefreshToken, now: datetime) -> RefreshToken:
    """The token that takes the place of a redeemed one; the old one stays, with its own age."""
    token.used_at = now
    fresh = replace(
        token, id=world.fresh("refresh token"), issued_at=now, used_at=None, methods=list(token.methods)
    )
    world.refresh_tokens[fresh.id] = fresh
    return fresh


def user_answer(asked: Asked, token: RefreshToken, want: Wanted, nonce: str | None = None) -> dict[str, Any]:
    """The answer of every grant that speaks for a person; `token` is the refresh token that goes with it."""
    granted = granted_scopes(asked, asked.world.applications[token.client_id], want)
    life = life_of(asked.world, token.id, want.audience)
    seconds = int(life.total_seconds()) - 1
    told: dict[str, Any] = {
        "token_type": "Bearer",
        "scope": " ".join(f"{want.audience}/{name}" for name in granted),
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": user_token(
            asked.tenant, token, " ".join(granted), want.audience, asked.now, asked.now + life
        ),
    }
    if "offline_access" in (want.oidc or token.scopes):
        told["refresh_token"] = refresh_token_text(asked.world, token.id)
    if "openid" in want.oidc:
        told["id_token"] = id_token(asked.tenant, token, asked.now, nonce)
    who = {"uid": token.account_id, "utid": asked.world.tenant_id}
    told["client_info"] = encode(json.dumps(who, separators=(",", ":")).encode())
    return told


def granted_scopes(asked: Asked, app: Application, want: Wanted) -> tuple[str, ...]:
    """The delegated permissions that the token carries. Raises TokenRefusedError where consent is missing."""
    prefix = f"{want.resource.client_id}/"
    consented = tuple(scope.removeprefix(prefix) for scope in app.delegated if scope.startswith(prefix))
    named = tuple(name for name in want.names if name != ".default")
    if not consented or not set(named) <= set(consented):
        raise TokenRefusedError(say.no_consent(app.client_id, app.display_name))
    return (*(named or consented), *((".default",) if ".default" in want.names else ()))


Grant = Callable[[Asked], dict[str, Any]]
