"""The SQL connector: an operation, an identity and a place in; an answer as actions show it out.

The envelope of a connector's refusal is recorded, the texts inside it and the HTTP statuses of a SQL refusal are not:
they are assumed, see `REFUSALS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from holdfast.sandbox.chance import guid
from holdfast.sandbox.databases import engine_of
from holdfast.sandbox.flows.sql_operations import SqlCall
from holdfast.sandbox.odata import QueryError, ordered, parse_filter, selected
from holdfast.sandbox.records.platform import Connection, Outage
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.sql import errors, running
from holdfast.sandbox.sql.catalogue import Server, Table, View
from holdfast.sandbox.sql.engine import Engine, Footprint, Result, result_as_rows
from holdfast.sandbox.sql.errors import SqlError
from holdfast.sandbox.sql.login import Identity, Session, open_session
from holdfast.sandbox.sql.permissions import may, need
from holdfast.sandbox.sql.statements import full_name, read_batch
from holdfast.sandbox.world import World

ADDRESS = "20.86.93.35"
"""Where the connector knocks from, as firewalls show it."""

STATUSES = {
    18456: 401,
    18470: 401,
    18486: 401,
    18487: 401,
    4060: 401,
    40615: 403,
    229: 403,
    262: 403,
    40613: 504,
    942: 502,
    53: 502,
    -2: 504,
}
"""HTTP status by SQL error; 400 for all others."""

REFUSALS = Rule(
    "sql_errors_as_http",
    "The connector answers 401 for a refused login, 403 for a missing right or a firewall, 502 or 504 for a server that "
    "does not answer, 400 for the rest, with the server's text in its message.",
    Mark.ASSUMED,
    "power-platform-api.md section 10.4: not recorded through the connector",
)
GATEWAY_REFUSAL = Rule(
    "gateway_offline_is_504",
    "A connection whose gateway is offline answers 504 GatewayNotReachable.",
    Mark.ASSUMED,
    "the code is known from users' reports; status and envelope are not recorded",
    flipped="It answers 502 with the same code.",
)
NO_V1_WITH_ENTRA = Rule(
    "v1_takes_no_entra",
    "Operations without _V2 do not work on connections that sign in through Entra.",
    Mark.DOCUMENTED,
    "learn.microsoft.com/connectors/sql, page of 2025-08-19",
)
NO_QUERY_ON_PREMISES = Rule(
    "no_native_query_through_gateway",
    "Execute a SQL query is refused on connections that go through a gateway.",
    Mark.DOCUMENTED,
    "learn.microsoft.com/connectors/sql, page of 2025-08-19",
)
OUTAGES = Rule(
    "connector_outages_are_told",
    "The connector answers 429 when it was asked too often and 5xx when it has a fault of its own, before any server is "
    "asked; here only when the event `connector_outage` says so.",
    Mark.ASSUMED,
    "learn.microsoft.com/connectors/sql gives 100 calls per connection in 10 seconds; the body was not recorded for SQL",
)
RULES = (REFUSALS, GATEWAY_REFUSAL, NO_V1_WITH_ENTRA, NO_QUERY_ON_PREMISES, OUTAGES)


@dataclass(slots=True)
class Trace:
    """What a run depended on and changed.

    Attributes:
        touched: servers, databases, tables and gateways, by the keys that `mark_of` knows.
        wrote: tables whose rows changed, as keys.
        is_volatile: doing it again may end otherwise though nothing changed.
        turns_at: when time alone changes what a server answers.
        failed: SQL actions that a server or the platform refused.
    """

    touched: dict[str, None] = field(default_factory=dict)
    wrote: set[str] = field(default_factory=set)
    is_volatile: bool = False
    turns_at: datetime | None = None
    failed: int = 0

    def turn(self, at: datetime | None, now: datetime) -> None:
        """Note an instant to come after which the answer may be another."""
        if at is not None and at > now and (self.turns_at is None or at < self.turns_at):
            self.turns_at = at


class Answer(NamedTuple):
    """An HTTP answer of the connector. `code` is stable: the same cause gives the same code."""

    status: int
    code: str
    body: Any


def mark_of(world: World, key: str) -> str:
    """The state of something that a run touched: it differs when a run may come out otherwise."""
    kind, _, name = key.partition(" ")
    if kind == "environment":
        environment = world.environments.get(name)
        return str(environment.outage if environment else None)
    if kind == "gateway":
        gateway = world.gateways.get(name)
        return str(gateway.online if gateway else None)
    server_name, _, rest = name.partition("/")
    server = world.servers.get(server_name)
    if server is None:
        return "none"
    if kind == "server":
        return str(server.version)
    database_name, _, table_name = rest.partition("/")
    database = server.databases.get(database_name)
    if database is None:
        return "none"
    if kind == "database":
        return f"{database.version} {database.state} {database.trouble}"
    table = database.tables.get(table_name)
    return str(table.version if table else None)


def ask(
    world: World, connection: Connection, who: Identity, call: SqlCall, now: datetime, trace: Trace
) -> Answer:
    """Do the operation as `who`."""
    try:
        return _ask(world, connection, who, call, now, trace)
    except SqlError as error:
        trace.is_volatile |= error.number == 40613  # the login has begun to wake the database
        status = STATUSES.get(error.number, 400)
        return Answer(status, f"SQL{error.number}", said(world, connection, status, error.message, now))
    except QueryError as error:
        return Answer(400, "filter", said(world, connection, 400, str(error), now))


def _ask(
    world: World, connection: Connection, who: Identity, call: SqlCall, now: datetime, trace: Trace
) -> Answer:
    if refusal := _out(world, connection, now, trace):
        return refusal
    if call.is_v1 and who.kind == "entra" and world.holds(NO_V1_WITH_ENTRA):
        message = "This operation does not support Microsoft Entra ID authentication. Use its version 2."
        return Answer(400, "v1_with_entra", said(world, connection, 400, message, now))
    if refusal := _gateway(world, connection, call, now, trace):
        return refusal
    server_name = (call.server or str(connection.parameters.get("server", ""))).partition(":")[0].casefold()
    database_name = call.database or str(connection.parameters.get("database", ""))
    if not server_name or not database_name:
        message = "The server and database must be given: this connection names none."
        return Answer(400, "no_server_named", said(world, connection, 400, message, now))
    trace.touched[f"server {server_name}"] = None
    trace.touched[f"database {server_name}/{database_name.casefold()}"] = None
    server = world.servers.get(server_name)
    if server is None or server.gateway_id != connection.gateway_id:
        raise errors.no_server(server_name)
    if (database := server.database(database_name)) is not None and database.trouble is not None:
        trace.turn(database.trouble.until, now)
    if who.kind != "entra" and (login := server.logins.get(who.name.casefold())):
        trace.turn(login.expires_at, now)
    session = open_session(server, database_name, who, now, ADDRESS)
    return _operate(world, session, call, now, trace)


def outage_of(world: World, connection: Connection, now: datetime) -> Outage | None:
    """The connector's own fault at this instant."""
    environment = world.environments.get(connection.environment_id)
    outage = environment.outage if environment else None
    return outage if outage is not None and (outage.until is None or now < outage.until) else None


def _out(world: World, connection: Connection, now: datetime, trace: Trace) -> Answer | None:
    trace.touched[f"environment {connection.environment_id}"] = None
    outage = outage_of(world, connection, now)
    if outage is None:
        return None
    trace.turn(outage.until, now)
    if outage.status == 429:
        message = "Rate limit is exceeded. Try again in 10 seconds."
        return Answer(429, "throttled", {"statusCode": 429, "message": message})
    message = "BadGateway" if outage.status == 502 else "The service is temporarily unavailable."
    body = {
        "error": {"code": outage.status, "message": message, "source": "sql-we.azconn-we.p.azurewebsites.net"}
    }
    return Answer(outage.status, f"outage {outage.status}", body)


def _gateway(
    world: World, connection: Connection, call: SqlCall, now: datetime, trace: Trace
) -> Answer | None:
    if connection.gateway_id is None:
        return None
    trace.touched[f"gateway {connection.gateway_id}"] = None
    if call.kind == "query" and world.holds(NO_QUERY_ON_PREMISES):
        message = "Execute a SQL query is not supported for on-premises SQL Server."
        return Answer(400, "query_on_premises", said(world, connection, 400, message, now))
    gateway = world.gateways.get(connection.gateway_id)
    if gateway is not None and gateway.online:
        return None
    message = "The gateway you selected is either offline or could not be reached."
    body = {"error": {"code": "GatewayNotReachable", "message": message}}
    return Answer(504 if world.holds(GATEWAY_REFUSAL) else 502, "gateway_offline", body)


def said(world: World, connection: Connection, status: int, message: str, now: datetime) -> dict[str, Any]:
    """The envelope of a connector's refusal."""
    request = guid(world.seed, "client request", connection.id, now.isoformat())
    text = f"{message}\r\nclientRequestId: {request}"
    return {
        "status": status,
        "message": text,
        "error": {"message": text},
        "source": "sql-we.azconn-we.p.azurewebsites.net",
    }


# --- operations ------------------------------------------------------------------------------------------


class Work(NamedTuple):
    """A session with what it needs to do one operation."""

    session: Session
    engine: Engine
    footprint: Footprint
    now: datetime

    def run(self, text: str, values: Mapping[str, Any]) -> list[Result]:
        """Execute a batch."""
        return running.execute(self.engine, self.session, text, values, self.now, self.footprint)

    def rows(self, text: str, values: list[Any]) -> list[dict[str, Any]]:
        """The rows of one query with parameters ``@p0``, ``@p1`` …"""
        return result_as_rows(self.run(text, {f"p{n}": value for n, value in enumerate(values)})[-1])

    def table(self, written: str | None) -> Table:
        """The table that the operation names."""
        found = self.source(written)
        if isinstance(found, View):
            raise SqlError(4902, f"No primary key is defined on the table '{found.full_name}'.")
        return found

    def source(self, written: str | None) -> Table | View:
        """The table or view that the operation names."""
        name = full_name(written or "")
        found = self.session.database.table(name) or self.session.database.view(name)
        if found is None:
            raise errors.invalid_object(name)
        return found


def _operate(world: World, session: Session, call: SqlCall, now: datetime, trace: Trace) -> Answer:
    place = f"{session.server.name}/{session.database.name}".casefold()
    work = Work(session, engine_of(world, session.server, session.database), Footprint(), now)
    try:
        body = OPERATIONS[call.kind](work, call)
    finally:
        trace.is_volatile |= work.footprint.is_volatile
        for name in work.footprint.read | work.footprint.wrote:
            trace.touched[f"table {place}/{name}"] = None
        trace.wrote |= {f"table {place}/{name}" for name in work.footprint.wrote}
    return Answer(200, "ok", body)


def _name(table: Table | View) -> str:
    schema, name = (part.replace("]", "]]") for part in (table.schema, table.name))
    return f"[{schema}].[{name}]"


def _column(table: Table, written: str) -> str:
    found = next((one for one in table.columns if one.name.casefold() == written.casefold()), None)
    if found is None:
        raise errors.invalid_column(written)
    return f"[{found.name.replace(']', ']]')}]"


def _get_rows(work: Work, call: SqlCall) -> dict[str, Any]:
    table = work.source(call.object)
    rows: list[Any] = work.rows(f"SELECT * FROM {_name(table)}", [])  # noqa: S608 - names are those of the catalogue
    if wanted := call.options.get("$filter"):
        test = parse_filter(str(wanted))
        rows = [row for row in rows if test(row)]
    if order := call.options.get("$orderby"):
        rows = ordered(rows, str(order))
    chosen = [one.strip() for one in str(call.options.get("$select") or "").split(",") if one.strip()]
    for name in chosen:
        if isinstance(table, Table):
            _column(table, name)
    top = str(call.options.get("$top") or 2048)
    rows = rows[: int(top) if top.isdigit() else 2048]
    return {"value": [selected(row, chosen) for row in rows] if chosen else rows}


def _key(table: Table) -> str:
    key = next((one.name for one in table.columns if one.is_key), None)
    if key is None:
        raise SqlError(4902, f"No primary key is defined on the table '{table.full_name}'.")
    return _column(table, key)


def _one(work: Work, table: Table, row_id: Any) -> dict[str, Any]:
    found = work.rows(f"SELECT * FROM {_name(table)} WHERE {_key(table)} = @p0", [row_id])  # noqa: S608 - as above
    if not found:
        raise SqlError(404, f"No row was found with Id '{row_id}'.")
    return found[0]


def _get_row(work: Work, call: SqlCall) -> dict[str, Any]:
    return _one(work, work.table(call.object), call.row_id)


def _insert(work: Work, call: SqlCall) -> dict[str, Any]:
    table = work.table(call.object)
    # The connector returns the row that it made, which needs the right to read it.
    need(work.session, "INSERT", table.full_name, work.now)
    need(work.session, "SELECT", table.full_name, work.now)
    names = ", ".join(_column(table, name) for name in call.values)
    holes = ", ".join(f"@p{n}" for n in range(len(call.values)))
    text = f"INSERT INTO {_name(table)} ({names}) OUTPUT INSERTED.* VALUES ({holes})"  # noqa: S608 - as above
    return work.rows(text, list(call.values.values()))[0]


def _update(work: Work, call: SqlCall) -> dict[str, Any]:
    table = work.table(call.object)
    changes = ", ".join(f"{_column(table, name)} = @p{n}" for n, name in enumerate(call.values))
    values = {f"p{n}": value for n, value in enumerate(call.values.values())}
    text = f"UPDATE {_name(table)} SET {changes} OUTPUT INSERTED.* WHERE {_key(table)} = @id"  # noqa: S608 - as above
    work.run(text, {**values, "id": call.row_id})
    return _one(work, table, call.row_id)


def _delete(work: Work, call: SqlCall) -> None:
    table = work.table(call.object)
    _one(work, table, call.row_id)
    text = f"DELETE FROM {_name(table)} WHERE {_key(table)} = @id"  # noqa: S608 - as above
    work.run(text, {"id": call.row_id})


def _procedure(work: Work, call: SqlCall) -> dict[str, Any]:
    name = full_name(call.object or "")
    results = running.call(work.engine, work.session, name, call.values, work.now, work.footprint)
    return {"ResultSets": _sets(results), "OutputParameters": {}, "ReturnCode": 0}


def _query(work: Work, call: SqlCall) -> dict[str, Any]:
    text = call.query or ""
    if any(statement.has_unnamed for statement in read_batch(text)):
        raise SqlError(8155, "No column name was specified for a column of the result.")
    return {"ResultSets": _sets(work.run(text, call.values)), "OutputParameters": {}}


def _sets(results: list[Result]) -> dict[str, Any]:
    shown = [result_as_rows(result) for result in results if result.columns]
    return {f"Table{n}": rows for n, rows in enumerate(shown, 1)}


def _tables(work: Work, call: SqlCall) -> dict[str, Any]:
    database = work.session.database
    listed: list[Table | View] = [*database.tables.values(), *database.views.values()]
    visible = [_name(one) for one in listed if may(work.session, "SELECT", one.full_name)]
    return {"value": [{"Name": name, "DisplayName": name} for name in visible]}


def _new_items(work: Work, call: SqlCall) -> dict[str, Any]:
    table = work.table(call.object)
    key = next((one.name for one in table.columns if one.is_identity), None)
    if key is None:
        raise SqlError(4902, f"The table '{table.full_name}' has no IDENTITY column.")
    return _since(work, call, table, key)


def _updated_items(work: Work, call: SqlCall) -> dict[str, Any]:
    table = work.table(call.object)
    key = next((one.name for one in table.columns if one.type.lower() in ("rowversion", "timestamp")), None)
    if key is None:
        raise SqlError(4902, f"The table '{table.full_name}' has no ROWVERSION column.")
    return _since(work, call, table, key)


def _since(work: Work, call: SqlCall, table: Table, key: str) -> dict[str, Any]:
    """Rows past the mark that the trigger keeps; the first look only sets the mark."""
    column, mark = _column(table, key), call.values.get("mark")
    newest = work.rows(f"SELECT MAX({column}) AS newest FROM {_name(table)}", [])[0]["newest"] or 0  # noqa: S608 - as above
    if mark is None:
        return {"value": [], "mark": newest}
    text = f"SELECT * FROM {_name(table)} WHERE {column} > @p0 ORDER BY {column}"  # noqa: S608 - as above
    return {"value": work.rows(text, [mark]), "mark": max(newest, mark)}


OPERATIONS = {
    "query": _query,
    "procedure": _procedure,
    "get_rows": _get_rows,
    "get_row": _get_row,
    "insert": _insert,
    "update": _update,
    "delete": _delete,
    "tables": _tables,
    "new_items": _new_items,
    "updated_items": _updated_items,
}


def server_of(world: World, name: str) -> Server | None:
    """A server by the name that connections and actions give it."""
    return world.servers.get(name.partition(":")[0].casefold())
