"""TDS packets: messages out of bytes, bytes out of messages (MS-TDS 2.2.3)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from holdfast.sandbox.tds.octets import ProtocolError

HEADER = 8
END_OF_MESSAGE = 0x01
IGNORE = 0x02
RESET_CONNECTION = 0x08
RESET_BUT_TRANSACTION = 0x10
DEFAULT_SIZE = 4096
SMALLEST_SIZE, LARGEST_SIZE = 512, 32767


class PacketType(IntEnum):
    """The kinds of message that this server knows."""

    BATCH = 0x01
    RPC = 0x03
    REPLY = 0x04
    ATTENTION = 0x06
    TRANSACTION = 0x0E
    LOGIN7 = 0x10
    PRELOGIN = 0x12


class Message(NamedTuple):
    """What one or more packets carried together.

    Attributes:
        resets: the client wants its session as new before this, its transaction ended.
        is_ignored: the client changed its mind while it was sending.
    """

    kind: PacketType
    content: bytes
    resets: bool = False
    is_ignored: bool = False


class Assembler:
    """Puts packets together to messages."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        """The longest message that is taken, in bytes."""
        self._bytes = bytearray()
        self._content = bytearray()
        self._kind: PacketType | None = None
        self._resets = False

    def feed(self, received: bytes) -> None:
        """Take what came."""
        self._bytes += received

    def message(self) -> Message | None:
        """The next whole message; None until more comes.

        Raises:
            ProtocolError: it is no packet, or the message grows too long.
        """
        while self._bytes:
            kind, length = _kind(self._bytes[0]), int.from_bytes(self._bytes[2:4], "big")
            if len(self._bytes) < HEADER:
                return None
            if length < HEADER or self._kind not in (None, kind):
                raise ProtocolError("no TDS packet")
            if len(self._content) + length - HEADER > self.limit:
                raise ProtocolError("a message is too long")
            if len(self._bytes) < length:
                return None
            status = self._bytes[1]
            self._begin(kind, status)
            self._content += self._bytes[HEADER:length]
            del self._bytes[:length]
            if status & END_OF_MESSAGE:
                return self._end(kind, status)
        return None

    def left(self) -> bytes:
        """What came behind the last message, taken out."""
        rest = bytes(self._bytes)
        self._bytes.clear()
        return rest

    def _begin(self, kind: PacketType, status: int) -> None:
        if self._kind is None:
            self._resets = bool(status & (RESET_CONNECTION | RESET_BUT_TRANSACTION))
        self._kind = kind

    def _end(self, kind: PacketType, status: int) -> Message:
        message = Message(kind, bytes(self._content), self._resets, bool(status & IGNORE))
        self._content.clear()
        self._kind = None
        return message


def _kind(byte: int) -> PacketType:
    try:
        return PacketType(byte)
    except ValueError:
        raise ProtocolError("no TDS packet") from None


def packets(kind: PacketType, content: bytes, size: int = DEFAULT_SIZE, spid: int = 0) -> Iterator[bytes]:
    """The packets that carry a message."""
    room = size - HEADER
    for place, start in enumerate(range(0, max(len(content), 1), room), 1):
        piece = content[start : start + room]
        status = END_OF_MESSAGE if start + room >= len(content) else 0
        head = bytes((kind, status)) + (len(piece) + HEADER).to_bytes(2, "big") + spid.to_bytes(2, "big")
        yield head + bytes((place % 256, 0)) + piece
