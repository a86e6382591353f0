"""What a client asks, answered from a SQL session: events of the protocol in, tokens out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

from holdfast.sandbox.sql.errors import SqlError
from holdfast.sandbox.sql.sessions import Info, Outcome, ReturnStatus, RowCount, RowSet, SqlSession
from holdfast.sandbox.tds import requests, tokens
from holdfast.sandbox.tds.datatypes import Parameter, guessed, wire_of
from holdfast.sandbox.tds.login import LoginRequest
from holdfast.sandbox.tds.requests import Batch, RemoteCall, RemoteCalls, TransactionRequest
from holdfast.sandbox.tds.session import Attention, Cancelled, Event, Reset, TdsSession

SignIn = Callable[[LoginRequest], SqlSession]
"""Lets a client in. Raises SqlError."""

NO_TRANSACTION = bytes(8)
INTEGER = wire_of("int")
DECLARED = re.compile(r"(?:^|,)\s*@([\w@$#]+)\s+(?:AS\s+)?([^,(]+(?:\([^)]*\))?)", re.IGNORECASE)
PROCEDURE_NAME = re.compile(r"(?:(?:\[(?:[^\]]|\]\])+\]|[\w@$#]+)\.){0,3}(?:\[(?:[^\]]|\]\])+\]|[\w@$#]+)")
CALL_ESCAPE = re.compile(r"\{\s*(?:\?\s*=\s*)?CALL\s+(.+?)\s*(?:\(.*\))?\s*\}\s*", re.IGNORECASE | re.DOTALL)


class Prepared(NamedTuple):
    """A statement that waits to be executed."""

    declared: str
    text: str


class Conversation:
    """One connection from its first byte to its last.

    Args:
        session: the protocol.
        sign_in: lets the client in.
    """

    def __init__(self, session: TdsSession, sign_in: SignIn) -> None:
        self._session, self._sign_in = session, sign_in
        self._sql: SqlSession | None = None
        self._prepared: dict[int, Prepared] = {}
        self._handles = count(1)
        self._transactions = count(1)
        self._transaction = NO_TRANSACTION
        self._preface = b""

    @property
    def is_open(self) -> bool:
        """Whether anything may still come."""
        return self._session.state is not self._session.state.CLOSED

    @property
    def is_in(self) -> bool:
        """Whether the client logged in."""
        return self._sql is not None

    def receive(self, received: bytes) -> bytes:
        """What to send after this came; empty bytes mean that the client is gone."""
        self._session.receive(received)
        while (event := self._session.next_event()) is not None:
            self._answer(event)
        if not self.is_open:
            self.end()
        return self._session.outgoing()

    def end(self) -> None:
        """The connection is gone: an open transaction is undone. Any number of times."""
        self._session.close()
        sql, self._sql = self._sql, None
        if sql is not None:
            sql.close()

    def _answer(self, event: Event) -> None:
        if isinstance(event, LoginRequest):
            self._login(event)
        elif self._sql is not None:
            reply = self._reply(event, self._sql)
            if isinstance(event, Reset):
                self._preface = reply
            else:
                self._session.answer(self._preface + reply)
                self._preface = b""

    def _login(self, request: LoginRequest) -> None:
        try:
            sql = self._sign_in(request)
        except SqlError as error:
            self._session.refuse(_refusal(error, request))
            return
        self._sql = sql
        self._session.welcome(request, sql.database)

    def _reply(self, event: Event, sql: SqlSession) -> bytes:
        match event:
            case Batch(text):
                return self._batch(sql, text)
            case RemoteCalls(calls):
                *former, last = calls
                replies = [self._call(sql, each, tokens.MORE) for each in former]
                return b"".join(replies) + self._call(sql, last)
            case TransactionRequest():
                return self._transact(sql, event)
            case Attention():
                return tokens.done(status=tokens.ATTENTION)
            case Cancelled():
                return tokens.done(status=tokens.FAILED)
            case Reset():
                return self._reset(sql)
        raise TypeError(event)

    # --- batches ------------------------------------------------------------------------------------------

    def _batch(self, sql: SqlSession, text: str) -> bytes:
        reply, failed = told(sql.execute(text), tokens.DONE)
        reply += self._moved(sql)
        return reply + tokens.done(status=tokens.FAILED if failed else 0)

    def _moved(self, sql: SqlSession, ended: int = tokens.COMMITTED) -> bytes:
        """The token that tells of a transaction begun or ended since the last one."""
        if sql.in_transaction == (self._transaction != NO_TRANSACTION):
            return b""
        before = self._transaction
        if sql.in_transaction:
            self._transaction = next(self._transactions).to_bytes(8, "little")
            return tokens.env_change(tokens.BEGUN, self._transaction)
        self._transaction = NO_TRANSACTION
        return tokens.env_change(ended, b"", before)

    def _transact(self, sql: SqlSession, request: TransactionRequest) -> bytes:
        reply = b""
        try:
            if request.kind == requests.BEGIN:
                sql.begin()
            elif request.kind == requests.COMMIT:
                sql.commit()
            elif request.kind == requests.ROLLBACK:
                sql.rollback()
            else:
                raise SqlError(
                    40510, "Statement 'SAVE TRANSACTION' is not supported in this version of SQL Server."
                )
            reply += self._moved(
                sql, tokens.COMMITTED if request.kind == requests.COMMIT else tokens.ROLLED_BACK
            )
            if request.begins:
                sql.begin()
                reply += self._moved(sql)
        except SqlError as error:
            return reply + tokens.error(error) + tokens.done(status=tokens.FAILED)
        return reply + tokens.done()

    def _reset(self, sql: SqlSession) -> bytes:
        if sql.in_transaction:
            sql.rollback()
        self._transaction = NO_TRANSACTION
        self._prepared.clear()
        return tokens.env_change(tokens.RESET, b"")

    # --- remote calls -------------------------------------------------------------------------------------

    def _call(self, sql: SqlSession, call: RemoteCall, more: int = 0) -> bytes:
        own = OWN_PROCEDURES.get(call.procedure.casefold().rpartition(".")[2])
        try:
            outcomes, values = own(self, sql, call.parameters) if own else self._procedure(sql, call)
        except SqlError as error:
            outcomes, values = [error], b""
        reply, failed = told(outcomes, tokens.DONE_IN_PROCEDURE)
        status = next((one.value for one in outcomes if isinstance(one, ReturnStatus)), 0)
        reply += self._moved(sql)
        if failed:
            return reply + tokens.done(tokens.DONE_PROCEDURE, tokens.FAILED | more)
        return reply + tokens.return_status(status) + values + tokens.done(tokens.DONE_PROCEDURE, more)

    def _procedure(self, sql: SqlSession, call: RemoteCall) -> Answered:
        if not PROCEDURE_NAME.fullmatch(call.procedure):
            raise SqlError(2812, f"Could not find stored procedure '{call.procedure[:128]}'.", 16, 62)
        return sql.call(call.procedure, _arguments(call.parameters)), b""

    def _execute_text(self, sql: SqlSession, parameters: Sequence[Parameter]) -> Answered:
        statement = Prepared(_text(parameters, 1), _text(parameters, 0))
        return self._run(sql, statement, parameters[2:]), b""

    def _prepare(self, sql: SqlSession, parameters: Sequence[Parameter]) -> Answered:
        return [], self._keep(Prepared(_text(parameters, 1), _text(parameters, 2)))

    def _prepare_and_execute(self, sql: SqlSession, parameters: Sequence[Parameter]) -> Answered:
        statement = Prepared(_text(parameters, 1), _text(parameters, 2))
        if parameters and isinstance(parameters[0].value, int):
            self._prepared.pop(parameters[0].value, None)  # the handle that it replaces
        return self._run(sql, statement, parameters[3:]), self._keep(statement)

    def _prepare_call(self, sql: SqlSession, parameters: Sequence[Parameter]) -> Answered:
        text = _text(parameters, 1)
        found = CALL_ESCAPE.fullmatch(text.strip())
        name = found[1] if found else text.strip()
        call = RemoteCall(name, tuple(parameters[2:]))
        return self._procedure(sql, call)[0], self._keep(Prepared("", text))

    def _execute_prepared(self, sql: SqlSession, parameters: Sequence[Parameter]) -> Answered:
        handle = parameters[0].value if parameters else None
        statement = self._prepared.get(handle) if isinstance(handle, int) else None
        if statement is None:
            raise SqlError(8179, f"Could not find prepared statement with handle {handle}.", 16, 2)
        found = CALL_ESCAPE.fullmatch(statement.text.strip())
        if found:
            return self._procedure(sql, RemoteCall(found[1], tuple(parameters[1:])))
        return self._run(sql, statement, parameters[1:]), b""

    def _unprepare(self, sql: SqlSession, parameters: Sequence[Parameter]) -> Answered:
        if parameters and isinstance(parameters[0].value, int):
            self._prepared.pop(parameters[0].value, None)
        return [], b""

    def _nothing(self, sql: SqlSession, parameters: Sequence[Parameter]) -> Answered:
        return [], b""

    def _reset_connection(self, sql: SqlSession, parameters: Sequence[Parameter]) -> Answered:
        self._preface += self._reset(sql)
        return [], b""

    def _keep(self, statement: Prepared) -> bytes:
        handle = next(self._handles)
        self._prepared[handle] = statement
        if INTEGER is None:
            raise TypeError("int has no wire")
        return tokens.return_value(0, "", INTEGER, handle)

    def _run(self, sql: SqlSession, statement: Prepared, given: Sequence[Parameter]) -> list[Outcome]:
        names = [found[1] for found in DECLARED.finditer(statement.declared)]
        values: dict[str, Any] = {}
        for place, parameter in enumerate(given):
            name = parameter.name.lstrip("@") or (names[place] if place < len(names) else "")
            if not name:
                raise SqlError(8144, "Procedure or function has too many arguments specified.", 16, 2)
            is_id = parameter.is_guid and parameter.value is not None
            values[name] = UUID(parameter.value) if is_id else parameter.value
        missing = next((name for name in names if name not in values), None)
        if missing is not None:
            raise SqlError(
                8178,
                f"The parameterized query '{statement.declared[:60]}' expects the parameter '@{missing}', which was not supplied.",
            )
        return sql.execute(statement.text, values)


Answered = tuple[Sequence[Outcome], bytes]
"""What came of a call, and its output parameters as tokens."""

OWN_PROCEDURES: Mapping[str, Callable[[Conversation, SqlSession, Sequence[Parameter]], Answered]] = {
    "sp_executesql": Conversation._execute_text,
    "sp_prepare": Conversation._prepare,
    "sp_execute": Conversation._execute_prepared,
    "sp_prepexec": Conversation._prepare_and_execute,
    "sp_prepexecrpc": Conversation._prepare_call,
    "sp_unprepare": Conversation._unprepare,
    # msodbcsql18 asks it for the type of a NULL; after an empty answer it takes varchar(1): sql-tds.md 3.7.
    "sp_describe_undeclared_parameters": Conversation._nothing,
    "sp_reset_connection": Conversation._reset_connection,
}


def _text(parameters: Sequence[Parameter], place: int) -> str:
    value = parameters[place].value if place < len(parameters) else None
    if value is None and place == 1:
        return ""
    if not isinstance(value, str):
        raise SqlError(214, "Procedure expects parameter '@statement' of type 'ntext/nchar/nvarchar'.", 16, 2)
    return value


def _arguments(parameters: Sequence[Parameter]) -> dict[str, Any]:
    return {one.name.lstrip("@") or str(place): one.value for place, one in enumerate(parameters)}


def _refusal(error: SqlError, request: LoginRequest) -> bytes:
    """The error tokens of a refused login. The client is not told the true state of 18456 (mssqlserver-18456)."""
    if error.number == 18456:
        error = SqlError(18456, error.message, error.severity, 1)
    said = tokens.error(error)
    if error.number == 4060:
        name = "<token-identified principal>" if request.token is not None else request.user
        said += tokens.error(SqlError(18456, f"Login failed for user '{name}'.", 14, 1))
    return said


def told(outcomes: Sequence[Outcome], done: int) -> tuple[bytes, bool]:
    """Outcomes as tokens, and whether one of them is an error; the last DONE is the caller's."""
    pieces, failed = [], False
    for outcome in outcomes:
        match outcome:
            case SqlError():
                failed = True
                pieces.append(tokens.error(outcome) + tokens.done(done, tokens.MORE | tokens.FAILED))
            case RowSet():
                piece, is_bad = _rows(outcome, done)
                failed |= is_bad
                pieces.append(piece)
            case RowCount(affected):
                pieces.append(tokens.done(done, tokens.MORE | tokens.COUNT, affected))
            case Info(number, message, severity, state):
                pieces.append(tokens.info(number, message, state, severity))
    return b"".join(pieces), failed


def _rows(result: RowSet, done: int) -> tuple[bytes, bool]:
    wires = [
        wire_of(column.type) or guessed(row[place] for row in result.rows)
        for place, column in enumerate(result.columns)
    ]
    head = tokens.column_metadata([(one.name, wire) for one, wire in zip(result.columns, wires, strict=True)])
    try:
        rows = [tokens.row(wires, values) for values in result.rows]
    except (ValueError, TypeError, OverflowError):
        fault = SqlError(8114, "Error converting data type to the type of its column.", 16, 5)
        return tokens.error(fault) + tokens.done(done, tokens.MORE | tokens.FAILED), True
    end = tokens.done(done, tokens.MORE | tokens.COUNT, len(rows), tokens.SELECT)
    return b"".join((head, *rows, end)), False
