"""Credentials of applications, where nothing more than one deed is needed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from holdfast.core.making import MadeCertificate
from holdfast.core.secret import Secret

SignsIn = Callable[[str, Secret, str], Awaitable[str]]
"""Signs in anew with a client id and a credential of a kind; empty if that worked, else what Entra said."""

Certify = Callable[[str, datetime, datetime], MadeCertificate]
"""Makes a self-signed certificate of a name that is good from one instant to the other."""
