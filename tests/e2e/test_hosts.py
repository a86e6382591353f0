"""holdfast speaks to the hosts in its settings and to no other."""

import socket

import pytest

from holdfast.cli.main import run

HERE = {"localhost", "127.0.0.1", "::1"}


@pytest.fixture
def resolved(monkeypatch):
    """The names of every host that this process looks up or connects to."""
    names: set[str] = set()
    look_up, connect = socket.getaddrinfo, socket.socket.connect

    def noted_look_up(host, *rest, **more):
        names.add(host.decode() if isinstance(host, bytes) else str(host))
        return look_up(host, *rest, **more)

    def noted_connect(self, address):
        if isinstance(address, tuple):
            names.add(str(address[0]))
        return connect(self, address)

    monkeypatch.setattr(socket, "getaddrinfo", noted_look_up)
    monkeypatch.setattr(socket.socket, "connect", noted_connect)
    return names


COMMANDS = (
    ["doctor"],
    ["scan"],
    ["status"],
    ["forecast"],
    ["worklist"],
    ["keepalive", "plan"],
    ["rotate", "plan"],
    ["alerts", "list"],
    ["metrics"],
    ["watch", "--once"],
    ["made"],
    ["config", "show"],
    ["ledger"],
)


def test_no_host_outside_the_settings_is_resolved(resolved, tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path))

    codes = [run([*command, "--sandbox=story", "-o", "json"]) for command in COMMANDS]

    assert max(codes) <= 3
    assert "localhost" in resolved
    assert resolved <= HERE
