"""What is known of a store without making or changing it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError

from holdfast.adapters.store.database import Database
from holdfast.adapters.store.schema import REVISION
from holdfast.adapters.store.upgrade import revision_of
from holdfast.core.errors import StoreError


class Standing(NamedTuple):
    """How far a store is.

    Attributes:
        revision: of its tables; None where there are none yet.
        newest: the revision that this holdfast knows.
    """

    revision: str | None
    newest: str

    @property
    def is_newer(self) -> bool:
        """Whether a newer holdfast wrote it, so that this one refuses it."""
        return self.revision is not None and self.revision > self.newest


def look(where: Path | str) -> Standing:
    """The standing of a store in a file or at a URL; an absent one has no revision.

    Raises:
        StoreError: the file cannot be read or is no store.
    """
    if isinstance(where, str):
        return _look_at_server(where)
    file = where
    if not file.exists():
        return Standing(None, REVISION)
    engine = create_engine(f"sqlite:///file:{file.as_posix()}?mode=ro&uri=true")
    try:
        with engine.connect() as connection:
            return Standing(revision_of(connection), REVISION)
    except SQLAlchemyError as error:
        kind = getattr(getattr(error, "orig", None), "sqlite_errorname", None) or type(error).__name__
        raise StoreError(
            f"The store {file} cannot be read ({kind}): check its rights, or put back a copy."
        ) from None
    finally:
        engine.dispose()


def _look_at_server(url: str) -> Standing:
    database = Database(url)
    try:
        with database.reading() as connection:
            return Standing(revision_of(connection), REVISION)
    finally:
        database.close()
