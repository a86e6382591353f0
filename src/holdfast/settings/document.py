"""A TOML document, and on which line each key stands."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from holdfast.core.errors import SettingsError

_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_TABLE = re.compile(rf"\s*\[\[?\s*({_DOTTED})\s*\]")
_PAIR = re.compile(rf"\s*({_DOTTED})\s*=")


def read_document(content: bytes, path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The document as nested tables, and "FILE:LINE" by dotted key.

    Raises:
        SettingsError: it is not UTF-8, or not TOML.
    """
    try:
        text = content.decode("utf-8-sig")
        return tomllib.loads(text), {key: f"{path}:{line}" for key, line in _lines(text).items()}
    except UnicodeDecodeError:
        raise SettingsError(f"The settings file {path} is not UTF-8: save it in that encoding.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The settings file {path} is not TOML: {_first_line(error)}.") from None


def _first_line(error: tomllib.TOMLDecodeError) -> str:
    return str(error).partition("\n")[0]


def _lines(text: str) -> dict[str, int]:
    """The line of each table and key, by a look at the lines' beginnings: tomllib tells none."""
    lines: dict[str, int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(line):
            table = _parts(header[1])
            lines.setdefault(".".join(table), number)
        elif pair := _PAIR.match(line):
            lines.setdefault(".".join((*table, *_parts(pair[1]))), number)
    return lines


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_KEY, dotted))
