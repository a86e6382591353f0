"""Sockets on loopback."""

from __future__ import annotations

import socket


def listening(port: int) -> socket.socket:
    """A socket on loopback that takes connections. Raises OSError."""
    # asyncio switches Nagle's algorithm off only where the protocol is named; with it every answer waits 40 ms.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        sock.listen(512)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock
