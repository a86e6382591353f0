"""A migration's secret reaches the secret store and the connection, and nothing else that is written."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from holdfast.cli.main import run
from holdfast.compose import secret_stores
from holdfast.core.secret import Secret
from holdfast.sandbox import embedded
from holdfast.settings import from_ready


def kept_in(ready: Path, state: Path) -> list[str]:
    """Every text in the secret store."""
    store = secret_stores(from_ready(ready, state / "sandbox" / "running"))["file"]

    async def texts() -> list[Secret | None]:
        return [await store.read(name) for name in await store.names()]

    return [found.reveal() for found in asyncio.run(texts()) if found is not None]


def test_nothing_that_is_written_holds_the_secret(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.DEBUG)
    state, ready, plan = tmp_path / "state", tmp_path / "ready.json", tmp_path / "plan.json"
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(state))
    with embedded("story", ready_file=ready):
        here = f"--sandbox={ready}"
        assert run(["sandbox", "faults", "--clear", here]) == 0
        assert run(["scan", here]) == 0
        assert run(["migrate", "plan", here, "--out", str(plan)]) == 0
        assert run(["migrate", "apply", str(plan), "--yes", "--wait", "40s", here]) == 1
        for words in (["status"], ["status", "--drift"], ["for-dba", str(plan)], ["after", str(plan)]):
            run(["migrate", *words, here, *(["-o", "json"] if words[0] == "status" else [])])
        run(["migrate", "after", str(plan), "--form", "terraform", here])
        texts = kept_in(ready, state)
        shown = ready.read_text()

    printed = capsys.readouterr()
    written = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    written |= {"stdout": printed.out.encode(), "stderr": printed.err.encode(), "log": caplog.text.encode()}
    assert {"holdfast.db", "secrets.enc", "plan.json"} <= set(written)
    assert len(texts) == 2
    assert not [text for text in texts if text in shown]
    assert [
        name for name, content in written.items() if any(text.encode() in content for text in texts)
    ] == []
    assert [
        name for name, content in written.items() if b"eyJ0eXAi" in content or b"eyJhbGci" in content
    ] == []
