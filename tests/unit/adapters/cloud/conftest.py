"""Retries without waiting."""

import pytest
import stamina

from holdfast.adapters.cloud.patience import ATTEMPTS


@pytest.fixture(autouse=True)
def impatient():
    stamina.set_testing(True, attempts=ATTEMPTS)
    yield
    stamina.set_testing(False)
