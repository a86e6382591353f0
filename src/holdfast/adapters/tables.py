"""Reads the code tables that the product ships."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from holdfast.core.errors import HoldfastError
from holdfast.reading.codes import Codebook, codebook

TABLES = Path(__file__).parents[1] / "tables"


@cache
def load_codebook() -> Codebook:
    """Both tables, read once.

    Raises:
        HoldfastError: a table is missing or damaged.
    """
    try:
        return codebook((TABLES / "aadsts.csv").read_bytes(), (TABLES / "errors.csv").read_bytes())
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise HoldfastError(
            f"The code tables in {TABLES} cannot be read ({type(error).__name__}): install holdfast again."
        ) from error
