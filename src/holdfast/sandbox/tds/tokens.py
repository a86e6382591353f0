"""The tokens of a reply (MS-TDS 2.2.7), each as bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from holdfast.sandbox.sql.errors import SqlError
from holdfast.sandbox.tds.datatypes import COLLATION, Wire

MORE, FAILED, COUNT, ATTENTION = 0x01, 0x02, 0x10, 0x20
DONE, DONE_PROCEDURE, DONE_IN_PROCEDURE = 0xFD, 0xFE, 0xFF
SELECT = 0xC1
DATABASE, LANGUAGE, PACKET_SIZE, SQL_COLLATION = 1, 2, 4, 7
BEGUN, COMMITTED, ROLLED_BACK, RESET = 8, 9, 10, 18
SERVER_VERSION = bytes((12, 0, 7, 208))
"""Azure SQL Database says 12.0.2000 whatever it is."""
TDS_7_4 = bytes.fromhex("74000004")
FEDAUTH_FEATURE, UTF8_FEATURE = 0x02, 0x0A
LONGEST_MESSAGE = 4000


def _b_text(text: str) -> bytes:
    content = text[:255].encode("utf-16-le", "replace")
    return bytes((len(content) // 2 & 0xFF,)) + content[:510]


def _us_text(text: str) -> bytes:
    content = text[:LONGEST_MESSAGE].encode("utf-16-le", "replace")
    return (len(content) // 2).to_bytes(2, "little") + content


def _sized(token: int, content: bytes) -> bytes:
    return bytes((token,)) + len(content).to_bytes(2, "little") + content


def env_change(kind: int, new: str | bytes, old: str | bytes = b"") -> bytes:
    """The session is another in this regard. Texts go as texts, bytes as they are."""
    parts = (_b_text(part) if isinstance(part, str) else bytes((len(part),)) + part for part in (new, old))
    return _sized(0xE3, bytes((kind,)) + b"".join(parts))


def collation() -> bytes:
    """The collation of the session."""
    return env_change(SQL_COLLATION, COLLATION)


def info(number: int, message: str, state: int = 1, severity: int = 0, line: int = 1) -> bytes:
    """A message that is no error."""
    return _message(0xAB, number, state, severity, message, line)


def error(fault: SqlError) -> bytes:
    """An error with its number, state and class."""
    line = int(getattr(fault, "line", 1) or 1)
    return _message(0xAA, fault.number, fault.state, fault.severity, fault.message, line)


def _message(token: int, number: int, state: int, severity: int, message: str, line: int) -> bytes:
    head = number.to_bytes(4, "little", signed=True) + bytes((state & 0xFF, severity & 0xFF))
    return _sized(
        token, head + _us_text(message) + _b_text("sandbox") + _b_text("") + line.to_bytes(4, "little")
    )


def login_ack() -> bytes:
    """Welcome."""
    return _sized(0xAD, b"\x01" + TDS_7_4 + _b_text("Microsoft SQL Server") + SERVER_VERSION)


def feature_ack(features: Iterable[int]) -> bytes:
    """Which of the asked features there are; nothing where none was asked for."""
    known = {FEDAUTH_FEATURE: b"", UTF8_FEATURE: b"\x01"}
    acked = [feature for feature in features if feature in known]
    if not acked:
        return b""
    parts = (bytes((one,)) + len(known[one]).to_bytes(4, "little") + known[one] for one in acked)
    return b"\xae" + b"".join(parts) + b"\xff"


def done(token: int = DONE, status: int = 0, rows: int = 0, command: int = 0) -> bytes:
    """The end of a statement, or of all (without MORE)."""
    return (
        bytes((token,))
        + status.to_bytes(2, "little")
        + command.to_bytes(2, "little")
        + (rows & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "little")
    )


def return_status(value: int = 0) -> bytes:
    """What a procedure returned."""
    return b"\x79" + value.to_bytes(4, "little", signed=True)


def return_value(ordinal: int, name: str, wire: Wire, value: Any) -> bytes:
    """An output parameter."""
    head = b"\xac" + ordinal.to_bytes(2, "little") + _b_text(name) + b"\x01" + bytes(4) + b"\x01\x00"
    return head + wire.description + (wire.null if value is None else wire.put(value))


def column_metadata(columns: Sequence[tuple[str, Wire]]) -> bytes:
    """What the rows that follow consist of."""
    parts = (bytes(4) + b"\x09\x00" + wire.description + _b_text(name) for name, wire in columns)
    return b"\x81" + len(columns).to_bytes(2, "little") + b"".join(parts)


def row(wires: Sequence[Wire], values: Sequence[Any]) -> bytes:
    """One row.

    Raises:
        ValueError, TypeError, OverflowError: a value is none of its column's type.
    """
    return b"\xd1" + b"".join(
        wire.null if value is None else wire.put(value) for wire, value in zip(wires, values, strict=True)
    )
