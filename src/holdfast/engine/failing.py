"""The errors of the engine's database as ours. It retries by itself where a workflow is at stake, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from holdfast.core.errors import StoreError


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the engine lets through into a StoreError of one sentence, without the statement and its values."""
    try:
        yield
    except SQLAlchemyError as error:
        kind = type(getattr(error, "orig", None) or error).__name__
        raise StoreError(
            f"The tables of the engine could not be read or written ({kind}); check that the database runs."
        ) from error
