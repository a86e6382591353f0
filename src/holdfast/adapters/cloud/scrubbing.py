"""Texts of strangers on one line, without what could be a secret."""

from __future__ import annotations

import re

_SECRETS = re.compile(
    r"eyJ[\w-]{10,}(?:\.[\w-]+)*"  # a JSON web token
    r"|(?i:bearer\s+)[\w.~+/=-]{8,}"
    r"|(?i:(?:sig|client_secret|client_assertion|access_token|refresh_token|password|code)=)[^&\s\"']+"
    r"|(?i:\"(?:client_secret|client_assertion|access_token|refresh_token|id_token|secretText|password)\"\s*:\s*)\"(?:[^\"\\]|\\.)*\"?"
)


def scrubbed(text: str, limit: int = 300) -> str:
    """The text on one line, what looks like a secret removed, cut to `limit` characters."""
    line = " ".join(_SECRETS.sub("[removed]", text[: 8 * limit]).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
