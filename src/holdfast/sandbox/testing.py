"""A sandbox in the hands of a test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from holdfast.sandbox.steering import Steering


class Sandbox(Steering):
    """What `pytest --holdfast-sandbox` gives: the ready mapping, and the control port.

    Attributes:
        ready: addresses, certificate file and identities, as in the ready file.
    """

    def __init__(self, control: str, ready: Mapping[str, Any]) -> None:
        super().__init__(control)
        self.ready = ready

    @classmethod
    def fresh(cls, control: str) -> Self:
        """The scenario anew, and as kind as the cloud can be."""
        steering = Steering(control)
        ready = steering.reset()
        steering.clear_faults()
        return cls(control, ready)

    def account(self, name: str) -> Mapping[str, Any]:
        """The account whose user name begins so, with its password and refresh token. Raises StopIteration."""
        return next(one for one in self.ready["accounts"] if one["username"].startswith(name))

    def app(self, name: str) -> Mapping[str, Any]:
        """The application of this name, with its secret. Raises StopIteration."""
        return next(one for one in self.ready["apps"] if one["name"] == name)
