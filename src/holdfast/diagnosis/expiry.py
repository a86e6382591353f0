"""Horizons of credentials that end on a date."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.core.horizon import Condition, Horizon
from holdfast.core.identity import ClientSecret

WHICH_IS_USED = "The platform does not show which of the application's credentials the connection holds."


def last_of(credentials: Sequence[ClientSecret], cause: str, condition: Condition) -> Horizon | None:
    """From the first to the last end date, since any of them may be the one in use.

    Returns:
        None where there are no credentials. One without an end date makes the end unknowable.
    """
    if not credentials:
        return None
    ends = sorted(c.expires_at for c in credentials if c.expires_at is not None)
    if len(ends) < len(credentials):
        return Horizon(cause, condition, None, None, None, ("A credential has no end date.",))
    assumptions = (WHICH_IS_USED,) if len(ends) > 1 else ()
    return Horizon(cause, condition, ends[0], ends[-1], ends[-1], assumptions)
