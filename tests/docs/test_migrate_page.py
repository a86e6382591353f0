"""Every reason for which a migration leaves a connection alone stands on its page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.migration.test_eligibility import BLOCKED

PAGE = (Path(__file__).parents[2] / "docs" / "migrate.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("reason", sorted({reason for reason, _ in BLOCKED.values()}))
def test_every_reason_is_told(reason: str):
    assert f"`{reason}`" in PAGE or reason.startswith("not_looked_at:")
