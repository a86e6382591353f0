"""The application whose secret or certificate a connection holds."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.core.evidence import Evidence, EvidenceKind
from holdfast.core.finding import Act, End, Finding
from holdfast.diagnosis.case import Case
from holdfast.diagnosis.checks.account import row_fact
from holdfast.reading.changes import APP_CHANGED, APP_DELETED, CREDENTIALS_REMOVED, act_of
from holdfast.reading.credentials import CAUSE_OF_KIND, dead_credential_evidence

REACH = "The application as it is now."


def application_unusable(case: Case) -> Iterator[Finding]:
    """It is not there, or disabled."""
    client = case.connection.client_id
    if not case.connection.sign_in.credential or client is None or case.principals is None:
        return
    principal = case.principals.get(client)
    if principal is not None and principal.is_enabled is not False:
        return
    former = case.former_app.display_name if case.former_app else client
    name = principal.display_name if principal else former
    deleted = None
    if case.changes is not None:
        rows = (
            case.changes.to(principal.object_id, APP_CHANGED)
            if principal
            else [
                row
                for row in case.changes.of_kind(APP_DELETED)
                if name in row.target_names or client.casefold() in map(str.casefold, row.targets)
            ]
        )
        deleted = max(rows, key=lambda row: row.at, default=None)
    is_deleted = deleted is not None or case.was_registered
    missing = "was deleted" if is_deleted else "is not in this tenant: deleted, or at home in another"
    what = "is disabled" if principal else missing
    fact = Evidence(
        EvidenceKind.STATUS,
        "application",
        f"application {name} {what}",
        origin="directory",
        at=deleted.at if deleted else case.seen_at,
        causes=("app_disabled_or_missing",),
        weight=0.95,
        reach=REACH,
    )
    yield Finding(
        "application_unusable",
        "ApplicationDisabled" if principal else "ApplicationMissing",
        f"Application {name} {what}; {'enabled' if principal else 'restored'}, its secret works again.",
        "app_disabled_or_missing",
        End.REFUSED,
        # What is not there may live in another tenant, and be well.
        is_certain=principal is not None or is_deleted,
        since=deleted.at if deleted else None,
        evidence=(fact,) if deleted is None else (fact, row_fact(deleted, "app_disabled_or_missing")),
        act=act_of(deleted, client, f"application {name}")
        if deleted
        else Act(client, "disabled or deleted", f"application {name}"),
    )


def credential_expired(case: Case) -> Iterator[Finding]:
    """Every secret or certificate that it may hold has expired."""
    app = case.app
    fact = dead_credential_evidence(app, case.credentials, case.seen_at) if app else None
    if app is None or fact is None:
        return
    kind = case.connection.sign_in.credential
    yield Finding(
        "credential_expired",
        f"{kind.capitalize()}Expired",
        f"It holds a {kind} that has expired: {fact.quote}; only a new one helps.",
        CAUSE_OF_KIND[kind],
        End.EXPIRED,
        since=fact.at,
        evidence=(fact,),
        act=Act(f"{app.client_id}/{kind}", "let expire", f"the {kind} of {app.display_name}", fact.at),
    )


def credential_removed(case: Case) -> Iterator[Finding]:
    """A secret or certificate of its application was removed since its last token, and may be the one it holds."""
    app, kind = case.app, case.connection.sign_in.credential
    if app is None or not kind or case.changes is None or case.refreshed is None:
        return
    principal = (case.principals or {}).get(app.client_id)
    rows = [
        row
        for id in (principal.object_id if principal else None, app.object_id)
        for row in case.changes.to(id, CREDENTIALS_REMOVED)
        if row.at > case.refreshed.latest
    ]
    if not rows:
        return
    row = max(rows, key=lambda one: one.at)
    cause = "secret_invalid" if kind == "secret" else "certificate_invalid"
    is_all = not case.credentials
    left = "none that it may hold is left" if is_all else f"{len(case.credentials)} are left that it may hold"
    yield Finding(
        "credential_removed",
        f"{kind.capitalize()}Removed",
        f"A {kind} of {app.display_name} was removed {row.at:%Y-%m-%d %H:%M} UTC, after its last token; {left}.",
        cause,
        End.EXPIRED,
        is_all,
        row.at,
        (row_fact(row, cause),),
        act_of(row, f"{app.client_id}/{row.at.isoformat()}", f"application {app.display_name}"),
    )
