"""A client that says TDS by hand: messages as bytes, replies read back into words. It shares no code with the server."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime

from holdfast.sandbox.databases import log_in
from holdfast.sandbox.scenarios.named import SERVER, build
from holdfast.sandbox.sql.login import Identity
from holdfast.sandbox.sql.sessions import SqlSession
from holdfast.sandbox.tds.conversation import Conversation
from holdfast.sandbox.tds.login import LoginRequest
from holdfast.sandbox.tds.session import TdsSession
from holdfast.sandbox.world import World

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
BATCH, RPC, ATTENTION, TRANSACTION, LOGIN7, PRELOGIN = 1, 3, 6, 14, 16, 18
NO_TLS = 2
HEADERS = struct.pack("<IIHQI", 22, 18, 2, 0, 1)


def packet(kind: int, content: bytes, status: int = 1) -> bytes:
    return struct.pack(">BBHHBB", kind, status, len(content) + 8, 0, 1, 0) + content


def prelogin(encryption: int = NO_TLS) -> bytes:
    return packet(
        PRELOGIN, bytes.fromhex("00000b0006 0100110001 ff".replace(" ", "")) + bytes(6) + bytes((encryption,))
    )


def login(
    user: str = "helpdesk_app",
    password: str = "kept by the platform",
    database: str = "helpdesk",
    feature: bytes = b"",
) -> bytes:
    texts = ["host", user, password, "by hand", "localhost", "", "", "", database]
    encoded = [text.encode("utf-16-le") for text in texts]
    encoded[2] = bytes((byte << 4 & 0xF0 | byte >> 4) ^ 0xA5 for byte in encoded[2])
    place, table, body = 94, b"", b""
    for number, text in enumerate(encoded):
        if number == 5 and feature:
            # a place in which stands the place of the extension, which comes last
            table += struct.pack("<HH", place + len(body), 4)
            body += b"\0\0\0\0"
            at = len(body) - 4
        else:
            table += struct.pack("<HH", place + len(body), len(text) // 2)
            body += text
    if feature:
        body = body[:at] + struct.pack("<I", place + len(body)) + body[at + 4 :] + feature + b"\xff"
    flags = bytes((0xE0, 0x03, 0, 0x10 if feature else 0))
    head = struct.pack("<IIIIII", 94 + len(body), 0x74000004, 4096, 7, 1, 0) + flags + bytes(8)
    return packet(LOGIN7, head + table + bytes(22) + body)


def batch(text: str) -> bytes:
    return packet(BATCH, HEADERS + text.encode("utf-16-le"))


def text_parameter(name: str, value: str) -> bytes:
    content = value.encode("utf-16-le")
    named = bytes((len(name),)) + name.encode("utf-16-le")
    return named + b"\0\xe7\x40\x1f" + bytes.fromhex("0904d00034") + struct.pack("<H", len(content)) + content


def int_parameter(name: str, value: int | None, *, output: bool = False) -> bytes:
    named = bytes((len(name),)) + name.encode("utf-16-le") + bytes((output,)) + b"\x26\x04"
    return named + (b"\0" if value is None else b"\x04" + struct.pack("<i", value))


def call(procedure: int | str, *parameters: bytes) -> bytes:
    if isinstance(procedure, int):
        name = struct.pack("<HH", 0xFFFF, procedure)
    else:
        name = struct.pack("<H", len(procedure)) + procedure.encode("utf-16-le")
    return packet(RPC, HEADERS + name + b"\0\0" + b"".join(parameters))


def transaction(kind: int) -> bytes:
    return packet(TRANSACTION, HEADERS + struct.pack("<HBB", kind, 0, 0))


# --- replies ---------------------------------------------------------------------------------------------


def read(reply: bytes) -> list[str]:
    """What a server said, a word or two per token."""
    content = b""
    while reply:
        kind, _, length = struct.unpack(">BBH", reply[:4])
        assert kind in (4, PRELOGIN)
        content, reply = content + reply[8:length], reply[length:]
    return list(_tokens(content))


def _tokens(content: bytes) -> Iterator[str]:
    place, widths = 0, 0
    while place < len(content):
        token = content[place]
        if token in (0xFD, 0xFE, 0xFF):
            status, _, rows = struct.unpack("<HHQ", content[place + 1 : place + 13])
            words = {0x01: "more", 0x02: "error", 0x10: f"{rows} rows", 0x20: "attention"}
            name = {0xFD: "DONE", 0xFE: "DONEPROC", 0xFF: "DONEINPROC"}[token]
            yield " ".join([name, *(word for bit, word in words.items() if status & bit)])
            place += 13
        elif token == 0x79:
            yield f"RETURNSTATUS {struct.unpack('<i', content[place + 1 : place + 5])[0]}"
            place += 5
        elif token == 0x81:
            count = struct.unpack("<H", content[place + 1 : place + 3])[0]
            yield f"COLMETADATA {count}"
            place += 3
            for _ in range(count):  # columns of integers only
                assert content[place + 6] == 0x26
                place += 9 + 2 * content[place + 8]
            widths = count
        elif token == 0xD1:
            values, place = [], place + 1
            for _ in range(widths):
                size = content[place]
                values.append(
                    int.from_bytes(content[place + 1 : place + 1 + size], "little") if size else None
                )
                place += 1 + size
            yield f"ROW {values}"
        elif token == 0xAC:
            assert content[place + 3] == 0
            yield f"RETURNVALUE {struct.unpack('<i', content[-17:-13])[0]}"
            place = len(content) - 13
        elif token == 0xAE:
            place += 1
            while content[place] != 0xFF:
                yield f"FEATUREEXTACK {content[place]}"
                place += 5 + struct.unpack("<I", content[place + 1 : place + 5])[0]
            place += 1
        else:
            length = struct.unpack("<H", content[place + 1 : place + 3])[0]
            body = content[place + 3 : place + 3 + length]
            if token in (0xAA, 0xAB):
                number, state, severity, size = struct.unpack("<iBBH", body[:8])
                name = "ERROR" if token == 0xAA else "INFO"
                yield f"{name} {number} {state} {severity} {body[8 : 8 + 2 * size].decode('utf-16-le')}"
            else:
                yield {0xE3: f"ENVCHANGE {body[0]}", 0xAD: "LOGINACK"}[token]
            place += 3 + length


WELCOME = [
    "ENVCHANGE 4",
    "ENVCHANGE 1",
    "INFO 5701 2 0 Changed database context to 'helpdesk'.",
    "ENVCHANGE 7",
    "ENVCHANGE 2",
    "INFO 5703 1 0 Changed language setting to us_english.",
    "LOGINACK",
    "DONE",
]


class Talk:
    """A conversation without TLS, and every session it opened; with a world of its own where none is given."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or build("story", 1, NOW)
        self.sessions: list[SqlSession] = []
        self.conversation = Conversation(TdsSession(None), self._sign_in)

    def _sign_in(self, request: LoginRequest) -> SqlSession:
        who = Identity("sql", request.user, request.password)
        session = log_in(self.world, SERVER, request.database, who, lambda: NOW, "127.0.0.1")
        self.sessions.append(session)
        return session

    def says(self, received: bytes) -> list[str]:
        """What the server answers to these bytes."""
        return read(self.conversation.receive(received))

    def begun(self) -> Talk:
        """The same, logged in."""
        self.conversation.receive(prelogin())
        assert self.says(login()) == WELCOME
        return self
