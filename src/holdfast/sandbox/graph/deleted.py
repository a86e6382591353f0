"""Graph: what was deleted and can come back for 30 days."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from holdfast.sandbox.entra.administration import hard_delete_account
from holdfast.sandbox.entra.audits import note_account, note_application
from holdfast.sandbox.entra.judgement import SOFT_DELETED_FOR
from holdfast.sandbox.frame import Call, Deed
from holdfast.sandbox.graph.applications import application_row, principal_row
from holdfast.sandbox.graph.frame import Shape, bad_request, many, not_found, one, permitted
from holdfast.sandbox.graph.users import row as user_row
from holdfast.sandbox.records.directory import Account, Application

DELETED = Shape("directoryObjects")
KINDS = {
    "microsoft.graph.user": "User.Read.All",
    "microsoft.graph.application": "Application.Read.All",
    "microsoft.graph.serviceprincipal": "Application.Read.All",
}


def _accounts(call: Call) -> list[Account]:
    return [
        account
        for account in call.world.accounts.values()
        if account.deleted_at is not None
        and account.hard_deleted_at is None
        and call.now < account.deleted_at + SOFT_DELETED_FOR
    ]


def _applications(call: Call) -> list[Application]:
    return [
        app
        for app in call.world.applications.values()
        if app.deleted_at is not None and call.now < app.deleted_at + SOFT_DELETED_FOR
    ]


def list_deleted(call: Call) -> Response:
    """GET /directory/deletedItems/{kind}; the kind must be named."""
    kind = call.params["kind"].lower()
    if kind not in KINDS:
        raise bad_request(call, f"Resource '{call.params['kind']}' is not a kind of deleted item.")
    permitted(call, KINDS[kind])
    rows: list[dict[str, Any]]
    if kind == "microsoft.graph.user":
        rows = [user_row(account) for account in _accounts(call)]
    elif kind == "microsoft.graph.application":
        rows = [application_row(call.world, app) for app in _applications(call)]
    else:
        rows = [principal_row(app, call.world) for app in _applications(call) if app.principal_id]
    return many(call, DELETED, rows)


def restore(call: Call) -> Response:
    """POST /directory/deletedItems/{id}/restore."""
    wanted = call.params["id"].lower()
    for account in _accounts(call):
        if account.object_id == wanted:
            permitted(call, "User.ReadWrite.All")
            account.deleted_at = None
            note_account(call.world, call.now, "Restore user", account)
            return one(call, DELETED, user_row(account))
    for app in _applications(call):
        if app.object_id == wanted:
            permitted(call, "Application.ReadWrite.All")
            app.deleted_at = None
            note_application(call.world, call.now, "Restore application", app)
            return one(call, DELETED, application_row(call.world, app))
    raise not_found(call, wanted)


def delete_for_good(call: Call) -> Response:
    """DELETE /directory/deletedItems/{id}."""
    wanted = call.params["id"].lower()
    for account in _accounts(call):
        if account.object_id == wanted:
            permitted(call, "User.ReadWrite.All")
            hard_delete_account(Deed(call.world, call.now, wanted, {}))
            return Response(status_code=204)
    for app in _applications(call):
        if app.object_id == wanted:
            permitted(call, "Application.ReadWrite.All")
            del call.world.applications[app.client_id]
            note_application(call.world, call.now, "Hard delete application", app, operation="Delete")
            return Response(status_code=204)
    raise not_found(call, wanted)
