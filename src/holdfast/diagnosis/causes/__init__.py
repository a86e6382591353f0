"""Every known way to break, one module each, in the order in which pages and lists name them."""

from __future__ import annotations

from types import ModuleType
from typing import Final

from holdfast.diagnosis.causes import password_changed, secret_expired, session_revoked, token_inactive

MODULES: Final[tuple[ModuleType, ...]] = (token_inactive, password_changed, session_revoked, secret_expired)

BY_ID: Final[dict[str, ModuleType]] = {module.CAUSE.id: module for module in MODULES}
"""Cause id to its module: `CAUSE`, `explain(evidence)`, and `horizon(connection, …)` where it can be forecast."""
