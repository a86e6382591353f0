"""Error texts as they may be kept: quoted values masked, what a diagnosis needs left."""

from __future__ import annotations

import re

MASK = "***"

# What tells what happened and quotes nobody's rows: instants, lengths of time, numbers, GUIDs, texts of
# Entra, the fields and errors of OAuth where a client wrote its answer down in single quotes.
_TELLING = re.compile(
    r"""\d{4}-\d{2}-\d{2}[T ][\d:.]+Z?
      | [\d.:,\ -]+
      | \{?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?
      | .*AADSTS\d+.*
      | error(_description|_codes|_uri)? | suberror | timestamp | trace_id | correlation_id | claims
      | (invalid|unauthorized|interaction|consent|login|unsupported|temporarily|access)_[a-z_]+
      | <token-identified\ principal>
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
# A quote counts where it does not stand inside a word: "the user's token" quotes nothing. No quote is longer
# than a line, so that two stray marks far apart hide nothing.
_QUOTED = re.compile(r"(?<![\w'])'([^'\r\n]{1,400})'(?![\w'])")
# SQL Server quotes a row's key in round brackets: "The duplicate key value is (Ada, 1979-03-02)."
_KEY_VALUE = re.compile(r"(key value is )\([^)\r\n]{0,400}\)", re.IGNORECASE)


def masked(text: str) -> str:
    """The text with every quoted value that could be somebody's datum as `'***'`."""
    text = _KEY_VALUE.sub(rf"\1({MASK})", text)
    return _QUOTED.sub(lambda quote: quote[0] if _TELLING.fullmatch(quote[1]) else f"'{MASK}'", text)
