"""A sandbox and a settings file: the sandbox says where, the file says whom to tell and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from holdfast.cli.options import Invocation
from holdfast.cli.session import settings_of
from holdfast.core.errors import SettingsError
from tests.unit.settings.test_ready import READY

CONFIG = """
[tenants.contoso]
tenant_id = "22222222-2222-2222-2222-222222222222"
[rotate]
automatic = true
[hooks]
before = ["/opt/ask"]
[alerts.channels.ops]
kind = "webhook"
url = "env:HOOK"
"""


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path / "state"))
    file = tmp_path / "ready.json"
    file.write_text(json.dumps(READY))
    return str(file)


def test_a_named_file_says_the_habits_of_a_sandbox(ready: str, tmp_path: Path):
    config = tmp_path / "holdfast.toml"
    config.write_text(CONFIG)

    with settings_of(Invocation(config=config, sandbox=ready)) as found:
        assert found.rotate.automatic
        assert found.hooks.before == ("/opt/ask",)
        assert set(found.alerts.channels) == {"ops"}
        assert found.origins["rotate.automatic"].startswith(str(config))


def test_tenants_and_secrets_stay_those_of_the_sandbox(ready: str, tmp_path: Path):
    config = tmp_path / "holdfast.toml"
    config.write_text(CONFIG + '[secrets]\nstore = "keyring"\n')

    with settings_of(Invocation(config=config, sandbox=ready)) as found:
        assert set(found.tenants) == {"sandbox"}
        assert found.secrets.store == "file"
        assert found.state_dir.is_relative_to(tmp_path / "state")


def test_a_file_that_is_not_there_is_not_passed_over(ready: str, tmp_path: Path):
    with (
        pytest.raises(SettingsError, match="There is no settings file"),
        settings_of(Invocation(config=tmp_path / "no.toml", sandbox=ready)),
    ):
        pass
