"""What clients asked, for `/requests`: enough to see who did what, with every secret removed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from holdfast.sandbox.frame import Call, CallRefusedError
from holdfast.sandbox.tenant import Host

SECRET = re.compile(
    r"secret|password|token|assertion|^code|_code$|verifier|^sig$|signature|\bkey$|pfx|skiptoken",
    re.IGNORECASE,
)
REMOVED = "…"


def noted(call: Call, status: int) -> dict[str, Any]:
    """One request as the control port shows it."""
    return {
        "at": call.now.isoformat(),
        "host": call.host.value,
        "method": call.method,
        "path": call.path,
        "query": without_secrets(dict(parse_qsl(call.query_string, keep_blank_values=True))),
        "body": _body(call),
        "user_agent": call.headers.get("user-agent"),
        "authorization": call.headers.get("authorization", "").partition(" ")[0] or None,
        "status": status,
    }


def _body(call: Call) -> Any:
    if call.host is Host.KEYVAULT:
        return REMOVED if call.body else None  # its "value" is a secret
    kind = call.headers.get("content-type", "")
    if kind.startswith("application/x-www-form-urlencoded"):
        return without_secrets(call.form())
    if "json" in kind:
        try:
            return without_secrets(call.json())
        except CallRefusedError:
            return None
    return None


def without_secrets(value: Any) -> Any:
    """The same shape, with whatever stands under a secret's name removed."""
    if isinstance(value, Mapping):
        return {
            key: REMOVED if SECRET.search(str(key)) and inner else without_secrets(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [without_secrets(inner) for inner in value]
    return value
