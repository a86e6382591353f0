"""PRELOGIN and LOGIN7 (MS-TDS 2.2.6.5, 2.2.6.4): what a client says before it may ask anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from holdfast.sandbox.tds.octets import Octets, ProtocolError, utf16
from holdfast.sandbox.tds.packets import DEFAULT_SIZE, LARGEST_SIZE, SMALLEST_SIZE
from holdfast.sandbox.tds.tokens import FEDAUTH_FEATURE, SERVER_VERSION

VERSION, ENCRYPTION, INSTANCE, THREAD, MARS, TRACE, FEDAUTH_REQUIRED = range(7)
TERMINATOR = 0xFF
SECURITY_TOKEN = 1
"""The library of FEDAUTH that brings the token along; the others want to be told where to fetch one."""


class Encryption(IntEnum):
    """What a side says of TLS."""

    OFF = 0
    ON = 1
    NOT_SUPPORTED = 2
    REQUIRED = 3


def read_prelogin(content: bytes) -> dict[int, bytes]:
    """The options by their number. Raises ProtocolError."""
    octets, options = Octets(content), {}
    while (option := octets.number(1)) != TERMINATOR:
        start, length = (int.from_bytes(octets.take(2), "big") for _ in range(2))
        if start + length > len(content):
            raise ProtocolError("a PRELOGIN option lies outside the message")
        options[option] = content[start : start + length]
    if ENCRYPTION not in options or not options[ENCRYPTION]:
        raise ProtocolError("PRELOGIN says nothing of encryption")
    return options


def prelogin_reply(asked: dict[int, bytes], encryption: Encryption) -> bytes:
    """The answer, to the options that were sent only (sql-tds.md 3.1)."""
    known = {
        VERSION: SERVER_VERSION + b"\0\0",
        ENCRYPTION: bytes((encryption,)),
        INSTANCE: b"\0",
        THREAD: b"",
        MARS: b"\0",
        TRACE: b"",
        FEDAUTH_REQUIRED: b"\x01",
    }
    options = {option: known[option] for option in sorted(asked) if option in known}
    start = 5 * len(options) + 1
    head, body = b"", b""
    for option, value in options.items():
        head += bytes((option,)) + (start + len(body)).to_bytes(2, "big") + len(value).to_bytes(2, "big")
        body += value
    return head + bytes((TERMINATOR,)) + body


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """LOGIN7, as far as anybody here looks at it.

    Attributes:
        token: an Entra access token; None for a login by name and password.
        packet_size: as asked, within bounds.
        features: numbers of the extensions that were asked for.
        asks_for_tokens: wants to be told where to fetch a token, which this server does not do.
    """

    user: str
    password: str = field(repr=False)
    database: str
    server: str
    application: str
    token: str | None = field(repr=False, default=None)
    packet_size: int = DEFAULT_SIZE
    features: tuple[int, ...] = ()
    asks_for_tokens: bool = False


NAMES = ("host", "user", "password", "application", "server", "extension", "library", "language", "database")
OFFSETS = 36
REVEALED = bytes((byte ^ 0xA5) >> 4 | ((byte ^ 0xA5) & 0x0F) << 4 for byte in range(256))
"""Passwords are obfuscated by swapped half bytes and 0xA5; TLS is what protects them."""


def read_login(content: bytes) -> LoginRequest:
    """LOGIN7. Raises ProtocolError."""
    octets = Octets(content)
    if octets.number(4) > len(content):
        raise ProtocolError("LOGIN7 is longer than its message")
    octets.take(4)
    size = octets.number(4)
    octets.take(12)
    octets.take(3)
    has_extension = bool(octets.number(1) & 0x10)
    octets.take(OFFSETS - 28)
    places = {name: (octets.number(2), octets.number(2)) for name in NAMES}
    texts = {name: _piece(content, *places[name]) for name in NAMES if name != "extension"}
    features = _features(content, places["extension"][0]) if has_extension else {}
    token, asks = _token(features.get(FEDAUTH_FEATURE))
    return LoginRequest(
        user=utf16(texts["user"]),
        password=utf16(_revealed(texts["password"])),
        database=utf16(texts["database"]),
        server=utf16(texts["server"]),
        application=utf16(texts["application"]),
        token=token,
        packet_size=min(max(size, SMALLEST_SIZE), LARGEST_SIZE) if size else DEFAULT_SIZE,
        features=tuple(features),
        asks_for_tokens=asks,
    )


def _piece(content: bytes, start: int, characters: int) -> bytes:
    end = start + 2 * characters
    if end > len(content):
        raise ProtocolError("a LOGIN7 text lies outside the message")
    return content[start:end]


def _revealed(password: bytes) -> bytes:
    return password.translate(REVEALED)


def _features(content: bytes, place: int) -> dict[int, bytes]:
    octets = Octets(content[place : place + 4])
    octets = Octets(content[octets.number(4) :])
    features = {}
    while (feature := octets.number(1)) != TERMINATOR:
        features[feature] = octets.take(octets.number(4))
    return features


def _token(feature: bytes | None) -> tuple[str | None, bool]:
    if feature is None:
        return None, False
    octets = Octets(feature)
    if octets.number(1) >> 1 != SECURITY_TOKEN:
        return None, True
    return utf16(octets.take(octets.number(4))).rstrip("\0"), False
