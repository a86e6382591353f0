"""The device code: a device without a browser waits until its person has signed in elsewhere."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from holdfast.sandbox.chance import secret
from holdfast.sandbox.entra import errors as say
from holdfast.sandbox.entra.clients import TokenRefusedError
from holdfast.sandbox.entra.grants import Asked, prove_client, user_answer, wanted
from holdfast.sandbox.entra.interactive import Proven, SignInRefusedError, prove, signed_in
from holdfast.sandbox.entra.pages import notice, page
from holdfast.sandbox.entra.sign_in import answers_from, consent
from holdfast.sandbox.frame import Call, answer
from holdfast.sandbox.records.tokens import DeviceCode
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.tenant import Host
from holdfast.sandbox.world import World

DEVICE_CODE_LIFE = timedelta(minutes=15)
INTERVAL = 5
LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"

DEVICE_CODE_LIVES_15_MINUTES = Rule(
    "device_code_lives_15_minutes",
    "A device code is good for 15 minutes; polling every 5 seconds is told authorization_pending meanwhile.",
    Mark.DOCUMENTED,
    "entra-docs v2-oauth2-device-code @0358995",
)
RULES = (DEVICE_CODE_LIVES_15_MINUTES,)


def begin_device_code(call: Call) -> Response:
    """POST devicecode: the two codes, and where the person goes."""
    form = call.form()
    asked = Asked(call.tenant, call.params["tenant"].lower(), form, call.now, "")
    try:
        app = asked.client()
        wanted(asked, form.get("scope", ""))
    except TokenRefusedError as refused:
        told = say.body(call.world, refused.error, call.now, call.world.fresh("correlation"))
        return answer(told, refused.error.status)
    device_id = call.world.fresh("device code")
    code = DeviceCode(
        id=device_id,
        user_code=_user_code(call.world, device_id),
        client_id=app.client_id,
        scope=form.get("scope", ""),
        issued_at=call.now,
    )
    call.world.device_codes[code.id] = code
    where = f"{call.tenant.urls[Host.AUTHORITY]}/common/oauth2/deviceauth"
    return answer(
        {
            "user_code": code.user_code,
            "device_code": _device_text(call.world, code.id),
            "verification_uri": where,
            "expires_in": int(DEVICE_CODE_LIFE.total_seconds()),
            "interval": INTERVAL,
            "message": f"To sign in, use a web browser to open the page {where} and enter the code {code.user_code} to authenticate.",
        }
    )


def _user_code(world: World, device_id: str) -> str:
    draws = (world.draw("user code", device_id, place) for place in range(9))
    return "".join(LETTERS[int(draw * len(LETTERS))] for draw in draws)


def _device_text(world: World, device_id: str) -> str:
    return f"{device_id}.{secret(world.seed, 60, 'device code', device_id)}"


def device_page(call: Call) -> Response:
    """GET and POST of the page on which a person allows a device."""
    if call.method == "GET":
        return page("Enter code", "A device", [], user_code=True)
    form = call.form()
    entered = form.get("user_code", "").strip().upper()
    code = next((one for one in call.world.device_codes.values() if one.user_code == entered), None)
    if code is None or code.state != "pending" or call.now >= code.issued_at + DEVICE_CODE_LIFE:
        error = say.request(70018, "Invalid verification code.", "bad_verification_code")
        return page("Enter code", "A device", [], error=error, user_code=True)
    if "decline" in form:
        code.state = "declined"
        return notice("Declined", "The device gets no access.")
    app = call.world.applications[code.client_id]
    want = wanted(Asked(call.tenant, "common", {"client_id": code.client_id}, call.now, ""), code.scope)
    try:
        proven = prove(call.world, call.now, answers_from(form), code.client_id, want.resource.client_id)
    except SignInRefusedError as refused:
        return page(
            "Enter code",
            app.display_name,
            want.names,
            error=refused.error,
            wants=refused.wants,
            user_code=True,
        )
    consent(call.world, call.now, app, want, proven.account)
    code.state, code.account_id, code.methods = "allowed", proven.account.object_id, proven.methods
    return notice("You have signed in", "You may now close this window.")


def device_code(asked: Asked) -> dict[str, Any]:
    """The grant: polled until the person has answered."""
    app = asked.client()
    prove_client(asked, app)
    text = asked.form.get("device_code") or asked.need("code")
    code = asked.world.device_codes.get(text[:36])
    if code is None or not hmac.compare_digest(_device_text(asked.world, code.id).encode(), text.encode()):
        raise TokenRefusedError(say.request(70018, "Invalid verification code.", "bad_verification_code"))
    if code.client_id != app.client_id:
        raise TokenRefusedError(say.other_client())
    if asked.now >= code.issued_at + DEVICE_CODE_LIFE or code.state == "used":
        raise TokenRefusedError(
            say.request(
                70020,
                "The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
                "expired_token",
            )
        )
    if code.state == "declined":
        raise TokenRefusedError(
            say.request(70019, "OAuth 2.0 device flow: the person declined.", "authorization_declined")
        )
    if code.state == "pending" or code.account_id is None:
        raise TokenRefusedError(
            say.request(
                70016,
                "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
                "authorization_pending",
            )
        )
    code.state = "used"
    proven = Proven(asked.world.accounts[code.account_id], code.methods)
    token = signed_in(asked.world, asked.now, proven, app, code.scope.split())
    return user_answer(asked, token, wanted(asked, code.scope))
