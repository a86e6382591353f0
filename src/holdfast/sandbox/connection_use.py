"""Using a connection: the access token that it keeps or fetches, and what the platform notes on it.

The recorded rules (power-platform-api.md section 4.5, 18 connections read on one day): lists move nothing; fetching a
token moves ``lastModifiedTime`` and sets ``expirationTime`` to the token's end; a refused fetch sets
``lastModifiedTime`` and the state Error, and leaves ``expirationTime`` where it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from holdfast.sandbox.chance import guid
from holdfast.sandbox.entra.errors import TokenError, wrong_secret
from holdfast.sandbox.entra.errors import body as body_of_error
from holdfast.sandbox.entra.first_party import SQL
from holdfast.sandbox.entra.held_certificates import refresh_by_certificate, refusals_by_certificate
from holdfast.sandbox.entra.held_tokens import (
    Redeemed,
    refresh_as_application,
    refresh_elsewhere,
    refresh_held,
    refusals_of_application,
    renew_held,
    secret_with_text,
)
from holdfast.sandbox.entra.judgement import Refused, refusals_of_refresh, refusals_of_tenant
from holdfast.sandbox.entra.spreading import credential_has_spread
from holdfast.sandbox.entra.steady_tokens import opinion_of
from holdfast.sandbox.records.directory import Application
from holdfast.sandbox.records.platform import Connection, Fault
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.sql.login import Identity
from holdfast.sandbox.world import World

TOKEN_CACHE = Rule(
    "connection_keeps_its_access_token",
    "A connection that fetched an access token uses it until its end; uses in between fetch nothing and move nothing.",
    Mark.ASSUMED,
    "expirationTime lies 60 to 81 minutes after lastModifiedTime in all ten recorded cases: an access token's life",
    flipped="Every use fetches a new access token.",
)
STATUS_ON_USE = Rule(
    "status_moves_on_use_only",
    "A connection's status changes when it is used or edited, never by itself and never by listing it.",
    Mark.RECORDED,
    "ESS flightcheck_pp_admin.yaml: the error's own timestamp equals lastModifiedTime to the second, a day after the revocation",
)
PASSWORDS_STAY_CONNECTED = Rule(
    "password_connections_stay_connected",
    "A connection with a user name and password stays Connected when the server refuses them.",
    Mark.ASSUMED,
    "no recorded password connection in the state Error",
    flipped="A refused password sets the state Error.",
)
RULES = (TOKEN_CACHE, STATUS_ON_USE, PASSWORDS_STAY_CONNECTED)

FINE = "ok"


class Failure(NamedTuple):
    """Why a use came to nothing before any server was asked.

    Attributes:
        code: stable: the same cause gives the same code.
    """

    code: str
    status: int
    body: Mapping[str, Any]


def outlook(world: World, connection: Connection | None, now: datetime) -> str:
    """What `use` would come to, without using: "ok" or the code of the failure."""
    if connection is None or connection.deleted_at is not None:
        return "missing"
    if _was_never_consented(connection):
        return "unauthenticated"
    if not signs_in_through_entra(connection) or has_token(world, connection, now):
        return FINE
    if connection.refresh_token_id is not None:
        code = opinion_of(world, world.refresh_tokens[connection.refresh_token_id], _sql(world), now).code
        return FINE if code is None else f"AADSTS{code}"
    refused = next(refusals(world, connection, now), None)
    if refused is None and not _has_spread(world, connection, now):
        return f"AADSTS{wrong_secret('').code}"
    return f"AADSTS{refused.error.code}" if refused else FINE


def _was_never_consented(connection: Connection) -> bool:
    fault = connection.fault
    return connection.status == "Error" and fault is not None and fault.code == "Unauthenticated"


def _has_spread(world: World, connection: Connection, now: datetime) -> bool:
    """Whether the directory knows the connection's secret everywhere; for a few seconds after its making it does not."""
    if connection.parameter_set != "oauthSP":
        return True
    client_id, text = _application_of(connection)
    app = world.applications.get(client_id)
    shown = secret_with_text(world, app, text) if app else None
    return shown is None or credential_has_spread(world, shown.key_id, shown.created_at, now)


def _sql(world: World) -> Application | None:
    return world.applications.get(SQL.client_id)


def refusals(world: World, connection: Connection, now: datetime) -> Iterator[Refused]:
    """Why Entra would refuse the connection's next token; nothing for kinds that Entra never sees."""
    if connection.refresh_token_id is not None:
        token = world.refresh_tokens[connection.refresh_token_id]
        return refusals_of_refresh(world, token, _sql(world), now)
    client_id, secret = _application_of(connection)
    elsewhere = list(refusals_of_tenant(world, _tenant_of(connection), connection.modified_at))
    if elsewhere and connection.parameter_set in ("oauthSP", "certOauth"):
        return iter(elsewhere)
    if connection.parameter_set == "oauthSP":
        return refusals_of_application(world, client_id, secret, SQL.client_id, now)
    if connection.parameter_set == "certOauth":
        return refusals_by_certificate(world, client_id, _thumbprint(connection), SQL.client_id, now)
    return iter(())


def signs_in_through_entra(connection: Connection) -> bool:
    """Whether it needs an access token at all."""
    return connection.refresh_token_id is not None or connection.parameter_set in (
        "oauth",
        "oauthCom",
        "oauthSP",
        "certOauth",
    )


def has_token(world: World, connection: Connection, now: datetime) -> bool:
    """Whether the access token that it keeps is still good."""
    ends = connection.token_expires_at
    return world.holds(TOKEN_CACHE) and ends is not None and now < ends


def use(world: World, connection: Connection | None, now: datetime) -> Identity | Failure:
    """Use the connection once: who then knocks at the server, or why nobody does."""
    if connection is None or connection.deleted_at is not None:
        return _missing()
    if _was_never_consented(connection):
        return Failure(
            "unauthenticated", 401, _said(401, "This connection is not authenticated.", connection)
        )
    if not signs_in_through_entra(connection):
        return password_identity(connection)
    if not has_token(world, connection, now):
        redeemed = _fetch(world, connection, now)
        if redeemed.refused is not None:
            return _refused(world, connection, redeemed, now)
        _fetched(connection, redeemed, now)
    return entra_identity(world, connection)


def _fetch(world: World, connection: Connection, now: datetime) -> Redeemed:
    if connection.refresh_token_id is not None:
        token = world.refresh_tokens[connection.refresh_token_id]
        opinion = opinion_of(world, token, _sql(world), now)
        if opinion.code is None:
            return renew_held(world, token, SQL.client_id, now, opinion.policies)
        return refresh_held(world, token, SQL.client_id, now)
    client_id, secret = _application_of(connection)
    if (elsewhere := refresh_elsewhere(world, _tenant_of(connection), now)) is not None:
        return elsewhere
    if connection.parameter_set == "certOauth":
        return refresh_by_certificate(world, client_id, _thumbprint(connection), SQL.client_id, now)
    return refresh_as_application(world, client_id, secret, SQL.client_id, now)


def _fetched(connection: Connection, redeemed: Redeemed, now: datetime) -> None:
    connection.token_expires_at = redeemed.ends_at
    connection.last_token_at = connection.modified_at = now
    connection.status, connection.fault = "Connected", None


def _refused(world: World, connection: Connection, redeemed: Redeemed, now: datetime) -> Failure:
    message = _record(world, connection, redeemed.body, now)
    code = redeemed.refused.error.code if redeemed.refused else 0
    return Failure(f"AADSTS{code}", 401, _said(401, message, connection))


def recorded_refusal(world: World, connection: Connection, error: TokenError, now: datetime) -> None:
    """Leave on a connection what the platform writes down when Entra refused it at `now`."""
    stamp = guid(world.seed, "platform correlation", connection.id, "entra")
    _record(world, connection, body_of_error(world, error, now, stamp, trace_id=stamp), now)


def _record(world: World, connection: Connection, body: Mapping[str, Any], now: datetime) -> str:
    correlation = guid(world.seed, "platform correlation", connection.id, now.isoformat())
    said = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    message = (
        f"Failed to refresh access token for service: aadcertificate. Correlation Id=g-{correlation}, "
        f"UTC TimeStamp={_american(now)}, Error: Failed to acquire token from AAD: {said}"
    )
    connection.status, connection.fault = "Error", Fault(code="Unauthorized", message=message)
    connection.modified_at = now
    return message


def _missing() -> Failure:
    message = "The connection that this flow uses does not exist or is not shared with its owner."
    return Failure("missing", 404, {"error": {"code": "ConnectionNotFound", "message": message}})


def _said(status: int, message: str, connection: Connection) -> dict[str, Any]:
    """A connector's own way to fail; the envelope is recorded, the text of a SQL connection is not."""
    return {
        "status": status,
        "message": message,
        "error": {"message": message},
        "source": f"{connection.connector.removeprefix('shared_')}-we.azconn-we.p.azurewebsites.net",
    }


def _american(at: datetime) -> str:
    return f"{at.month}/{at.day}/{at.year} {at.hour % 12 or 12}:{at:%M:%S %p}"


def _application_of(connection: Connection) -> tuple[str, str]:
    return str(connection.parameters.get("token:clientId", "")), connection.secrets.get(
        "token:clientSecret", ""
    )


def _tenant_of(connection: Connection) -> str:
    return str(connection.parameters.get("token:TenantId", ""))


def _thumbprint(connection: Connection) -> str:
    return connection.secrets.get("token:clientCertificateSecret", "")


def entra_identity(world: World, connection: Connection) -> Identity:
    """The identity inside the access token."""
    if connection.refresh_token_id is not None:
        account = world.accounts[world.refresh_tokens[connection.refresh_token_id].account_id]
        return Identity("entra", account.user_principal_name, entra_id=account.object_id)
    client_id, _ = _application_of(connection)
    return Identity("entra", client_id, entra_id=client_id, tenant=world.tenant_id)


def password_identity(connection: Connection) -> Identity:
    """The name and password that the connection stores."""
    kind = "windows" if (connection.parameter_set or "").startswith("windows") else "sql"
    name = connection.secrets.get("username") or str(connection.parameters.get("username", ""))
    return Identity(kind, name, connection.secrets.get("password", ""))


def identity_of(world: World, connection: Connection) -> Identity:
    """Who knocks when the connection is used and its token is taken."""
    if signs_in_through_entra(connection):
        return entra_identity(world, connection)
    return password_identity(connection)
