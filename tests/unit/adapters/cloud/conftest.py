"""Retries without waiting."""

import pytest


@pytest.fixture(autouse=True)
def _impatient(impatient: None) -> None:
    pass
