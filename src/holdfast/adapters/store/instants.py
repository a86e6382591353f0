"""Instants as the store keeps them: UTC epoch milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def millis(at: datetime) -> int:
    """For a column."""
    return (at - _EPOCH) // _MILLISECOND


def instant(column: int) -> datetime:
    """From a column; aware, UTC."""
    return _EPOCH + column * _MILLISECOND
