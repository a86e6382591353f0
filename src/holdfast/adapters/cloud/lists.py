"""A list in bytes, some at a time, to its items, one at a time.

The platform gives some lists whole: a hundred thousand connections in one answer. So a list is never held in memory,
neither as text nor as objects.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Generic, TypeVar

Item = TypeVar("Item")

ITEM_LIMIT: Final = 16 * 2**20  # characters; the largest items are flow definitions of about a megabyte
_BLANK: Final = " \t\r\n"
_AFTER_NUMBER: Final = frozenset(_BLANK) | frozenset(",]}")
_LONGEST_BEGINNING: Final = 200
_AT_ONCE: Final = (
    32 * 1024
)  # characters; more at once live so long that the garbage collector looks at them twice


class NotAListError(ValueError):
    """The bytes are not a JSON object with a `value` array, or one item is too large."""


class ListReader(Generic[Item]):
    """Reads `{"value": [...], ...}`.

    Attributes:
        rest: the other fields of the object, complete once `items` has ended.
        head: the first bytes, to show what came instead of a list.
    """

    def __init__(
        self, chunks: Iterable[bytes], one: Callable[[Any], Item], several: Callable[[str], Iterable[Item]]
    ) -> None:
        """Reads nothing yet.

        Args:
            one: makes an item of its JSON value.
            several: the same from the text of an array; where it raises ValueError, `one` is asked about each.
        """
        self.rest: dict[str, Any] = {}
        self.head = b""
        self._chunks = iter(chunks)
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._scan = json.JSONDecoder().raw_decode
        self._one = one
        self._several: Callable[[str], Iterable[Item]] | None = several
        self._between = ""
        self._text = ""
        self._at = 0
        self._ended = False

    def items(self) -> Iterator[Item]:
        """Every item of `value`.

        Raises:
            NotAListError: also after some items, when the bytes break off or stop being JSON.
            ValueError: as `one` raises it.
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

    def _array(self) -> Iterator[Item]:
        self._expect("[")
        if self._sign() == "]":
            self._at += 1
            return
        while True:
            yield self._one(self._value())
            sign = self._sign()
            self._at += 1
            if sign == "]":
                return
            if sign != ",":
                raise NotAListError("no comma between two items")
            yield from self._whole_ones()

    def _whole_ones(self) -> Iterable[Item]:
        """The next items that are here from their first character to their last, read in one go.

        Where the last of them ends is a guess: before what looks like the beginning of the second item. The reading
        proves it: what is an array between brackets of ours was cut between two items. After a wrong guess all that
        follow are read one by one.
        """
        if self._several is None:
            return ()
        if not self._between:
            colon = self._text.find(":", self._at, self._at + _LONGEST_BEGINNING)
            beginning = self._text[self._at : colon + 1]
            if not beginning.lstrip(_BLANK).startswith("{"):
                return ()
            self._between = f",{beginning}"
        end = self._text.rfind(self._between, self._at, self._at + _AT_ONCE)
        if end < 0:
            return ()
        try:
            found = self._several(f"[{self._text[self._at : end]}]")
        except (ValueError, RecursionError):
            self._several = None
            return ()
        self._at = end + 1
        return found

    def _sign(self) -> str:
        """The next character that is not blank, not consumed."""
        while True:
            text, at = self._text, self._at
            while (sign := text[at : at + 1]) and sign in _BLANK:
                at += 1
            self._at = at
            if sign:
                return sign
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
            except (ValueError, RecursionError):
                if self._ended:
                    raise NotAListError("it is not JSON") from None
            else:
                # Of a number cut off in the middle ("1" of "1.5", "1." and "1e" too) the beginning reads well.
                if self._text[end : end + 1] in _AFTER_NUMBER or not isinstance(value, int | float):
                    self._at = end
                    return value
                if self._ended:
                    raise NotAListError("a number that goes on")
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
        self.head = self.head or (chunk or b"")[:4096]
        try:
            text = self._decode(chunk or b"", chunk is None)
        except UnicodeDecodeError as error:
            raise NotAListError("it is not UTF-8") from error
        self._ended = chunk is None
        self._text = self._text[self._at :] + text
        self._at = 0
        return not self._ended
