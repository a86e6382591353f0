"""What the engine's database refuses is told like the store's own failures, so that a watch waits for both."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from holdfast.core.errors import StoreError
from holdfast.engine.failing import translated


def test_an_error_of_the_engines_database_is_a_store_error_without_its_values():
    with pytest.raises(StoreError, match="The tables of the engine") as told, translated():
        raise OperationalError(
            "insert into x values (:secret)", {"secret": "hunter2"}, ConnectionError("gone")
        )

    assert "hunter2" not in str(told.value)
    assert "ConnectionError" in str(told.value)


def test_any_other_error_stays_as_it_is():
    with pytest.raises(KeyError), translated():
        raise KeyError("x")
