"""TLS without a socket: bytes in, bytes out."""

from __future__ import annotations

import ssl

from holdfast.sandbox.tds.octets import ProtocolError

CHUNK = 65536


class Tls:
    """The server's side of one TLS connection.

    Attributes:
        is_ended: the client said that it sends no more.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.is_ended = False

    def handshake(self, received: bytes) -> tuple[bytes, bool]:
        """What to send next, and whether the handshake is over.

        Raises:
            ProtocolError: it failed.
        """
        self._incoming.write(received)
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return self._outgoing.read(), False
        except ssl.SSLError:
            raise ProtocolError("the TLS handshake failed") from None
        return self._outgoing.read(), True

    def decrypted(self, received: bytes) -> bytes:
        """What the client sent. Raises ProtocolError where it cannot be read."""
        self._incoming.write(received)
        pieces = []
        try:
            while piece := self._tls.read(CHUNK):
                pieces.append(piece)
            self.is_ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.is_ended = True
        except ssl.SSLError:
            raise ProtocolError("TLS broke") from None
        return b"".join(pieces)

    def encrypted(self, content: bytes) -> bytes:
        """Content as TLS records."""
        if content:
            self._tls.write(content)
        return self._outgoing.read()
