"""The URL of a PostgreSQL store: what it may be, and that nobody is shown its password."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from holdfast.adapters.store.database import Database
from holdfast.cli.commands.config import rows
from holdfast.compose import store_place
from holdfast.core.errors import SettingsError, StoreError
from holdfast.settings import load

URL = "postgresql://holdfast:hunter2@db.example/history"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_every_spelling_of_the_scheme_gets_the_driver_that_we_have(scheme: str):
    database = Database(URL.replace("postgresql", scheme))

    assert database.url.drivername == "postgresql+psycopg"
    assert database.name == "postgresql://holdfast@db.example/history"


@pytest.mark.parametrize(
    "url", ["", "hunter2", "mysql://root:hunter2@db/x", "postgresql://a:hunter2@db:port/x"]
)
def test_another_text_is_refused_and_not_repeated(url: str):
    with pytest.raises(StoreError, match="must be postgresql://") as told:
        Database(url)

    assert "hunter2" not in str(told.value)


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(StoreError, match=r"pip install 'holdfast\[postgres\]'") as told:
        Database(URL)

    assert "hunter2" not in str(told.value)


def test_the_environment_may_hold_the_url_and_config_show_masks_it(tmp_path: Path):
    file = tmp_path / "holdfast.toml"
    file.touch()
    settings = load(file, {"HOLDFAST_STORE_URL": URL})

    assert store_place(settings, {}) == URL
    assert "hunter2" not in str(list(rows(settings)))
    assert "hunter2" not in repr(settings)


def test_a_file_may_only_refer_to_it(tmp_path: Path):
    file = tmp_path / "holdfast.toml"
    file.write_text('store_url = "env:DATABASE_URL"')

    assert store_place(load(file, {}), {"DATABASE_URL": URL}) == URL

    file.write_text(f'store_url = "{URL}"')
    with pytest.raises(SettingsError, match="store_url") as told:
        load(file, {})
    assert "hunter2" not in str(told.value)
