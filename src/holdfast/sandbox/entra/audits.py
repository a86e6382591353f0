"""The directory audit log: a row for everything an administrator or a person did to the directory."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from holdfast.sandbox.records.directory import Account, Application
from holdfast.sandbox.records.logs import Audit
from holdfast.sandbox.world import World

MOST_ROWS = 20_000


def note_account(world: World, now: datetime, activity: str, account: Account, **more: Any) -> Audit:
    """A row about an account: category UserManagement unless said otherwise."""
    return _append(
        world,
        now,
        activity,
        target_id=account.object_id,
        target_type="User",
        target_name=account.user_principal_name,
        **{"category": "UserManagement", **more},
    )


def note_application(world: World, now: datetime, activity: str, app: Application, **more: Any) -> Audit:
    """A row about an application or its service principal: category ApplicationManagement."""
    return _append(
        world,
        now,
        activity,
        target_id=more.pop("target_id", app.object_id),
        target_type=more.pop("target_type", "Application"),
        target_name=app.display_name,
        **{"category": "ApplicationManagement", **more},
    )


def note_consent(world: World, now: datetime, app: Application, account: Account) -> Audit:
    """The row about a person's consent for a client."""
    target = {"target_id": app.principal_id, "target_type": "ServicePrincipal"}
    return note_application(
        world, now, "Consent to application", app, actor_id=account.object_id, operation="Assign", **target
    )


def note_policy(world: World, now: datetime, activity: str, policy_id: str, name: str, **more: Any) -> Audit:
    """A row about a policy of the tenant: category Policy."""
    return _append(
        world,
        now,
        activity,
        target_id=policy_id,
        target_type="Policy",
        target_name=name,
        **{"category": "Policy", "logged_by": "Conditional Access", **more},
    )


def changed(name: str, old: Any, new: Any) -> dict[str, Any]:
    """One modified property; values are JSON texts, as the log has them."""
    import json

    return {"displayName": name, "oldValue": json.dumps([old]), "newValue": json.dumps([new])}


def _append(world: World, now: datetime, activity: str, **more: Any) -> Audit:
    if len(world.audits) >= MOST_ROWS:
        del world.audits[: MOST_ROWS // 10]
    row = Audit(
        id=f"Directory_{world.fresh('audit')}",
        at=now,
        activity=activity,
        logged_by=more.pop("logged_by", "Core Directory"),
        operation=more.pop("operation", "Update"),
        correlation_id=world.fresh("correlation"),
        **more,
    )
    world.audits.append(row)
    return row
