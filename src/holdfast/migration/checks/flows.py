"""What uses the connection: flows, inside solutions and outside, and canvas apps."""

from __future__ import annotations

from holdfast.core.inventory import SignIn
from holdfast.migration.case import Case, Finding


def carries_flows(case: Case) -> Finding | None:
    """A connection without flows in solutions has nothing to move."""
    if case.environment.dataverse_url is None:
        return Finding(
            "no_dataverse", "Its environment has no Dataverse, so its flows cannot be changed by program."
        )
    if not case.flows_read:
        return Finding("flows", "The flows of its environment could not all be read.", not_seen=True)
    if not case.flows:
        says = "No flow in a solution uses it. A flow outside solutions is not seen: its owner moves it into one."
        if case.outside:
            says = f"Its flows lie outside solutions ({_named(list(case.outside))}): their owners add them to one first."
        return Finding("no_flow", says)
    return None


def flows_can_be_read(case: Case) -> Finding | None:
    """What a flow needs stands in its definition."""
    for moving in case.flows:
        if not moving.flow.is_readable or moving.row is None:
            says = f"The definition of flow {moving.flow.display_name!r} could not be read."
            return Finding("definitions", says, not_seen=True)
    return None


def has_no_first_version_operation(case: Case) -> Finding | None:
    """Operations of version 1 take no Entra sign-in."""
    for moving in case.flows:
        for operation in moving.operations:
            if operation.api_version == "v1":
                says = (
                    f"Flow {moving.flow.display_name!r} uses {operation.operation or operation.path!r}, an operation of"
                    " version 1, which takes no Entra sign-in: replace it with version 2."
                )
                return Finding("v1_operation", says)
    return None


def may_be_rewritten(case: Case) -> Finding | None:
    """Whether definitions have to change, and may and can be."""
    if not case.needs_rewriting:
        return None
    if not case.rewrites:
        says = (
            "Its flows leave server and database to the connection, or name it without a reference, so their definitions"
            " have to change: plan with --rewrite-definitions."
        )
        return Finding("needs_rewriting", says)
    if case.connection.sign_in is SignIn.SQL_LOGIN and not (
        case.connection.server and case.connection.database
    ):
        return Finding("place", "Which server and database it names is not told.", not_seen=True)
    for moving in case.flows:
        if moving.flow.is_managed:
            says = (
                f"Flow {moving.flow.display_name!r} is part of a managed solution: rewrite it where it is developed, or the"
                " next deployment takes it back."
            )
            return Finding("managed_definition", says)
        if moving.trouble:
            says = f"Flow {moving.flow.display_name!r} cannot be rewritten: {moving.trouble}"
            return Finding("definition", says)
    return None


def is_kept_from_canvas_apps(case: Case) -> Finding | None:
    """A canvas app hands a connection that can be shared to everybody who opens it."""
    if case.canvas_apps is None:
        return Finding("canvas_apps", "Which canvas apps there use SQL could not be read.", not_seen=True)
    naming = [app for app in case.canvas_apps if case.connection.connector in app.connectors]
    makers = {moving.flow.owned_by.id for moving in case.flows if moving.flow.owned_by}
    makers |= {case.connection.owner.id} if case.connection.owner else set()
    near = [app for app in naming if app.owner is not None and app.owner.id in makers]
    if case.connection.sign_in is SignIn.SQL_LOGIN and naming:
        near = naming
    if near:
        says = (
            f"The canvas app {near[0].display_name!r} names the SQL connector and may hold this connection: on a service"
            " principal it would hand that identity to everybody who opens it. --accept canvas_apps=NAME:REASON if it does"
            " not."
        )
        return Finding("canvas_apps", says)
    if naming:
        names = ", ".join(repr(app.display_name) for app in naming[:3])
        says = f"Canvas apps there name the SQL connector ({names}): the new connection must never be put into one"
        return Finding("canvas_apps_near", says, blocks=False)
    return None


def is_managed(case: Case) -> Finding | None:
    """Flows that somebody deploys."""
    managed = [moving.flow.display_name for moving in case.flows if moving.flow.is_managed]
    if not managed:
        return None
    says = (
        f"{_named(managed)} came with a managed solution: the next deployment binds as its deployment settings say, so put"
        " the new connection in there (`holdfast migrate after`)"
    )
    return Finding("managed", says, blocks=False)


def polls(case: Case) -> Finding | None:
    """Triggers that remember how far they have read."""
    polling = [
        moving.flow.display_name
        for moving in case.flows
        if any(operation.kind == "trigger" for operation in moving.operations)
    ]
    if not polling:
        return None
    says = (
        f"{_named(polling)} polls: if it is switched off and on meanwhile, what came in between is replayed"
    )
    return Finding("polling", says, blocks=False)


def has_flows_outside(case: Case) -> Finding | None:
    """Flows that nobody can bind by program."""
    if not case.outside:
        return None
    says = (
        f"{_named(list(case.outside))} lies outside solutions and stays on the old connection: its owner adds it to a"
        " solution, then scan and plan again"
    )
    return Finding("outside_solutions", says, blocks=False)


def _named(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
