"""What a client asks once it is in: batches, remote calls, transactions (MS-TDS 2.2.6.7, 2.2.6.6, 2.2.6.9)."""

from __future__ import annotations

from typing import NamedTuple

from holdfast.sandbox.tds.datatypes import Parameter, read_parameter
from holdfast.sandbox.tds.octets import Octets, ProtocolError, utf16

PROCEDURES = {
    10: "sp_executesql",
    11: "sp_prepare",
    12: "sp_execute",
    13: "sp_prepexec",
    14: "sp_prepexecrpc",
    15: "sp_unprepare",
}
"""Procedures that are called by number. Those from 1 to 9 are server cursors."""
SEPARATORS = (0xFE, 0xFF)
BEGIN, COMMIT, ROLLBACK, SAVE = 5, 7, 8, 9


class Batch(NamedTuple):
    """T-SQL text."""

    text: str


class RemoteCall(NamedTuple):
    """A procedure by its name, with parameters."""

    procedure: str
    parameters: tuple[Parameter, ...]


class RemoteCalls(NamedTuple):
    """What came in one message, and is answered in one."""

    calls: tuple[RemoteCall, ...]


class TransactionRequest(NamedTuple):
    """BEGIN, COMMIT, ROLLBACK or SAVE; `begins` asks for the next transaction at once."""

    kind: int
    begins: bool = False


def read_batch(content: bytes) -> Batch:
    """A batch. Raises ProtocolError."""
    return Batch(utf16(_behind_headers(content).rest()))


def read_calls(content: bytes) -> RemoteCalls:
    """One or more remote calls. Raises ProtocolError."""
    octets = _behind_headers(content)
    calls = [_call(octets)]
    while not octets.is_empty:
        octets.take(1)
        if not octets.is_empty:
            calls.append(_call(octets))
    return RemoteCalls(tuple(calls))


def _call(octets: Octets) -> RemoteCall:
    length = octets.number(2)
    if length == 0xFFFF:
        number = octets.number(2)
        name = PROCEDURES.get(number, f"sp_cursor {number}")
    else:
        name = octets.text(length)
    octets.take(2)
    parameters = []
    while not octets.is_empty and octets.peek() not in SEPARATORS:
        parameters.append(read_parameter(octets))
    return RemoteCall(name, tuple(parameters))


def read_transaction(content: bytes) -> TransactionRequest:
    """A request to the transaction manager. Raises ProtocolError."""
    octets = _behind_headers(content)
    kind = octets.number(2)
    if kind not in (BEGIN, COMMIT, ROLLBACK, SAVE):
        raise ProtocolError("distributed transactions are not there")
    if kind not in (COMMIT, ROLLBACK):
        return TransactionRequest(kind)
    octets.take(octets.number(1))
    return TransactionRequest(kind, bool(octets.number(1) & 1))


def _behind_headers(content: bytes) -> Octets:
    octets = Octets(content)
    length = octets.number(4)
    if not 4 <= length <= len(content):
        raise ProtocolError("the headers of a request are longer than it")
    octets.take(length - 4)
    return octets
