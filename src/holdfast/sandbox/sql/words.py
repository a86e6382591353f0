"""T-SQL into words: names, texts, numbers, variables and marks; comments and white space are gone."""

from __future__ import annotations

import re
from typing import NamedTuple

from holdfast.sandbox.sql import errors

_WORD = re.compile(
    r"""
    (?P<space>[\s\ufeff]+|--[^\n]*)
  | (?P<comment>/\*)
  | (?P<string>[Nn]?'(?:[^']|'')*')
  | (?P<quoted>\[(?:[^\]]|\]\])*\]|"(?:[^"]|"")*")
  | (?P<binary>0[xX][0-9a-fA-F]*)
  | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)
  | (?P<variable>@@?[\w$\#@]+)
  | (?P<name>[^\W\d][\w$\#@]*|\#{1,2}\w+)
  | (?P<mark>::|<=|>=|<>|!=|\+=|-=|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_OPEN = frozenset("'[\"")


class Word(NamedTuple):
    """One word.

    Attributes:
        kind: "name", "quoted", "string", "number", "binary", "variable", "mark" or "end".
        text: as written.
        value: of names, without brackets; of strings, what they say.
        start: where it begins in the text; `end` behind it.
    """

    kind: str
    text: str
    value: str
    start: int
    end: int
    line: int

    @property
    def key(self) -> str:
        """For comparing with keywords and marks: upper case; empty for what cannot be one."""
        return self.text.upper() if self.kind in ("name", "mark") else ""

    @property
    def is_name(self) -> bool:
        """Whether it can name something."""
        return self.kind in ("name", "quoted")


def words_of(text: str) -> list[Word]:
    """The words of a batch, an "end" word last.

    Raises:
        SqlError: 105 for a string or name that never closes, 113 for a comment that does not.
    """
    found: list[Word] = []
    at, line = 0, 1
    while at < len(text):
        match = _WORD.match(text, at)
        assert match is not None  # the last alternative takes anything
        kind, written, end = str(match.lastgroup), match[0], match.end()
        if kind == "comment":
            end = _behind_comment(text, at)
        elif kind == "mark" and written in _OPEN:
            raise errors.SqlError(
                105, f"Unclosed quotation mark after the character string '{text[at + 1 :][:40]}'.", 15
            )
        elif written == "[]":
            raise errors.no_name()
        elif kind != "space":
            found.append(Word(kind, written, _value(kind, written), at, end, line))
        line += text.count("\n", at, end)
        at = end
    return [*found, Word("end", "", "", len(text), len(text), line)]


def _behind_comment(text: str, start: int) -> int:
    depth, at = 1, start + 2
    while depth:
        opens, closes = text.find("/*", at), text.find("*/", at)
        if closes < 0:
            raise errors.SqlError(113, "Missing end comment mark '*/'.", 15)
        if 0 <= opens < closes:
            depth, at = depth + 1, opens + 2
        else:
            depth, at = depth - 1, closes + 2
    return at


def _value(kind: str, written: str) -> str:
    if kind == "string":
        return written[written.index("'") + 1 : -1].replace("''", "'")
    if kind == "quoted":
        return written[1:-1].replace("]]" if written[0] == "[" else '""', written[-1])
    return written


class Reading:
    """Goes through words one by one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = words_of(text)
        self.at = 0

    @property
    def word(self) -> Word:
        """The word to read next."""
        return self.words[self.at]

    def ahead(self, steps: int) -> Word:
        """A word further on; the end word where there is none."""
        return self.words[min(self.at + steps, len(self.words) - 1)]

    def step(self) -> Word:
        """The next word, and past it."""
        word = self.word
        self.at = min(self.at + 1, len(self.words) - 1)
        return word

    def took(self, *keys: str) -> bool:
        """Whether these words come next; past them if so."""
        if all(self.ahead(n).key == key for n, key in enumerate(keys)):
            self.at += len(keys)
            return True
        return False

    def need(self, *keys: str) -> None:
        """Past these words. Raises SqlError 102 where others stand."""
        if not self.took(*keys):
            raise self.refusal()

    def name(self) -> str:
        """The name that comes next, without brackets. Raises SqlError 102."""
        if not self.word.is_name:
            raise self.refusal()
        word = self.step()
        if len(word.value) > 128:
            raise errors.SqlError(
                103,
                f"The identifier that starts with '{word.value[:128]}' is too long. Maximum length is 128.",
                15,
                4,
            )
        return word.value

    def refusal(self) -> errors.SqlError:
        """That the next word should not stand here."""
        word = self.word if self.word.kind != "end" or not self.at else self.words[self.at - 1]
        error = errors.syntax(word.text[:40])
        error.line = word.line
        return error
