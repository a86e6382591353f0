"""Reading bytes that a stranger sent: every read is bounded, and what is missing is a ProtocolError."""

from __future__ import annotations


class ProtocolError(Exception):
    """What came is no TDS, or none that is expected now; the connection ends."""


class Octets:
    """Bytes read from front to back, little-endian as TDS has most numbers."""

    __slots__ = ("_at", "_content")

    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    @property
    def is_empty(self) -> bool:
        """Whether all was read."""
        return self._at >= len(self._content)

    def take(self, count: int) -> bytes:
        """The next `count` bytes. Raises ProtocolError where there are fewer."""
        end = self._at + count
        if count < 0 or end > len(self._content):
            raise ProtocolError("a message ends too early")
        taken = self._content[self._at : end]
        self._at = end
        return taken

    def peek(self) -> int:
        """The next byte, which stays."""
        byte = self.take(1)[0]
        self._at -= 1
        return byte

    def number(self, size: int, *, signed: bool = False) -> int:
        """The next number of so many bytes."""
        return int.from_bytes(self.take(size), "little", signed=signed)

    def text(self, characters: int) -> str:
        """The next UTF-16 text of so many code units."""
        return utf16(self.take(2 * characters))

    def short_text(self) -> str:
        """A text behind one byte that tells its length."""
        return self.text(self.number(1))

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._content) - self._at)


def utf16(content: bytes) -> str:
    """UTF-16 as text; half a character at the end, or of a pair, is replaced."""
    return content.decode("utf-16-le", "replace")
