from __future__ import annotations

import json
import socket
import ssl
import urllib.parse
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import pytest

from holdfast.sandbox import SandboxError, embedded
from holdfast.sandbox.event_details import TAKES

HOSTS = ["authority", "graph", "powerapps", "bap", "flow", "powerplatform", "apihub"]


def port_of(url: str) -> int:
    port = urllib.parse.urlsplit(url).port
    assert port
    return port


def test_the_ready_file_appears_whole_and_goes_with_the_sandbox(tmp_path):
    place = tmp_path / "ready.json"
    with embedded(ready_file=place) as ready:
        assert json.loads(place.read_text()) == ready
        assert place.stat().st_mode & 0o077 == 0
    assert not place.exists()


def test_the_ready_mapping_has_what_a_client_needs(sandbox):
    ready = sandbox.ready
    assert all(ready[host].startswith("https://localhost:") for host in HOSTS)
    assert ready["control"].startswith("http://127.0.0.1:")
    assert len(ready["accounts"]) >= 2
    for account in ready["accounts"]:
        assert set(account) == {"username", "object_id", "password", "client_id", "refresh_token"}
        assert all(account.values())
    assert any(app["sql_databases"] for app in ready["apps"])
    assert set(ready["roles"]) == {"reader", "operator", "app_admin", "sql_admin"}
    assert set(ready["roles"].values()) <= {app["name"] for app in ready["apps"]}


@pytest.mark.parametrize("host", HOSTS)
def test_every_answer_is_dated_by_the_clouds_clock(sandbox, host):
    sandbox.advance(days=40)
    now = sandbox.control("/clock")["now"]
    reply = sandbox.ask(sandbox.ready[host] + "/nowhere/to/be/found")
    assert parsedate_to_datetime(reply.headers["date"]).isoformat()[:19] == now[:19]


def test_state_survives_a_restart(start, tmp_path):
    with embedded(state=tmp_path, frozen=True) as first:
        pass
    again = start(state=tmp_path, frozen=True)
    assert again.ready["accounts"] == first["accounts"]
    assert again.ready["tenant_id"] == first["tenant_id"]


def test_the_clock_goes_on_where_it_stopped(start, tmp_path):
    with embedded(state=tmp_path, frozen=True) as ready:
        from tests.sandbox.conftest import Sandbox

        Sandbox(ready).advance(days=30)
        stopped = Sandbox(ready).control("/clock")["now"]
    assert start(state=tmp_path, frozen=True).control("/clock")["now"] == stopped


def test_two_at_once_cannot_hold_one_state(start, tmp_path):
    start(state=tmp_path)
    with pytest.raises(SandboxError, match="is using the sandbox state"), embedded(state=tmp_path):
        pass


def test_a_damaged_snapshot_is_refused_and_left_as_it_was(tmp_path):
    place = tmp_path / "story.json"
    place.write_text('{"format": 1, "world":')
    with pytest.raises(SandboxError, match="remove it"), embedded(state=tmp_path):
        pass
    assert place.read_text() == '{"format": 1, "world":'


def test_a_taken_port_is_said(start):
    first = start()
    taken = port_of(first.ready["graph"])
    with pytest.raises(SandboxError, match="port"), embedded(ports={"graph": taken}):
        pass


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}], ids=str
)
def test_the_control_port_refuses_strangers(sandbox, headers):
    assert sandbox.ask(sandbox.ready["control"] + "/truth", headers=headers).status == 403


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/clock/advance", b'{"days": -1}', "never goes back"),
        ("/clock/advance", b'{"days": 1e300}', "cannot advance"),
        ("/clock/advance", b'{"days": "1"}', "must be numbers"),
        ("/clock/advance", b'{"weeks": 1}', "unknown: weeks"),
        ("/clock/advance", b"[]", "must be a JSON object"),
        ("/clock/advance", b"{", "not valid JSON"),
        ("/clock/advance", b"[" * 100_000, "not valid JSON"),
        ("/events", b'{"event": "end_of_days"}', "unknown event"),
        ("/reset", b'{"scenario": "nowhere"}', "no scenario"),
    ],
)
def test_the_control_port_says_what_it_cannot_do(sandbox, path, body, says):
    before = sandbox.control("/clock")
    reply = sandbox.ask(
        sandbox.ready["control"] + path, body=body, headers={"content-type": "application/json"}
    )
    assert reply.status in (400, 404)
    assert says in reply.body.decode()
    assert sandbox.control("/clock") == before


ODD = ("true", "[[]]", '{"a": []}', "-1e308", "NaN", '"\\ud800"', '"\\u0000"')
PLANS = ("kind", "host", "method", "path", "share", "times", "status", "retry_after", "seconds", "unkind")
STEERED: list[tuple[str, Mapping[str, object], str]] = [
    *(("/clock/advance", {}, key) for key in ("days", "hours", "seconds")),
    *(("/faults", {"kind": "error", "path": "^never$"}, key) for key in PLANS),
    *(("/rules", {"id": "revocation_is_immediate", "holds": True}, key) for key in ("id", "holds")),
    *(("/reset", {"scenario": "nowhere"}, key) for key in ("scenario", "seed")),
    ("/run", {}, "flow"),
    *(
        ("/events", {"event": event, "target": target}, key)
        for event, keys in TAKES.items()
        for key in sorted(keys)
        for target in ("dana.kim@contoso.example", "sql-contoso.database.windows.net/erp")
    ),
]


def test_odd_values_fail_no_part_of_the_control_port(sandbox):
    failed = []
    for path, body, key in STEERED:
        for odd in ODD:
            written = {name: json.dumps(value) for name, value in body.items()} | {key: odd}
            text = "{" + ", ".join(f'"{name}": {value}' for name, value in written.items()) + "}"
            reply = sandbox.ask(sandbox.ready["control"] + path, body=text.encode())
            if reply.status >= 500:
                failed.append((path, body, key, odd))

    assert failed == []
    assert sandbox.control("/faults")
    assert sandbox.control("/truth")["connections"]


def test_half_a_character_is_no_text(sandbox):
    half = sandbox.ask(sandbox.ready["control"] + "/run", body=b'{"flow": "\\ud83d"}')
    paired = sandbox.ask(sandbox.ready["control"] + "/run", body=b'{"flow": "\\ud83d\\ude00"}')

    assert half.status == 400
    assert "not valid JSON" in half.body.decode()
    assert paired.status == 404


def test_a_reset_begins_again_at_the_same_addresses(sandbox):
    before = sandbox.ready
    sandbox.advance(days=100)
    after = sandbox.control("/reset", {"scenario": "story", "seed": 2})
    assert after["graph"] == before["graph"]
    assert after["tenant_id"] != before["tenant_id"]
    assert sandbox.control("/reset", {"scenario": "story", "seed": 1})["tenant_id"] == before["tenant_id"]


def test_requests_are_noted_without_their_secrets(sandbox):
    sandbox.ask(
        sandbox.ready["authority"] + "/x/oauth2/v2.0/token?sig=SEKRIT1&a=b",
        body=b"client_secret=SEKRIT2&refresh_token=SEKRIT3&client_id=me",
        headers={"content-type": "application/x-www-form-urlencoded", "authorization": "Bearer SEKRIT4"},
    )
    noted = sandbox.control("/requests")["requests"]
    assert noted[-1]["body"]["client_id"] == "me"
    assert "SEKRIT" not in json.dumps(noted)


@pytest.mark.parametrize("host", [*HOSTS, "control"])
def test_random_bytes_end_no_server(sandbox, host):
    port = port_of(sandbox.ready[host])
    for junk in (
        b"\x00" * 64,
        b"\x16\x03\x01\xff\xff" + b"\x01" * 200,
        b"GET / HTTP/9.9\r\n\r\n",
        b"\xff" * 70_000,
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
            raw.sendall(junk)
    assert sandbox.control("/clock")


def test_a_silent_client_blocks_nobody(sandbox):
    port = port_of(sandbox.ready["graph"])
    tls = ssl.create_default_context(cafile=sandbox.ready["ca_file"])
    with (
        socket.create_connection(("127.0.0.1", port)),
        socket.create_connection(("127.0.0.1", port)) as slow,
        tls.wrap_socket(slow, server_hostname="localhost") as half,
    ):
        half.sendall(b"POST /v1.0/users HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\nab")
        assert sandbox.ask(sandbox.ready["graph"] + "/nowhere").status == 400


def test_a_body_beyond_reason_is_refused(sandbox):
    reply = sandbox.ask(sandbox.ready["graph"] + "/v1.0/users", method="POST", body=b"x" * (5 * 1024 * 1024))
    assert reply.status == 413
