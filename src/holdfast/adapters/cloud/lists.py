"""A list in bytes, some at a time, to its items, one at a time.

The platform gives some lists whole: a hundred thousand connections in one answer. So a list is never held in memory,
neither as text nor as objects.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

ITEM_LIMIT: Final = 16 * 2**20  # characters; the largest items are flow definitions of about a megabyte
_BLANK: Final = " \t\r\n"


class NotAListError(ValueError):
    """The bytes are not a JSON object with a `value` array, or one item is too large."""


class ListReader:
    """Reads `{"value": [...], ...}`.

    Attributes:
        rest: the other fields of the object, complete once `items` has ended.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.rest: dict[str, Any] = {}
        self._chunks = iter(chunks)
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._scan = json.JSONDecoder().raw_decode
        self._text = ""
        self._at = 0
        self._ended = False

    def items(self) -> Iterator[Any]:
        """Every item of `value`.

        Raises:
            NotAListError: also after some items, when the bytes break off or stop being JSON.
        """
        self._expect("{")
        found = False
        while (sign := self._sign()) != "}":
            if found or self.rest:
                self._expect(",")
            elif sign == ",":
                raise NotAListError("a comma where a name should be")
            name = self._value()
            self._expect(":")
            if name == "value" and not found:
                found = True
                yield from self._array()
            elif isinstance(name, str):
                self.rest[name] = self._value()
            else:
                raise NotAListError("a name that is no text")
        if not found:
            raise NotAListError("no `value` in it")

    def _array(self) -> Iterator[Any]:
        self._expect("[")
        if self._sign() == "]":
            self._at += 1
            return
        while True:
            yield self._value()
            sign = self._sign()
            self._at += 1
            if sign == "]":
                return
            if sign != ",":
                raise NotAListError("no comma between two items")

    def _sign(self) -> str:
        """The next character that is not blank, not consumed."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _BLANK:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                raise NotAListError("it breaks off")

    def _expect(self, sign: str) -> None:
        if self._sign() != sign:
            raise NotAListError(f"no {sign} where it should be")
        self._at += 1

    def _value(self) -> Any:
        """The next JSON value. Where it is cut off, as much again is read before the next try."""
        self._sign()
        while True:
            try:
                value, end = self._scan(self._text, self._at)
                # A number at the very end of what is there may go on in the next bytes.
                if end < len(self._text) or self._ended or not isinstance(value, int | float):
                    self._at = end
                    return value
            except (ValueError, RecursionError) as error:
                if self._ended:
                    raise NotAListError("it is not JSON") from error
            size = len(self._text) - self._at
            if size > ITEM_LIMIT:
                raise NotAListError("one item is too large, or it is not JSON")
            while len(self._text) - self._at < 2 * size and self._more():
                pass

    def _more(self) -> bool:
        """Read on; False at the end of the bytes."""
        if self._ended:
            return False
        chunk = next(self._chunks, None)
        try:
            text = self._decode(chunk or b"", chunk is None)
        except UnicodeDecodeError as error:
            raise NotAListError("it is not UTF-8") from error
        self._ended = chunk is None
        self._text = self._text[self._at :] + text
        self._at = 0
        return not self._ended
