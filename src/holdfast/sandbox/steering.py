"""The other end of the control port: move the clock, let things happen, look at the world. Blocking."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from holdfast.sandbox.snapshot import SandboxError, SandboxGoneError

PATIENCE = 600.0
"""Seconds; a jump over months executes every run that matters."""


class Steering:
    """A running sandbox by its control address. Every method raises SandboxError with the reason."""

    def __init__(self, control: str) -> None:
        self._control = control.rstrip("/")
        # No proxy: the control port is on this machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def now(self) -> datetime:
        """The cloud's time."""
        return datetime.fromisoformat(self._ask("GET", "/clock")["now"])

    def advance(self, by: timedelta) -> datetime:
        """Jump ahead; everything due on the way has happened. The time afterwards."""
        return datetime.fromisoformat(
            self._ask("POST", "/clock/advance", {"days": by.days, "seconds": by.seconds})["now"]
        )

    def happen(self, event: str, target: str = "", **details: Any) -> Mapping[str, Any]:
        """Let an event happen now; what the sandbox says of it."""
        return self._ask("POST", "/events", {"event": event, "target": target, **details})

    def run(self, flow: str) -> Mapping[str, Any]:
        """Start a flow now."""
        return self._ask("POST", "/run", {"flow": flow})

    def truth(self) -> Mapping[str, Any]:
        """The world as it is; for tests and demonstrations only."""
        return self._ask("GET", "/truth")

    def plan_faults(self, plan: Mapping[str, Any]) -> Mapping[str, Any]:
        """Add a planned misbehaviour."""
        return self._ask("POST", "/faults", plan)

    def clear_faults(self) -> Mapping[str, Any]:
        """No misbehaviour at all, the default one included."""
        return self._ask("DELETE", "/faults")

    def faults(self) -> Mapping[str, Any]:
        """What is planned, and whether the default unkindness is on."""
        return self._ask("GET", "/faults")

    def flip(self, rule: str) -> Mapping[str, Any]:
        """Let an assumed rule stop to hold, or hold again."""
        return self._ask("POST", "/rules", {"id": rule})

    def reset(self, scenario: str | None = None, seed: int | None = None) -> Mapping[str, Any]:
        """Begin again, with the same scenario and seed unless named; the new ready mapping."""
        asked = {"scenario": scenario, "seed": seed}
        return self._ask(
            "POST", "/reset", {name: value for name, value in asked.items() if value is not None}
        )

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            self._control + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with self._opener.open(request, timeout=PATIENCE) as response:
                told: dict[str, Any] = json.loads(response.read())
                return told
        except urllib.error.HTTPError as error:
            raise SandboxError(f"The sandbox refused {path}: {_reason(error)}.") from None
        except (OSError, ValueError) as error:
            why = getattr(error, "reason", None) or error
            raise SandboxGoneError(
                f"The sandbox at {self._control} does not answer ({why}): start one with `holdfast sandbox up`."
            ) from None


def _reason(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["error"])
    except (OSError, ValueError, LookupError, TypeError):
        return f"HTTP {error.code}"
