"""The sign-in log: a row for every attempt, taken or refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from holdfast.sandbox.ageing import LOG_RETENTION
from holdfast.sandbox.entra.errors import TokenError
from holdfast.sandbox.records.directory import Account
from holdfast.sandbox.records.logs import SignIn
from holdfast.sandbox.world import World

MOST_ROWS = 50_000
SWEEP = 1024


class Attempt(NamedTuple):
    """What was tried. `credential` and `key_id` say which secret or certificate an application showed."""

    client_id: str
    resource_id: str
    correlation_id: str
    ip_address: str = ""
    credential: str = "none"
    key_id: str | None = None
    policies: Mapping[str, str] = {}


def note_user(
    world: World,
    now: datetime,
    attempt: Attempt,
    account: Account,
    error: TokenError | None,
    *,
    interactive: bool = False,
) -> None:
    """A person's attempt, or a client's on the person's behalf."""
    if interactive:
        account.last_interactive_at = now
    else:
        account.last_noninteractive_at = now
    if error is None:
        account.last_successful_at = now
    kind = "interactiveUser" if interactive else "nonInteractiveUser"
    _append(world, now, attempt, kind, account.object_id, error)


def note_application(
    world: World, now: datetime, attempt: Attempt, principal_id: str, error: TokenError | None
) -> None:
    """An application's attempt for itself."""
    _append(world, now, attempt, "servicePrincipal", principal_id, error)


def _append(
    world: World, now: datetime, attempt: Attempt, kind: str, principal_id: str, error: TokenError | None
) -> None:
    if len(world.sign_ins) % SWEEP == SWEEP - 1:
        _forget(world, now)
    world.sign_ins.append(
        SignIn(
            id=world.fresh("sign-in"),
            at=now,
            kind=kind,
            principal_id=principal_id,
            client_id=attempt.client_id,
            resource_id=attempt.resource_id,
            correlation_id=attempt.correlation_id,
            error_code=error.code if error else 0,
            reason=error.text if error else None,
            ip_address=attempt.ip_address,
            key_id=attempt.key_id,
            credential=attempt.credential,
            policies=dict(attempt.policies),
        )
    )


def _forget(world: World, now: datetime) -> None:
    """Drop rows that nobody can read any more; rows stand in the order of their instants."""
    edge = now - LOG_RETENTION
    kept = next((place for place, row in enumerate(world.sign_ins) if row.at >= edge), len(world.sign_ins))
    del world.sign_ins[: max(kept, len(world.sign_ins) - MOST_ROWS)]
