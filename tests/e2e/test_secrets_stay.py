"""No secret and no token reaches output, logs or files, whatever is run."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from holdfast.cli.main import run
from holdfast.sandbox import embedded
from tests.e2e.tenants import app_of, settings_for

COMMANDS = (
    ["config", "show"],
    ["secret", "list"],
    ["doctor"],
    ["scan"],
    ["status"],
    ["forecast"],
    ["made"],
    ["secret", "rotate-key"],
    ["purge", "--show"],
)


@pytest.fixture(scope="module")
def ready() -> Iterator[dict[str, Any]]:
    with embedded("story", frozen=True) as mapping:
        yield mapping


@pytest.mark.parametrize("output", ["table", "json", "csv"])
def test_nothing_that_is_written_holds_a_secret(ready, tmp_path, monkeypatch, capsys, caplog, output):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path / "state"))
    app = app_of(ready)
    file = settings_for(ready, tmp_path, reader=f'client_id = "{app["client_id"]}"\nsecret = "file:c-reader"')
    monkeypatch.setattr("sys.stdin", io.StringIO(app["secret"]))
    run(["secret", "set", "c-reader", "--config", str(file)])

    for command in COMMANDS:
        run([*command, "--config", str(file), *(["-o", output] if command[-1] != "rotate-key" else [])])

    printed = capsys.readouterr()
    files = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    written = {
        "stdout": printed.out.encode(),
        "stderr": printed.err.encode(),
        "log": caplog.text.encode(),
        **files,
    }
    assert {"holdfast.db", "secrets.enc"} <= set(written)
    assert [name for name, content in written.items() if app["secret"].encode() in content] == []
    assert [
        name for name, content in written.items() if b"eyJ0eXAi" in content or b"eyJhbGci" in content
    ] == []
