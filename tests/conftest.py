"""What every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.postgresql import database_url, postgresql  # noqa: F401 - fixtures

# A busy machine is no fault of the code: speed is for bench/.
settings.register_profile("holdfast", deadline=None)
settings.load_profile("holdfast")


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """The folder of recorded payloads; skipped with a word where absent, required in CI."""
    place = Path(os.environ.get("HOLDFAST_FIXTURES", Path(__file__).parents[2] / "shared" / "fixtures"))
    if not place.is_dir():
        if os.environ.get("HOLDFAST_REQUIRE_FIXTURES") == "1":
            pytest.fail(f"recorded payloads are required here but {place} is not a folder")
        pytest.skip(f"recorded payloads are not here ({place}); set HOLDFAST_FIXTURES")
    return place


@pytest.fixture
def impatient() -> Iterator[None]:
    """Retries without waiting."""
    import stamina

    from holdfast.adapters.cloud.patience import ATTEMPTS

    stamina.set_testing(True, attempts=ATTEMPTS)
    yield
    stamina.set_testing(False)
