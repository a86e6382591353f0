"""Values with good defaults; a test names only what matters to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from holdfast.core.coverage import CONNECTIONS, Outcome, Sweep
from holdfast.core.identity import ClientSecret, Owner, ServicePrincipal
from holdfast.core.inventory import (
    SQL_CONNECTORS,
    Binding,
    CanvasApp,
    Connection,
    ConnectionId,
    ConnectionReference,
    ConnectionReferenceId,
    Environment,
    EnvironmentId,
    Fault,
    Flow,
    FlowId,
    SignIn,
)
from holdfast.core.schedule import Recurrence

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SALES = EnvironmentId("sales")


def day(number: float) -> datetime:
    """So many days after the start of all stories."""
    return START + timedelta(days=number)


def an_environment(id: str = "sales", **changes: Any) -> Environment:
    return Environment(EnvironmentId(id), **{"display_name": id.title(), **changes})


def a_connection(id: str = "c1", **changes: Any) -> Connection:
    """A person's healthy sign-in, refreshed at the start."""
    given: dict[str, Any] = {
        "environment": SALES,
        "connector": SQL_CONNECTORS[0],
        "display_name": id,
        "sign_in": SignIn.USER,
        "status": "Connected",
        "owner": Owner("o1", "Ada Kent", "ada@contoso.example"),
        "created_at": day(-200),
        "modified_at": START,
        "token_expires_at": START + timedelta(minutes=70),
    }
    return Connection(ConnectionId(id), **given | changes)


def a_broken_connection(id: str, message: str, code: str = "Unauthorized", **changes: Any) -> Connection:
    return a_connection(id, **{"status": "Error", "fault": Fault(code, message, "token"), **changes})


def an_app_connection(id: str = "c2", **changes: Any) -> Connection:
    given = {"sign_in": SignIn.SERVICE_PRINCIPAL, "client_id": "app-1", "token_expires_at": None}
    return a_connection(id, **given | changes)


def a_secret(
    id: str = "k1", *, starts: float = -300, expires: float | None = 65, kind: str = "secret"
) -> ClientSecret:
    """Days count from the start."""
    return ClientSecret(id, id, kind, day(starts), None if expires is None else day(expires))


def an_app(*secrets: ClientSecret, client_id: str = "app-1") -> ServicePrincipal:
    return ServicePrincipal(client_id, f"object-of-{client_id}", client_id.title(), secrets)


def a_sweep(environment: str = SALES, part: str = f"{CONNECTIONS}:shared_sql", **changes: Any) -> Sweep:
    given: dict[str, Any] = {"outcome": Outcome.SCANNED, "started_at": START, "ended_at": START}
    return Sweep(environment, part, **given | changes)


def a_reference(name: str = "new_sql", connection: str | None = "c1", **changes: Any) -> ConnectionReference:
    bound = None if connection is None else ConnectionId(connection)
    given: dict[str, Any] = {"environment": SALES, "connector": SQL_CONNECTORS[0], "connection": bound}
    return ConnectionReference(
        ConnectionReferenceId(f"id-of-{name}"), logical_name=name, display_name=name, **given | changes
    )


def a_canvas_app(id: str = "a1", *connectors: str, **changes: Any) -> CanvasApp:
    """One that names the SQL connector, unless told otherwise."""
    given: dict[str, Any] = {
        "environment": SALES,
        "display_name": id,
        "owner": Owner("o2", "Bo Ray", "bo@contoso.example"),
        "connectors": frozenset(connectors or SQL_CONNECTORS[:1]),
    }
    return CanvasApp(id, **given | changes)


def a_flow(id: str = "f1", *references: str, every: tuple[str, int] | None = None, **changes: Any) -> Flow:
    """One that is on and goes through the named references; `every` is its schedule: ("month", 3)."""
    bindings = tuple(Binding(name, SQL_CONNECTORS[0], reference=name) for name in references)
    given: dict[str, Any] = {
        "environment": SALES,
        "display_name": id,
        "is_on": True,
        "bindings": bindings,
        "recurrence": Recurrence(*every) if every else None,
    }
    return Flow(FlowId(id), **given | changes)
