"""The sign-in and consent page: one plain form without scripts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from starlette.responses import Response

from holdfast.sandbox.entra.errors import TokenError

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}
CHOICES = {
    "second_factor": "I give my second factor (register one if I have none)",
    "terms": "I accept the terms of use",
    "new_password": "I choose a new password",
}


def page(
    title: str,
    client_name: str,
    scopes: Sequence[str],
    *,
    error: TokenError | None = None,
    wants: str | None = None,
    user_code: bool = False,
) -> Response:
    """The form; it is sent to the address that it came from.

    Args:
        scopes: what the client will be allowed to do.
        error: why the last try was not enough.
        wants: the answer that would help; its box is offered first.
        user_code: ask for a device's code too.
    """
    said = f"<p role=alert>AADSTS{error.code}: {escape(error.text)}</p>" if error else ""
    code = "<p><label>Code <input name=user_code required></label></p>" if user_code else ""
    boxes = "".join(
        f"<p><label><input type=checkbox name={name} value=1> {text}</label></p>"
        for name, text in sorted(CHOICES.items(), key=lambda choice: choice[0] != wants)
    )
    asked = "".join(f"<li>{escape(scope)}</li>" for scope in scopes)
    body = f"""<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>
<style>body{{font:16px system-ui;max-width:32rem;margin:3rem auto}}[role=alert]{{color:#a00}}</style>
<h1>{escape(title)}</h1><p>{escape(client_name)} asks for:</p><ul>{asked}</ul>{said}
<form method=post>{code}
<p><label>Account <input name=username autocomplete=username required></label></p>
<p><label>Password <input name=password type=password autocomplete=current-password></label></p>
{boxes}
<p><label>Device <select name=device><option>none<option>compliant<option>joined</select></label></p>
<p><button name=accept value=1>Sign in and accept</button> <button name=decline value=1>Decline</button></p>
</form></html>"""
    return Response(body, 400 if error else 200, HEADERS, "text/html; charset=utf-8")


def notice(title: str, text: str, status: int = 200) -> Response:
    """A page that says one thing."""
    body = f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title><h1>{escape(title)}</h1><p>{escape(text)}</p></html>"
    return Response(body, status, HEADERS, "text/html; charset=utf-8")
