"""One connection as a protocol, in h11's manner: bytes in, events out; tokens in, bytes out. No socket, no SQL.

What may come when stands in `STEPS`; whatever else comes is a ProtocolError, and the connection is over.
"""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import NamedTuple

from holdfast.sandbox.tds import tokens
from holdfast.sandbox.tds.login import (
    ENCRYPTION,
    Encryption,
    LoginRequest,
    prelogin_reply,
    read_login,
    read_prelogin,
)
from holdfast.sandbox.tds.octets import ProtocolError
from holdfast.sandbox.tds.packets import DEFAULT_SIZE, Assembler, Message, PacketType, packets
from holdfast.sandbox.tds.requests import (
    Batch,
    RemoteCalls,
    TransactionRequest,
    read_batch,
    read_calls,
    read_transaction,
)
from holdfast.sandbox.tds.tls import Tls

LONGEST_BEFORE_LOGIN = 128 * 1024
"""MS-TDS 2.2.6.4: LOGIN7 is no longer than 128 K - 1."""
LONGEST_REQUEST = 16 * 1024 * 1024
LARGEST_HANDSHAKE_PACKET = 32767


class State(Enum):
    """Where a connection stands."""

    PRELOGIN = auto()
    HANDSHAKE = auto()
    LOGIN = auto()
    ANSWERING_LOGIN = auto()
    READY = auto()
    CLOSED = auto()


class Attention(NamedTuple):
    """The client wants what runs to stop; it waits for an answer to this."""


class Cancelled(NamedTuple):
    """The client ended a request in the middle of it."""


class Reset(NamedTuple):
    """The next request wants the session as new."""


Event = LoginRequest | Batch | RemoteCalls | TransactionRequest | Attention | Cancelled | Reset
Step = Callable[["TdsSession", bytes], None]


class TdsSession:
    """The server's side of one connection.

    Args:
        context: of TLS, at most 1.2: msodbcsql18 hangs otherwise (sql-tds.md 3.2). None is a server without TLS.
        spid: the number that the server gives the session.
    """

    def __init__(self, context: ssl.SSLContext | None, spid: int = 51) -> None:
        self.state = State.PRELOGIN
        self._context, self._spid = context, spid
        self._tls: Tls | None = None
        self._assembler = Assembler(LONGEST_BEFORE_LOGIN)
        self._events: deque[Event] = deque()
        self._outgoing = bytearray()
        self._packet_size = DEFAULT_SIZE

    def receive(self, received: bytes) -> None:
        """Take what came from the client; nothing means that it sends no more. Ask `next_event` then."""
        if self.state is State.CLOSED:
            return
        try:
            self._take(received)
        except ProtocolError:
            self.close()

    def _take(self, received: bytes) -> None:
        if not received:
            raise ProtocolError("the client is gone")
        if self._tls is not None and self.state is not State.HANDSHAKE:
            received = self._tls.decrypted(received)
        self._assembler.feed(received)

    def next_event(self) -> Event | None:
        """What the client wants next; None until more bytes come."""
        try:
            while not self._events and self.state not in (State.CLOSED, State.ANSWERING_LOGIN):
                message = self._assembler.message()
                if message is None:
                    break
                self._step(message)
        except ProtocolError:
            self.close()
        if not self._events and self._tls is not None and self._tls.is_ended:
            self.close()
        return self._events.popleft() if self._events and self.state is not State.CLOSED else None

    def outgoing(self) -> bytes:
        """What is to be sent now, taken out."""
        sent = bytes(self._outgoing)
        self._outgoing.clear()
        return sent

    def close(self) -> None:
        """It is over; what is to be sent still is."""
        self.state = State.CLOSED
        self._events.clear()

    def _step(self, message: Message) -> None:
        step = STEPS.get((self.state, message.kind))
        if step is None:
            raise ProtocolError(f"{message.kind.name} does not come in the state {self.state.name}")
        if message.resets:
            self._events.append(Reset())
        if message.is_ignored:
            self._events.append(Cancelled())
        else:
            step(self, message.content)

    # --- what comes ---------------------------------------------------------------------------------------

    def _prelogin(self, content: bytes) -> None:
        asked = read_prelogin(content)
        wanted = asked[ENCRYPTION][0]
        if self._context is None:
            answer, self.state = Encryption.NOT_SUPPORTED, State.LOGIN
        else:
            # Like Azure, no login without TLS: a client that wants none is told so, and may still change its mind.
            answer = Encryption.ON if wanted in (Encryption.ON, Encryption.REQUIRED) else Encryption.REQUIRED
            self._tls, self.state = Tls(self._context), State.HANDSHAKE
        self._outgoing += b"".join(packets(PacketType.REPLY, prelogin_reply(asked, answer)))

    def _handshake(self, content: bytes) -> None:
        if self._tls is None:
            raise ProtocolError("there is no TLS here")
        reply, is_over = self._tls.handshake(content)
        if reply:
            self._put(packets(PacketType.PRELOGIN, reply, LARGEST_HANDSHAKE_PACKET))
        if is_over:
            self.state = State.LOGIN
            if early := self._assembler.left():
                self._assembler.feed(self._tls.decrypted(early))

    def _login(self, content: bytes) -> None:
        request = read_login(content)
        self._packet_size = request.packet_size
        self.state = State.ANSWERING_LOGIN
        self._events.append(request)

    def _batch(self, content: bytes) -> None:
        self._events.append(read_batch(content))

    def _calls(self, content: bytes) -> None:
        self._events.append(read_calls(content))

    def _transaction(self, content: bytes) -> None:
        self._events.append(read_transaction(content))

    def _attention(self, content: bytes) -> None:
        self._events.append(Attention())

    # --- what goes ----------------------------------------------------------------------------------------

    def welcome(self, request: LoginRequest, database: str) -> None:
        """Let the client in."""
        size = str(request.packet_size)
        self._reply(
            tokens.env_change(tokens.PACKET_SIZE, size, str(DEFAULT_SIZE))
            + tokens.env_change(tokens.DATABASE, database, "master")
            + tokens.info(5701, f"Changed database context to '{database}'.", 2)
            + tokens.collation()
            + tokens.env_change(tokens.LANGUAGE, "us_english", "")
            + tokens.info(5703, "Changed language setting to us_english.")
            + tokens.login_ack()
            + tokens.feature_ack(request.features)
            + tokens.done()
        )
        self._assembler.limit = LONGEST_REQUEST
        self.state = State.READY

    def refuse(self, errors: bytes) -> None:
        """Tell error tokens and end the connection."""
        self._reply(errors + tokens.done(status=tokens.FAILED))
        self.close()

    def answer(self, reply: bytes) -> None:
        """Send tokens."""
        self._reply(reply)

    def _reply(self, content: bytes) -> None:
        self._put(packets(PacketType.REPLY, content, self._packet_size, self._spid))

    def _put(self, made: Iterable[bytes]) -> None:
        content = b"".join(made)
        is_inside = self._tls is not None and self.state is not State.HANDSHAKE
        self._outgoing += self._tls.encrypted(content) if is_inside and self._tls is not None else content


STEPS: dict[tuple[State, PacketType], Step] = {
    (State.PRELOGIN, PacketType.PRELOGIN): TdsSession._prelogin,
    (State.HANDSHAKE, PacketType.PRELOGIN): TdsSession._handshake,
    (State.LOGIN, PacketType.LOGIN7): TdsSession._login,
    (State.READY, PacketType.BATCH): TdsSession._batch,
    (State.READY, PacketType.RPC): TdsSession._calls,
    (State.READY, PacketType.TRANSACTION): TdsSession._transaction,
    (State.READY, PacketType.ATTENTION): TdsSession._attention,
}
"""What may come in which state. The other states take nothing: PRELOGIN → HANDSHAKE → LOGIN → ANSWERING_LOGIN → READY."""
