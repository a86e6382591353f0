"""The API hub: the data plane where a connection is really used, and where the browser returns after consent."""

from __future__ import annotations

from collections import deque
from urllib.parse import urlencode

from starlette.responses import Response

from holdfast.sandbox import connection_use
from holdfast.sandbox.connection_use import Failure
from holdfast.sandbox.entra.bearer import Caller, TokenRefusedError, caller_of
from holdfast.sandbox.entra.first_party import APIHUB, SQL_CONNECTOR_CLIENT
from holdfast.sandbox.entra.interactive import Proven
from holdfast.sandbox.entra.reconsenting import sign_in_for
from holdfast.sandbox.entra.sign_in import CODE_LIFE, code_of
from holdfast.sandbox.flows.definitions import Operation
from holdfast.sandbox.flows.sql_connector import ADDRESS, Trace, ask, said, server_of
from holdfast.sandbox.flows.sql_operations import sql_call
from holdfast.sandbox.frame import Call, Part, Room, answer, at
from holdfast.sandbox.powerplatform.access import refusal, role_of, role_on
from holdfast.sandbox.powerplatform.shapes import short_name
from holdfast.sandbox.records.platform import Connection
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.sql.errors import SqlError
from holdfast.sandbox.sql.login import open_session
from holdfast.sandbox.tenant import Host

TEST_CONNECTION = Rule(
    "test_link_uses_the_connection",
    "A test link fetches a token as any use does, and for connections that name a server logs in to it.",
    Mark.ASSUMED,
    "recorded test links of other connectors call their back ends; SQL's is not recorded",
    flipped="A test link tells the state that was recorded at the last use, and uses nothing.",
)
APPLICATIONS_MAY_TEST = Rule(
    "applications_may_use_the_data_plane",
    "An application calls the API hub for connections that it owns or was granted.",
    Mark.ASSUMED,
    "unproven",
    flipped="Only people call the API hub.",
)
ANYBODY_WITH_ACCESS_HEALS = Rule(
    "who_may_edit_may_sign_in_again",
    "Somebody else who may edit a connection can sign in for it and is its owner from then on.",
    Mark.DOCUMENTED,
    "troubleshoot-broken-connections, account deleted or disabled",
)
BUSY = Rule(
    "connections_are_throttled_in_the_data_plane",
    "A connection takes 100 operations, or 500 native queries, in 10 seconds from callers of the API hub, then answers 429 with "
    "Retry-After. Flows are not counted: they wait and try again by themselves.",
    Mark.DOCUMENTED,
    "learn.microsoft.com/connectors/sql, page of 2025-08-19; the header is assumed",
)
MOST_OPERATIONS, MOST_QUERIES, WINDOW = 100, 500, 10.0
RULES = (BUSY, TEST_CONNECTION, APPLICATIONS_MAY_TEST, ANYBODY_WITH_ACCESS_HEALS)


def _caller(call: Call) -> Caller:
    try:
        caller = caller_of(call, APIHUB)
    except TokenRefusedError as error:
        raise refusal(401, "InvalidAuthenticationToken", str(error)) from None
    if caller.account is None and not call.world.holds(APPLICATIONS_MAY_TEST):
        raise refusal(403, "Forbidden", "Only people may use connections here.")
    return caller


def _connection(call: Call) -> Connection:
    caller = _caller(call)
    connection = call.world.connections.get(call.params["connection"])
    if (
        connection is None
        or connection.deleted_at is not None
        or short_name(connection.connector) != call.params["connector"]
        or role_on(connection, caller) is None
    ):
        message = f"The connection '{call.params['connection']}' is not authorized for the caller."
        raise refusal(403, "ConnectionAuthorizationFailed", message)
    return connection


def test_connection(call: Call) -> Response:
    """Use the connection once."""
    connection = _connection(call)
    if not call.world.holds(TEST_CONNECTION):
        fault = connection.fault
        told = {"error": {"code": fault.code, "message": fault.message}} if fault else {}
        return answer(told, 401 if fault else 200)
    used = connection_use.use(call.world, connection, call.now)
    if isinstance(used, Failure):
        return answer(dict(used.body), used.status)
    server = server_of(call.world, str(connection.parameters.get("server", "")))
    if server is not None:
        database = str(connection.parameters.get("database", ""))
        try:
            open_session(server, database, used, call.now, ADDRESS)
        except SqlError as error:
            return answer(said(call.world, connection, 401, error.message, call.now), 401)
    return answer({})


def call_connector(call: Call) -> Response:
    """An operation of the SQL connector by its path, as apps and the designer call it."""
    connection = _connection(call)
    operation = Operation(
        key="",
        connector=connection.connector,
        operation_id=None,
        parameters={},
        method=call.method,
        path=f"/{call.params['rest']}",
        queries=call.query,
        body=call.json(),
    )
    wanted = sql_call(operation)
    if wanted is None:
        return answer({"error": {"code": 404, "message": "Operation not found."}}, 404)
    if (busy := _busy(call, connection, native=wanted.kind == "query")) is not None:
        return busy
    used = connection_use.use(call.world, connection, call.now)
    if isinstance(used, Failure):
        return answer(dict(used.body), used.status)
    told = ask(call.world, connection, used, wanted, call.now, Trace())
    return answer(told.body, told.status)


def _busy(call: Call, connection: Connection, *, native: bool) -> Response | None:
    """The refusal of a connection that was used too often just now; counts this use otherwise."""
    if not call.world.is_unkind:
        return None
    now, most = call.tenant.clock.moving(), MOST_QUERIES if native else MOST_OPERATIONS
    seen = call.tenant.recent.setdefault(f"connection {connection.id} {native}", deque())
    while seen and seen[0] <= now - WINDOW:
        seen.popleft()
    if len(seen) < most:
        seen.append(now)
        return None
    wait = max(1, round(seen[0] + WINDOW - now + 0.5))
    message = f"Rate limit is exceeded. Try again in {wait} seconds."
    return answer({"statusCode": 429, "message": message}, 429, {"retry-after": str(wait)})


def consented(call: Call) -> Response:
    """Where the browser comes back to: the connection holds the new sign-in, and the person goes on."""
    connection_id, _, address = call.query.get("state", "").partition(" ")
    connection = call.world.connections.get(connection_id)
    if (
        connection is None
        or connection.deleted_at is not None
        or not address.startswith(("https://", "http://"))
    ):
        raise refusal(400, "InvalidState", "The state of this sign-in is not known.")
    if "error" in call.query:
        return _go_on(address, error=call.query["error"])
    code = code_of(call.world, call.query.get("code", ""))
    if (
        code is None
        or code.is_used
        or code.client_id != SQL_CONNECTOR_CLIENT
        or call.now >= code.issued_at + CODE_LIFE
    ):
        return _go_on(address, error="invalid_grant")
    code.is_used = True
    account = call.world.accounts[code.account_id]
    if role_of(connection, account.object_id) not in ("Owner", "CanEdit"):
        return _go_on(address, error="access_denied")
    sign_in_for(call.world, call.now, connection, Proven(account, code.methods))
    call.world.changed()
    return _go_on(address)


def _go_on(address: str, **told: str) -> Response:
    mark = "&" if "?" in address else "?"
    return Response(
        status_code=302, headers={"location": f"{address}{mark}{urlencode(told)}" if told else address}
    )


PART = Part(
    "api hub",
    rooms=(
        Room(
            Host.APIHUB,
            (
                at("GET", "/redirect/sql", consented),
                at("GET", "/apim/{connector}/{connection}/testconnection", test_connection),
                *(
                    at(method, "/apim/{connector}/{connection}/{rest:path}", call_connector)
                    for method in ("GET", "POST", "PATCH", "DELETE")
                ),
            ),
        ),
    ),
    rules=RULES,
)
