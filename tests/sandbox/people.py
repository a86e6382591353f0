"""Other people's clients, pointed at a sandbox."""

from __future__ import annotations

import base64
import json
from typing import Any

import msal

from tests.sandbox.conftest import Reply, Sandbox

GRAPH = ["https://graph.microsoft.com/.default"]
SQL = ["https://database.windows.net//.default"]


def app_named(sandbox: Sandbox, name: str) -> dict[str, Any]:
    return next(app for app in sandbox.ready["apps"] if app["name"] == name)


def public(sandbox: Sandbox, client_id: str, **more: Any) -> msal.PublicClientApplication:
    return msal.PublicClientApplication(client_id, **_where(sandbox), **more)


def confidential(sandbox: Sandbox, client_id: str, credential: Any) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(client_id, client_credential=credential, **_where(sandbox))


def _where(sandbox: Sandbox) -> dict[str, Any]:
    return {
        "authority": f"{sandbox.ready['authority']}/{sandbox.ready['tenant_id']}",
        "instance_discovery": False,
        "verify": sandbox.ready["ca_file"],
        "http_cache": {},
    }


def redeem(sandbox: Sandbox, account: dict[str, Any], token: str, scopes: list[str] = SQL) -> dict[str, Any]:
    """A fresh MSAL client redeems a refresh token: nothing of an earlier answer is cached."""
    return public(sandbox, account["client_id"]).acquire_token_by_refresh_token(token, scopes)


def app_token(sandbox: Sandbox, app: dict[str, Any], scopes: list[str] = GRAPH) -> dict[str, Any]:
    return confidential(sandbox, app["client_id"], app["secret"]).acquire_token_for_client(scopes)


def ask_token(sandbox: Sandbox, **form: str) -> Reply:
    """The token endpoint by plain HTTP, for whatever no client library would send."""
    from urllib.parse import urlencode

    return sandbox.ask(
        f"{sandbox.ready['authority']}/{sandbox.ready['tenant_id']}/oauth2/v2.0/token",
        body=urlencode(form).encode(),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )


class Graph:
    """Graph as one application sees it, by plain HTTP."""

    def __init__(self, sandbox: Sandbox, name: str) -> None:
        self._sandbox = sandbox
        self._token = app_token(sandbox, app_named(sandbox, name))["access_token"]

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        url = path if path.startswith("https") else f"{self._sandbox.ready['graph']}/v1.0{path}"
        return self._sandbox.ask(
            url.replace(" ", "%20"),
            method=method,
            body=None if body is None else json.dumps(body).encode(),
            headers={"authorization": f"Bearer {self._token}", "content-type": "application/json", **headers},
        )


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims
