"""Clients that are slow, silent or gone, on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from holdfast.sandbox.certificates import make_keys, server_pem
from holdfast.sandbox.clock import Clock, wall
from holdfast.sandbox.scenarios.named import build
from holdfast.sandbox.sockets import listening as listening_on
from holdfast.sandbox.tds import server
from holdfast.sandbox.tds.server import SqlListener
from holdfast.sandbox.tenant import Tenant
from tests.unit.sandbox.tds.client import NOW, PRELOGIN, packet, prelogin


@pytest.fixture
async def listening(tmp_path: Path) -> AsyncIterator[tuple[SqlListener, int]]:
    keys = make_keys(wall())
    path = tmp_path / "server.pem"
    path.write_text(server_pem(keys, wall()))
    tenant = Tenant(build("story", 1, NOW), Clock(NOW, frozen=True), keys, {})
    listener = SqlListener(tenant, path, listening_on(0))
    async with listener.serving():
        yield listener, tenant.sql_ports[""]


async def until(condition) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.005)


async def test_silent_clients_keep_nobody_waiting(listening):
    listener, port = listening
    silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
    for _, writer in silent:
        writer.write(prelogin()[:5])

    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(prelogin(encryption=1))
    answer = await asyncio.wait_for(reader.readexactly(8), 5)

    assert answer[0] == 4
    assert len(listener.lines) == 101
    for each in (writer, *(writer for _, writer in silent)):
        each.close()
    await until(lambda: not listener.lines)


async def test_whoever_does_not_log_in_is_cut_off(listening, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server, "LOGIN_SECONDS", 0.05)
    _, port = listening
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await asyncio.wait_for(reader.readexactly(1), 5)
    writer.close()


async def test_there_is_an_end_to_connections(listening, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 2)
    listener, port = listening
    lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
    await until(lambda: len(listener.lines) == 2)

    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    assert await asyncio.wait_for(reader.read(), 5) == b""
    for each in (writer, *(writer for _, writer in lines)):
        each.close()


async def test_a_handshake_that_is_none_ends_the_connection(listening):
    listener, port = listening
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(prelogin(encryption=1))
    await reader.readexactly(8)

    writer.write(packet(PRELOGIN, b"GET / HTTP/1.1"))

    await until(lambda: not listener.lines)
    writer.close()
