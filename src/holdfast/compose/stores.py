"""Where the history lies, by the settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from holdfast.compose.secrets import references
from holdfast.compose.waiting import waited
from holdfast.settings import Settings

if TYPE_CHECKING:
    from holdfast.adapters.store.leaving import Remains

STORE_NAME = "holdfast.db"


def store_place(settings: Settings, environ: Mapping[str, str] | None = None) -> Path | str:
    """Where the history lies: a file, or the URL of a database, which may hold a password. Blocks.

    Raises:
        SecretStoreError: the URL is referred to, and cannot be read.
        SettingsError: the reference leads nowhere.
    """
    source = settings.store_url
    if source is None:
        return settings.state_dir / STORE_NAME
    if isinstance(source, SecretStr):
        return source.get_secret_value()
    found = references(settings, os.environ if environ is None else environ)
    return waited(found.text(source)).reveal()


def remains(settings: Settings) -> Remains | None:
    """What lies in a database instead of a file; None where the store is a file. The database is not asked yet.

    Raises:
        SecretStoreError: its URL cannot be read.
        StoreError: its URL is none.
    """
    from holdfast.adapters.store.leaving import Remains

    place = store_place(settings)
    return Remains(place) if isinstance(place, str) else None


def forget(settings: Settings, person: str) -> tuple[int, int]:
    """Blank a person's names in the store: how many names, in how many rows.

    Raises:
        StoreError: the store could not be written.
    """
    from holdfast.adapters.store.history import SqlHistory

    history = SqlHistory(store_place(settings))
    try:
        forgotten = waited(history.forget(person))
    finally:
        history.close()
    return forgotten.names, forgotten.rows
