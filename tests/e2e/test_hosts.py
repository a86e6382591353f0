"""holdfast speaks to the hosts in its settings and to no other."""

import json
import socket

import pytest

from holdfast.cli.main import run
from holdfast.sandbox import embedded

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
    ["doctor", "--ask-sql", "sql-contoso.database.windows.net/erp"],
    ["scan"],
    ["status"],
    ["forecast"],
    ["worklist"],
    ["whatif", "advance", "90d"],
    ["keepalive", "plan"],
    ["migrate", "plan"],
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

    with embedded("story", frozen=True) as ready:
        file = tmp_path / "ready.json"
        file.write_text(json.dumps(ready))
        codes = [run([*command, f"--sandbox={file}", "-o", "json"]) for command in COMMANDS]

    assert max(codes) <= 3
    assert "localhost" in resolved
    assert resolved <= HERE
