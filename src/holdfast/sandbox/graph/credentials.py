"""Graph: secrets, certificates and federated credentials of applications."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import Response

from holdfast.sandbox.entra.administration import drop_secret, note_credentials
from holdfast.sandbox.entra.jwt import is_signed_by, public_key_of, take_apart
from holdfast.sandbox.frame import Call, answer
from holdfast.sandbox.graph.app_policies import check_secret
from holdfast.sandbox.graph.applications import asked, secret_row, writable
from holdfast.sandbox.graph.certificates import certificate_from
from holdfast.sandbox.graph.frame import (
    Shape,
    authenticated,
    bad_request,
    context,
    fields,
    instant,
    is_list,
    is_object,
    is_text,
    many,
    not_found,
    one,
    permitted,
    refuse,
)
from holdfast.sandbox.ready import secret_text
from holdfast.sandbox.records.directory import Application, ClientSecret, FederatedCredential
from holdfast.sandbox.rules import Mark, Rule

SECRET_LIFE = timedelta(days=730)
SECRET_ONCE = Rule(
    "secret_text_is_told_once",
    "The text of a client secret stands in the answer that creates it and nowhere else; it lives two years unless asked otherwise.",
    Mark.DOCUMENTED,
    "microsoft-graph-docs application-addpassword @082d7a8",
)
RULES = (SECRET_ONCE,)
FEDERATED = Shape("federatedIdentityCredentials")
PROOF_AUDIENCE = "00000002-0000-0000-c000-000000000000"


def _time(call: Call, text: Any, default: datetime) -> datetime:
    if text is None:
        return default
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        raise bad_request(
            call, f"Cannot convert the literal '{text}' to the expected type 'Edm.DateTimeOffset'."
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def add_password(call: Call) -> Response:
    """POST /applications/{id}/addPassword."""
    app = asked(call)
    writable(call, app)
    wanted = fields(call, {"passwordCredential": is_object}, "application").get("passwordCredential") or {}
    known = {"displayName", "endDateTime", "startDateTime"}
    if unknown := sorted(set(wanted) - known):
        raise bad_request(
            call, f"Invalid property '{unknown[0]}' on type 'microsoft.graph.passwordCredential'."
        )
    starts = _time(call, wanted.get("startDateTime"), call.now)
    ends = _time(call, wanted.get("endDateTime"), starts + SECRET_LIFE)
    if ends <= starts:
        raise bad_request(call, "Key credential end date is invalid.")
    check_secret(call, app, ends - starts)
    secret = ClientSecret(
        key_id=call.world.fresh("secret"),
        label=str(wanted.get("displayName") or ""),
        starts_at=starts,
        expires_at=ends,
        created_at=call.now,
    )
    app.secrets.append(secret)
    note_credentials(call.world, call.now, app, "Add service principal credentials")
    told = {**secret_row(call.world, secret), "secretText": secret_text(call.world, secret)}
    return answer({"@odata.context": context(call, "microsoft.graph.passwordCredential"), **told})


def remove_password(call: Call) -> Response:
    """POST /applications/{id}/removePassword."""
    app = asked(call)
    writable(call, app)
    key_id = str(fields(call, {"keyId": is_text}, "application").get("keyId")).lower()
    for secret in app.secrets:
        if secret.key_id == key_id:
            drop_secret(call.world, call.now, app, secret)
            return Response(status_code=204)
    raise bad_request(call, "No password credential found with keyId.")


def add_key(call: Call) -> Response:
    """POST /applications/{id}/addKey: the proof is signed by a certificate that the application has; no permission is needed."""
    app = asked(call)
    body = fields(
        call, {"keyCredential": is_object, "passwordCredential": is_object, "proof": is_text}, "application"
    )
    _prove(call, app, str(body.get("proof") or ""))
    certificate = certificate_from(call, app, body.get("keyCredential"))
    app.certificates.append(certificate)
    note_credentials(call.world, call.now, app, "Add service principal credentials")
    told = {
        "customKeyIdentifier": certificate.sha1.upper(),
        "displayName": certificate.label,
        "endDateTime": instant(certificate.expires_at),
        "key": None,
        "keyId": certificate.key_id,
        "startDateTime": instant(certificate.starts_at),
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
    }
    return answer({"@odata.context": context(call, "microsoft.graph.keyCredential"), **told})


def remove_key(call: Call) -> Response:
    """POST /applications/{id}/removeKey, with a proof like addKey's."""
    app = asked(call)
    body = fields(call, {"keyId": is_text, "proof": is_text}, "application")
    _prove(call, app, str(body.get("proof") or ""))
    for certificate in app.certificates:
        if certificate.key_id == str(body.get("keyId")).lower():
            certificate.removed_at = call.now
            app.certificates.remove(certificate)
            app.removed_certificates.append(certificate)
            note_credentials(call.world, call.now, app, "Remove service principal credentials")
            return Response(status_code=204)
    raise bad_request(call, "No key credential found with keyId.")


def _prove(call: Call, app: Application, proof: str) -> None:
    authenticated(call)
    try:
        token = take_apart(proof)
    except ValueError:
        raise bad_request(call, "Access Token missing or malformed.") from None
    valid = [one for one in app.certificates if call.now < one.expires_at]
    signed = any(is_signed_by(token, public_key_of(one.der)) for one in valid)
    if not signed or token.claims.get("aud") != PROOF_AUDIENCE or token.claims.get("iss") != app.object_id:
        raise refuse(call, 401, "Authentication_MissingOrMalformed", "Access Token missing or malformed.")


def federated_row(credential: FederatedCredential) -> dict[str, Any]:
    """A federated identity credential."""
    return {
        "id": credential.id,
        "name": credential.name,
        "issuer": credential.issuer,
        "subject": credential.subject,
        "description": credential.description,
        "audiences": credential.audiences,
    }


def list_federated(call: Call) -> Response:
    """GET /applications/{id}/federatedIdentityCredentials."""
    permitted(call, "Application.Read.All", "Application.ReadWrite.OwnedBy")
    return many(call, FEDERATED, [federated_row(one) for one in asked(call).federated])


def add_federated(call: Call) -> Response:
    """POST /applications/{id}/federatedIdentityCredentials."""
    app = asked(call)
    writable(call, app)
    known = {
        "name": is_text,
        "issuer": is_text,
        "subject": is_text,
        "audiences": is_list,
        "description": is_text,
    }
    body = fields(call, known, "federatedIdentityCredential")
    if not all(body.get(name) for name in ("name", "issuer", "subject", "audiences")):
        raise bad_request(call, "name, issuer, subject and audiences are required.")
    if len(app.federated) >= 20:
        raise bad_request(
            call, "No more than 20 federated identity credentials are allowed on an application."
        )
    same = [one for one in app.federated if (one.issuer, one.subject) == (body["issuer"], body["subject"])]
    if same or any(one.name == body["name"] for one in app.federated):
        raise refuse(
            call,
            409,
            "Request_MultipleObjectsWithSameKeyValue",
            "FederatedIdentityCredential with the same name, or issuer and subject, already exists.",
        )
    credential = FederatedCredential(
        id=call.world.fresh("federated credential"),
        name=body["name"],
        issuer=body["issuer"],
        subject=body["subject"],
        audiences=[str(audience) for audience in body["audiences"]],
        description=body.get("description"),
        created_at=call.now,
    )
    app.federated.append(credential)
    created = one(call, FEDERATED, federated_row(credential))
    created.status_code = 201
    return created


def delete_federated(call: Call) -> Response:
    """DELETE /applications/{id}/federatedIdentityCredentials/{credential}."""
    app = asked(call)
    writable(call, app)
    for credential in app.federated:
        if call.params["credential"] in (credential.id, credential.name):
            app.federated.remove(credential)
            return Response(status_code=204)
    raise not_found(call, call.params["credential"])
