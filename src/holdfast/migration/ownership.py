"""Whose everything is that a migration touches, and which flows holdfast's operator can take over (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from holdfast.core.identity import Owner
from holdfast.core.inventory import Flow
from holdfast.migration.case import Case, Moving

LICENCE: Final = "A Power Automate Process (per flow) licence: SQL is premium, and an unlicensed premium flow is turned off after 14 days"
"""power-automate-docs service-principal-support and limits-and-config."""


SAME_LICENCES: Final = "No licence more: the SQL connector is premium before and after"
"""What a flow needs goes by its owner and its connectors, not by how a connection signs in
(power-automate-docs limits-and-config)."""


def owner_rows(cases: Sequence[Case], application: str, app_admin: str) -> list[dict[str, Any]]:
    """What there is and whose it is, JSON-ready; `owner` None where nobody is told.

    Args:
        application: the name of the one to be registered.
        app_admin: who registers it and then owns it; empty for somebody who is not of ours.
    """
    rows = []
    for case in cases:
        rows.append(_row("connection", case.connection.display_name, case.connection.owner))
        rows += [_row("reference", each.logical_name, each.owned_by) for each in case.references]
    for moving in flows_of(cases):
        rows.append(_row("flow", moving.flow.display_name, moving.flow.owned_by))
    owner = Owner("", app_admin or "the application administrator who registers it", kind="ServicePrincipal")
    rows.append(_row("application", application, owner))
    keeper = "whoever owns the application; the text lies in the secret store of holdfast"
    kind = "certificate" if any(case.certificate for case in cases) else "secret"
    rows.append(_row(kind, "of it", Owner("", keeper)))
    return rows


def _row(what: str, name: str, owner: Owner | None) -> dict[str, Any]:
    return {
        "what": what,
        "name": name,
        "owner": None if owner is None else owner.display_name or owner.user_principal_name or owner.id,
        "has_left": bool(owner is not None and owner.has_left),
    }


def owners_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """The rows, a line each."""
    return "\n".join(
        f"Owner of {row['what']} {row['name']}: {row['owner'] or 'a team, or not told'}"
        + (" (has left)" if row["has_left"] else "")
        for row in rows
    )


def leavers(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What a reviewer has to know about owners who have left."""
    for row in rows:
        if row["has_left"]:
            yield f"{row['owner']}, who owns the {row['what']} {row['name']!r}, has left: give it another owner"


def flows_of(cases: Iterable[Case]) -> list[Moving]:
    """Every flow once."""
    return list({moving.flow.id: moving for case in cases for moving in case.flows}.values())


def takes(moving: Moving, cases: Sequence[Case]) -> str:
    """Why the flow stays with its owner; empty where the operator can take it over.

    Whoever switches a flow on has to be allowed to use every connection in it (powerapps-docs
    create-connection-reference); of those that are not moved the operator owns none.
    """
    if moving.row is None or moving.row.owner is None:
        return "its row could not be read"
    moved = {
        key for case in cases for each in case.flows if each.flow.id == moving.flow.id for key in each.keys
    }
    others = [bound.key for bound in moving.flow.bindings if not bound.is_invoker and bound.key not in moved]
    if others:
        return f"it also holds {', '.join(others)}, which the operator may not use"
    return ""


def sharers(case: Case) -> list[Owner]:
    """The people who get the new connection: its owner, and whoever owns a flow on it; nobody who is not known to be there.

    Who may not use a connection can neither save a flow that holds it nor switch that on
    (powerapps-docs create-connection-reference).
    """
    held = case.connection.owner
    found = [held] if held and case.owner and case.owner.is_enabled is not False else []
    makers = (moving.flow.owned_by for moving in case.flows)
    found += [maker for maker in makers if maker and maker.has_left is False]
    return list({owner.id: owner for owner in found if owner.kind == "User"}.values())


def keeps(flow: Flow) -> bool:
    """Whether its owner stays on as co-owner."""
    return flow.owned_by is None or not flow.owned_by.has_left
