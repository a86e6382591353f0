"""Signing in through a browser: the authorization code, with PKCE."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from html import escape
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.responses import Response

from holdfast.sandbox.chance import secret
from holdfast.sandbox.entra import errors as say
from holdfast.sandbox.entra.audits import note_consent
from holdfast.sandbox.entra.clients import TokenRefusedError
from holdfast.sandbox.entra.errors import TokenError
from holdfast.sandbox.entra.grants import Asked, Wanted, prove_client, user_answer, wanted
from holdfast.sandbox.entra.interactive import Answers, Proven, SignInRefusedError, prove, signed_in
from holdfast.sandbox.entra.judgement import refusals_of_client
from holdfast.sandbox.entra.pages import HEADERS, notice, page
from holdfast.sandbox.frame import Call
from holdfast.sandbox.records.directory import Account, Application
from holdfast.sandbox.records.tokens import AuthorizationCode
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.world import World

CODE_LIFE = timedelta(minutes=10)

CODE_LIVES_TEN_MINUTES = Rule(
    "authorization_code_lives_ten_minutes",
    "An authorization code is good once, for about ten minutes.",
    Mark.DOCUMENTED,
    "entra-docs v2-oauth2-auth-code-flow @0c1ac84",
)
EVERYBODY_MAY_CONSENT = Rule(
    "everybody_may_consent",
    "A person who accepts on the page consents to what the client asks for; no administrator is needed.",
    Mark.ASSUMED,
    "the default of many tenants; others demand an administrator's consent (AADSTS90094)",
)
RULES = (CODE_LIVES_TEN_MINUTES, EVERYBODY_MAY_CONSENT)


class _Page:
    """One visit to the authorize page: who asks for what, and where the answer goes."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.query = call.query
        client_id = self.query.get("client_id", "").lower()
        app = call.world.applications.get(client_id)
        for refusal in refusals_of_client(call.world, app, client_id):
            raise TokenRefusedError(refusal.error)
        if app is None:
            raise TokenRefusedError(say.no_app(client_id, call.world.display_name))
        self.app = app
        self.redirect_uri = self.query.get("redirect_uri", "")
        if not may_return_to(app, self.redirect_uri):
            raise TokenRefusedError(say.bad_redirect(self.redirect_uri, app.client_id))

    def asked(self) -> Asked:
        """The request as the grants read it."""
        form = {"client_id": self.app.client_id}
        return Asked(self.call.tenant, self.call.params["tenant"].lower(), form, self.call.now, "")

    def back(self, **told: str) -> Response:
        """Send the browser back to the client, in the way it asked for."""
        if state := self.query.get("state"):
            told["state"] = state
        mode = self.query.get("response_mode", "query")
        if mode == "form_post":
            return _posted_back(self.redirect_uri, told)
        mark = "#" if mode == "fragment" else "&" if "?" in self.redirect_uri else "?"
        return Response(
            status_code=302, headers={**HEADERS, "location": f"{self.redirect_uri}{mark}{urlencode(told)}"}
        )

    def failed(self, error: TokenError, name: str | None = None) -> Response:
        """Send the browser back with an error."""
        told = say.body(self.call.world, error, self.call.now, self.call.world.fresh("correlation"))
        return self.back(error=name or error.error, error_description=told["error_description"])


def _posted_back(url: str, told: Mapping[str, str]) -> Response:
    fields = "".join(
        f'<input type=hidden name="{escape(key)}" value="{escape(value)}">' for key, value in told.items()
    )
    body = f'<!doctype html><form method=post action="{escape(url)}">{fields}<button>Continue</button></form>'
    return Response(body, headers={"cache-control": "no-store"}, media_type="text/html; charset=utf-8")


def may_return_to(app: Application, uri: str) -> bool:
    """Whether the redirect address is registered; on localhost any port will do (RFC 8252, as Entra has it)."""
    if uri in app.redirect_uris:
        return True
    parts = urlsplit(uri)
    if parts.scheme != "http" or parts.hostname not in ("localhost", "127.0.0.1"):
        return False
    known = [urlsplit(one) for one in app.redirect_uris]
    return any(
        one.scheme == "http"
        and one.hostname == parts.hostname
        and one.path.rstrip("/") == parts.path.rstrip("/")
        for one in known
    )


def authorize(call: Call) -> Response:
    """GET and POST of the authorize page."""
    try:
        visit = _Page(call)
    except TokenRefusedError as refused:
        return notice(
            "Sorry, but we’re having trouble signing you in",
            f"AADSTS{refused.error.code}: {refused.error.text}",
            400,
        )
    try:
        want = wanted(visit.asked(), visit.query.get("scope", ""))
        if visit.query.get("response_type") != "code":
            raise TokenRefusedError(
                say.request(700054, "response_type must be 'code'.", "unsupported_response_type")
            )
    except TokenRefusedError as refused:
        return visit.failed(refused.error)
    if visit.query.get("prompt") == "none":
        return visit.failed(say.not_signed_in(), "login_required")
    names = [*want.names, *sorted(want.oidc)]
    if call.method == "GET":
        return page("Sign in", visit.app.display_name, names)
    form = call.form()
    if "decline" in form:
        return visit.failed(say.declined(), "access_denied")
    try:
        proven = prove(call.world, call.now, answers_from(form), visit.app.client_id, want.resource.client_id)
    except SignInRefusedError as refused:
        return page("Sign in", visit.app.display_name, names, error=refused.error, wants=refused.wants)
    consent(call.world, call.now, visit.app, want, proven.account)
    return visit.back(code=_new_code(visit, proven))


def answers_from(form: Mapping[str, str]) -> Answers:
    """What the person wrote into the page."""
    return Answers(
        username=form.get("username", ""),
        password=form.get("password", ""),
        gives_second_factor="second_factor" in form,
        accepts_terms="terms" in form,
        changes_password="new_password" in form,
        device=form.get("device", "none"),
    )


def consent(world: World, now: datetime, app: Application, want: Wanted, account: Account) -> None:
    """Accepting the page grants the client what it asked for; what is new is logged."""
    if ".default" in want.names or not want.names:
        named: tuple[str, ...] = want.resource.scopes
    else:
        named = want.names
    asked_for = [f"{want.resource.client_id}/{name}" for name in named]
    fresh = [one for one in asked_for if one not in app.delegated]
    app.delegated += fresh
    app.consent_revoked_at = None
    if app.consent_withdrawn.pop(account.object_id, None) is not None or fresh:
        note_consent(world, now, app, account)


def _new_code(visit: _Page, proven: Proven) -> str:
    world, query = visit.call.world, visit.query
    for old in [one for one in world.codes.values() if one.issued_at < visit.call.now - 6 * CODE_LIFE]:
        del world.codes[old.id]
    code = AuthorizationCode(
        id=world.fresh("authorization code"),
        account_id=proven.account.object_id,
        client_id=visit.app.client_id,
        redirect_uri=visit.redirect_uri,
        scope=query.get("scope", ""),
        methods=proven.methods,
        issued_at=visit.call.now,
        challenge=query.get("code_challenge"),
        is_hashed=query.get("code_challenge_method", "plain").upper() == "S256",
        nonce=query.get("nonce"),
    )
    world.codes[code.id] = code
    return _text_of(world, code.id)


def _text_of(world: World, code_id: str) -> str:
    return f"1.{code_id}.{secret(world.seed, 60, 'authorization code', code_id)}"


def code_of(world: World, text: str) -> AuthorizationCode | None:
    """The code that a text stands for; None for a text that this tenant never gave."""
    code = world.codes.get(text[2:38])
    if code is None or not hmac.compare_digest(_text_of(world, code.id).encode(), text.encode()):
        return None
    return code


def authorization_code(asked: Asked) -> dict[str, Any]:
    """The grant: a code for tokens, once."""
    app = asked.client()
    prove_client(asked, app)
    code = code_of(asked.world, asked.need("code"))
    if code is None:
        raise TokenRefusedError(say.grant(9002313, "Invalid request. Request is malformed or invalid."))
    for error in _against_code(asked, code):
        raise TokenRefusedError(error)
    code.is_used = True
    want = wanted(asked, asked.form.get("scope") or code.scope)
    proven = Proven(asked.world.accounts[code.account_id], code.methods)
    token = signed_in(asked.world, asked.now, proven, app, code.scope.split())
    return user_answer(asked, token, want, code.nonce)


def _against_code(asked: Asked, code: AuthorizationCode) -> Iterator[TokenError]:
    if code.client_id != asked.form.get("client_id", "").lower():
        yield say.other_client()
    if code.is_used:
        yield say.code_used()
    if asked.now >= code.issued_at + CODE_LIFE:
        yield say.code_expired()
    if asked.form.get("redirect_uri", code.redirect_uri) != code.redirect_uri:
        yield say.other_redirect(asked.form["redirect_uri"], code.redirect_uri)
    if code.challenge is not None and not _is_verified(code, asked.form.get("code_verifier", "")):
        yield say.wrong_verifier()


def _is_verified(code: AuthorizationCode, verifier: str) -> bool:
    hashed = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
    return hmac.compare_digest(
        (hashed if code.is_hashed else verifier).encode(), str(code.challenge).encode()
    )
