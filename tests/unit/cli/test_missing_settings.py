"""What is missing is said before anything is made for it."""

from __future__ import annotations

import pytest

from holdfast.cli.main import run

TENANT = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def state(tmp_path, monkeypatch):
    for name in ("AZURE_TENANT_ID", "HOLDFAST_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOLDFAST_CONFIG", str(tmp_path / "holdfast.toml"))
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.mark.parametrize("words", [["--tenant", "fabrikam"], []], ids=["no such tenant", "no scan"])
def test_a_store_is_made_only_for_a_tenant_that_there_is(state, tmp_path, words):
    (tmp_path / "holdfast.toml").write_text(
        f'[tenants.contoso]\ntenant_id = "{TENANT}"\n[tenants.contoso.reader]\naz = true\n'
    )

    assert run(["status", *words]) == 2
    assert state.exists() is not bool(words)


def test_without_settings_no_store_is_made(state, tmp_path, capsys):
    (tmp_path / "holdfast.toml").write_text("")

    assert run(["keepalive", "status"]) == 2
    assert "holdfast init" in capsys.readouterr().err
    assert not state.exists()
