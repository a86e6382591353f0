"""Alerts as an administrator sets them up: channels in the settings, a real receiver, once per problem."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli.main import run
from holdfast.sandbox import embedded
from tests.e2e.tenants import app_of, settings_for


@pytest.fixture
def received() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    got: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", got
    server.shutdown()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, received: Any) -> Iterator[str]:
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path / "state"))
    with embedded("story", frozen=True) as ready:
        app = app_of(ready)
        reader = f'client_id = "{app["client_id"]}"\nsecret = "env:READER"'
        monkeypatch.setenv("READER", app["secret"])
        monkeypatch.setenv("HOOK", received[0])
        file = settings_for(ready, tmp_path, reader=reader)
        channel = '[alerts.channels.ops]\nkind = "webhook"\nurl = "env:HOOK"\n'
        file.write_text(file.read_text() + channel)
        yield f"--config={file}"


def test_what_is_overdue_is_told_once(settings: str, received: Any, capsys: pytest.CaptureFixture[str]):
    _, got = received

    assert run(["alerts", "test", settings]) == 0
    run(["scan", settings])
    assert run(["alerts", "send", settings]) == 0
    assert run(["alerts", "send", settings]) == 0

    topics = [each["type"] for each in got]
    assert topics == ["test", "connection.at_risk"]
    assert got[1]["data"]["tenant"] == "c"
    assert got[1]["data"]["remedy"]
    capsys.readouterr()
    assert run(["alerts", "list", settings, "-o", "jsonl"]) == 1
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["topic"] for row in listed} == {"connection.at_risk", "connection.broken"}


def test_a_channel_that_is_not_in_the_settings_is_named(settings: str, capsys: pytest.CaptureFixture[str]):
    assert run(["alerts", "test", "--channel", "pager", settings]) == 2
    assert "there is ops" in capsys.readouterr().err


def test_a_receiver_that_is_away_is_tried_again_and_said(
    settings: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("HOOK", "http://127.0.0.1:9/nobody")
    run(["scan", settings])

    assert run(["alerts", "send", settings]) == 1
    told = capsys.readouterr()
    assert "1 not" in told.out
    assert "Waiting for ops: The alert channel 'ops' gave no answer" in told.err
    assert run(["alerts", "test", settings]) == 1


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('kind = "pigeon"\nurl = "env:HOOK"', "kind"),
        ('kind = "mail"\nurl = "env:HOOK"', "sender"),
        ('kind = "teams"\nurl = "https://x.example/secret"', "never the secret itself"),
        ('kind = "teams"\nurl = "env:HOOK"\ntells = ["owner"]', "mail only"),
    ],
)
def test_wrong_settings_are_told(settings: str, lines: str, says: str, capsys: pytest.CaptureFixture[str]):
    file = Path(settings.partition("=")[2])
    file.write_text(file.read_text() + f"[alerts.channels.other]\n{lines}\n")

    assert run(["alerts", "test", settings]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert "x.example" not in err
