"""One plain line out of whatever a text was wrapped in: JSON, HTML, log lines, terminals."""

from __future__ import annotations

import re
from typing import Final

# A run of backslashes is taken whole and once: tried from each of its places it would cost its square.
_ESCAPE: Final = re.compile(r"(?<!\\)\\++(?:u([0-9a-fA-F]{4})|([rnt])|([\"'/]))")
_INVISIBLE: Final = re.compile("[\x00-\x08\x0e-\x1b\x7f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_ENTITY: Final = re.compile(r"&(?:amp;)*(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|(quot|apos|lt|gt|amp|nbsp));")
_NAMED: Final = {"quot": '"', "apos": "'", "lt": "<", "gt": ">", "amp": "&", "nbsp": " "}
_QUOTES: Final = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00b4": "'"})
_PERCENT: Final = re.compile(r"%(?:25)*([2-7][0-9a-fA-F])")


def plain(text: str) -> str:
    """The text on one line: escapes and entities resolved, blanks of any kind made one, nothing invisible.

    Each layer is undone where its marks are seen, however often it was applied; nothing is parsed, so a
    cut-off or nested document reads as well as a whole one.
    """
    if "\\" in text:
        text = _ESCAPE.sub(_unescaped, text)
    if "&" in text:
        text = _ENTITY.sub(_character, text)
    if "%" in text and text.count("%20") + text.count("%3A") + text.count("%22") > 2:
        text = _PERCENT.sub(lambda found: chr(int(found[1], 16)), text)
    if text.count("+") > 4 and text.count("+") > text.count(" "):
        text = text.replace("+", " ")
    if not text.isprintable():
        text = _INVISIBLE.sub("", text)
    if not text.isascii():
        text = text.translate(_QUOTES)
    return " ".join(text.split())


def _unescaped(found: re.Match[str]) -> str:
    if found[1]:
        return chr(int(found[1], 16))
    return " " if found[2] else found[3]


def _character(found: re.Match[str]) -> str:
    if found[3]:
        return _NAMED[found[3]]
    number = int(found[1]) if found[1] else int(found[2], 16)
    return chr(number) if number < 0x110000 else "\ufffd"
