"""A batch run as a session: variables, branches, procedures, errors that end a statement and those that end it all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from holdfast.sandbox.sql import errors
from holdfast.sandbox.sql.administering import administer
from holdfast.sandbox.sql.batches import (
    Assign,
    Attempt,
    Branch,
    Execute,
    ExecuteText,
    Impersonate,
    Leave,
    Node,
    Query,
    Raise,
    Say,
    Secure,
    Transact,
    read_nodes,
)
from holdfast.sandbox.sql.catalogue import Principal, Procedure
from holdfast.sandbox.sql.engine import Engine, Footprint, Result
from holdfast.sandbox.sql.errors import SqlError
from holdfast.sandbox.sql.functions import Scene
from holdfast.sandbox.sql.login import Session
from holdfast.sandbox.sql.permissions import may, need
from holdfast.sandbox.sql.statements import Statement, full_name, read_query
from holdfast.sandbox.sql.transactions import RIGHTS, Transaction
from holdfast.sandbox.sql.values import as_python

DEEPEST_CALL = 32
ENDS_BATCH = frozenset({102, 137, 195, 207, 208, 245, 1222, 40508, 40510, 40515, -2})
"""Errors after which nothing more of a batch runs; others end their own statement.

Source: Erland Sommarskog, Error and Transaction Handling in SQL Server, part two; kept to what occurs here.
"""


class Message:
    """A text for the client that is no error."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


Told = Result | Message | SqlError


class _ReturnedError(Exception):
    """RETURN: no failure, but a way out of a batch or procedure."""


class Running:
    """One batch.

    Args:
        goes_on: errors that end only their statement are told in the results; else the first error ends all and is raised.
        transact: does BEGIN, COMMIT and ROLLBACK, and gives the open one, if any; None where the whole batch is one.
    """

    def __init__(
        self,
        engine: Engine,
        scene: Scene,
        transaction: Transaction,
        footprint: Footprint,
        *,
        goes_on: bool,
        transact: Callable[[str], Transaction | None] | None = None,
    ) -> None:
        self.engine, self.scene, self.transaction = engine, scene, transaction
        self.footprint, self.goes_on, self._transact = footprint, goes_on, transact
        self.autocommit = transaction
        self.results: list[Told] = []
        self._calls = 0
        self._before: list[Principal] = []

    def batch(self, text: str, parameters: Mapping[str, Any]) -> None:
        """Run a text. Raises SqlError for what ends the batch."""
        variables = {name.casefold(): value for name, value in parameters.items()}
        try:
            self._nodes(read_nodes(text), variables, checked=True)
        except _ReturnedError:
            pass
        finally:
            self._revert_all()

    def procedure(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Call a procedure: arguments by the parameter's name, or by place."""
        with suppress(_ReturnedError):
            self._guarded(1, lambda: self._call(name, arguments))

    def _nodes(self, nodes: Iterable[Node], variables: dict[str, Any], *, checked: bool) -> None:
        for node in nodes:
            line = getattr(node, "line", 1)
            self._guarded(line, lambda node=node: self._node(node, variables, checked=checked))

    def _guarded(self, line: int, deed: Any) -> None:
        try:
            deed()
        except SqlError as error:
            if error.line == 1:
                error.line = line
            self.scene.error = error.number
            ends = error.ends_batch or error.number in ENDS_BATCH or error.severity >= 17
            if ends or not self.goes_on:
                raise
            self.results.append(error)

    def _node(self, node: Node, variables: dict[str, Any], *, checked: bool) -> None:
        match node:
            case Query(text, _):
                self._query(text, variables, checked=checked)
            case Assign(name, expression, _):
                value = None if expression is None else self.value(expression, variables)
                variables[name.casefold()] = value
            case Execute():
                self._execute(node, variables)
            case ExecuteText(expression, _):
                self._text(self.value(expression, variables), {}, checked=checked)
            case Branch(condition, then, otherwise, _):
                chosen = then if self._holds(condition, variables) else otherwise
                self._nodes(chosen, variables, checked=checked)
            case Attempt(body, handler):
                self._attempt(body, handler, variables, checked=checked)
            case Say(expression, _):
                said = self.value(expression, variables)
                self.results.append(Message(str(int(said) if isinstance(said, bool) else said)))
            case Raise():
                self._raise(node, variables)
            case Secure(statement, _):
                self.transaction.touch(RIGHTS)
                administer(self.scene.session, statement, self.engine.directory, self.scene.now)
                self.footprint.rights = True
            case Transact(verb, _):
                if self._transact is not None:
                    self.transaction = self._transact(verb) or self.autocommit
                elif verb == "ROLLBACK":
                    raise errors.not_supported("ROLLBACK TRANSACTION")
            case Impersonate(user, _):
                self._impersonate(user)
            case Leave():
                raise _ReturnedError

    # --- values -----------------------------------------------------------------------------------------

    def value(self, expression: str, variables: Mapping[str, Any]) -> Any:
        """What an expression comes to."""
        found = self._silent(f"SELECT {expression}", variables)
        return as_python(found.rows[0][0], found.kinds[0]) if found.rows and found.rows[0] else None

    def _holds(self, condition: str, variables: Mapping[str, Any]) -> bool:
        found = self._silent(f"SELECT CASE WHEN ({condition}) THEN 1 ELSE 0 END", variables)
        return bool(found.rows and found.rows[0][0])

    def _silent(self, text: str, variables: Mapping[str, Any]) -> Result:
        return self._done(read_query(text), variables, checked=True)

    def _done(self, statement: Statement, variables: Mapping[str, Any], *, checked: bool) -> Result:
        return self.engine.statement(
            self.scene, statement, variables, self.footprint, self.transaction, checked=checked
        )

    # --- statements -------------------------------------------------------------------------------------

    def _query(self, text: str, variables: dict[str, Any], *, checked: bool) -> None:
        statement = read_query(text)
        result = self._done(statement, variables, checked=checked)
        self.scene.rows = len(result.rows) if result.columns else result.affected
        if statement.assigns:
            if result.rows:  # without a row the variables keep what they have
                values = map(as_python, result.rows[-1], result.kinds)
                variables |= zip(map(str.casefold, statement.assigns), values, strict=True)
            return
        self.results.append(result)
        for name in statement.writes:
            for body in self._triggered(name, statement.verb):
                self._nodes(read_nodes(body), {}, checked=False)

    def _triggered(self, name: str, event: str) -> Iterator[str]:
        table = self.engine.database.table(name)
        for trigger in table.triggers if table is not None else ():
            if event in trigger.events:
                yield from trigger.body

    def _execute(self, node: Execute, variables: dict[str, Any]) -> None:
        given = {
            name or str(place): self.value(expression, variables)
            for place, (name, expression) in enumerate(node.arguments)
        }
        if full_name(node.procedure).rpartition(".")[2].casefold() == "sp_executesql":
            self._dynamic(given)
        else:
            self._call(node.procedure, given)

    def _dynamic(self, given: Mapping[str, Any]) -> None:
        text = given.get("0", given.get("stmt", given.get("statement")))
        names = [
            one.split()[0].lstrip("@")
            for one in str(given.get("1", given.get("params", "")) or "").split(",")
            if one.split()
        ]
        values = {name: given.get(name, given.get(str(place))) for place, name in enumerate(names, 2)}
        self._text(text, values, checked=True)

    def _text(self, text: Any, values: Mapping[str, Any], *, checked: bool) -> None:
        # A text put together at run time is checked as its caller, whoever owns the procedure around it.
        if text is not None:
            variables = {name.casefold(): value for name, value in values.items()}
            self._nested(read_nodes(str(text)), variables, checked=True)

    def _call(self, written: str, arguments: Mapping[str, Any]) -> None:
        name = full_name(written)
        procedure = self.engine.database.procedure(name)
        if procedure is None:
            raise errors.no_procedure(written)
        need(self.scene.session, "EXECUTE", procedure.full_name, self.scene.now)
        self.footprint.read.add(f"procedure {procedure.full_name.casefold()}")
        given = {key.casefold(): value for key, value in _arguments(procedure, arguments).items()}
        for text in procedure.body:
            self._nested(read_nodes(text), given, checked=False)

    def _nested(self, nodes: Iterable[Node], variables: dict[str, Any], *, checked: bool) -> None:
        if self._calls >= DEEPEST_CALL:
            raise errors.SqlError(
                217,
                "Maximum stored procedure, function, trigger, or view nesting level exceeded (limit 32).",
            )
        self._calls += 1
        try:
            self._nodes(nodes, variables, checked=checked)
        except _ReturnedError:
            pass
        finally:
            self._calls -= 1

    def _attempt(
        self, body: Iterable[Node], handler: Iterable[Node], variables: dict[str, Any], *, checked: bool
    ) -> None:
        goes_on, self.goes_on = self.goes_on, False
        try:
            self._nodes(body, variables, checked=checked)
        except SqlError as error:
            self.goes_on = goes_on
            if error.number in (102, 40510):
                raise
            variables["error_message()"] = error
            self._nodes(handler, variables, checked=checked)
        finally:
            self.goes_on = goes_on
            variables.pop("error_message()", None)

    def _raise(self, node: Raise, variables: Mapping[str, Any]) -> None:
        if not node.arguments:
            caught = variables.get("error_message()")
            raise (
                caught
                if isinstance(caught, SqlError)
                else errors.SqlError(
                    10704, "To rethrow an error, a THROW statement must be used inside a CATCH block.", 15
                )
            )
        values = [self.value(one, variables) for one in node.arguments]
        if node.verb == "THROW":
            number, message, state = (*values, 1, 1)[:3]
            thrown = errors.SqlError(_whole_number(number), str(message), 16, _whole_number(state))
            thrown.ends_batch = True
            raise thrown
        message, severity, state = (*values, 16, 1)[:3]
        if _whole_number(severity) <= 10:
            self.results.append(Message(str(message)))
        else:
            raise errors.SqlError(50000, str(message), _whole_number(severity), _whole_number(state))

    def _impersonate(self, name: str | None) -> None:
        if name is None:
            if self._before:
                self._become(self._before.pop())
            return
        user = self.engine.database.principal(name)
        if user is None or user.kind == "R" or not may(self.scene.session, "CONTROL"):
            raise errors.SqlError(
                15517,
                f'Cannot execute as the database principal because the principal "{name}" does not exist, this type of '
                "principal cannot be impersonated, or you do not have permission.",
            )
        if user.kind in ("E", "X") and self.scene.session.who.kind != "entra":
            raise errors.SqlError(
                33171, "Only active directory users can impersonate other active directory users."
            )
        self._before.append(self.scene.session.user)
        self._become(user)

    def _become(self, user: Principal) -> None:
        self.scene.session = self.scene.session._replace(user=user)

    def _revert_all(self) -> None:
        # EXECUTE AS ends with its batch here; a real session keeps it until REVERT.
        if self._before:
            self._become(self._before[0])
            self._before.clear()


def _whole_number(value: Any) -> int:
    if not isinstance(value, int):
        raise errors.syntax(str(value)[:40])
    return value


def _arguments(procedure: Procedure, given: Mapping[str, Any]) -> dict[str, Any]:
    order = list(procedure.parameters)
    given = {
        order[int(name)] if name.isdigit() and int(name) < len(order) else name: value
        for name, value in given.items()
    }
    known = {name.casefold(): name for name in procedure.parameters}
    for name in given:
        if name.isdigit():
            raise errors.SqlError(
                8144, f"Procedure or function {procedure.name} has too many arguments specified.", 16, 2
            )
        if name.lstrip("@").casefold() not in known:
            raise errors.unknown_parameter(procedure.name, name.lstrip("@"))
    values = {known[name.lstrip("@").casefold()]: value for name, value in given.items()}
    for name, default in procedure.parameters.items():
        if name not in values:
            if default == "required":
                raise errors.missing_parameter(procedure.name, name)
            values[name] = default
    return values


def execute(
    engine: Engine,
    session: Session,
    text: str,
    parameters: Mapping[str, Any],
    now: datetime,
    footprint: Footprint,
) -> list[Result]:
    """Run a batch of which all or nothing happens, as the connector does.

    Raises:
        SqlError: the first error; nothing has happened then.
    """
    return _whole(engine, session, now, footprint, lambda running: running.batch(text, parameters))


def call(
    engine: Engine,
    session: Session,
    procedure: str,
    arguments: Mapping[str, Any],
    now: datetime,
    footprint: Footprint,
) -> list[Result]:
    """Call a stored procedure; all of it happens, or nothing. Inside it nothing is checked: its owner owns the tables.

    Raises:
        SqlError: the first error; nothing has happened then.
    """
    return _whole(engine, session, now, footprint, lambda running: running.procedure(procedure, arguments))


def _whole(
    engine: Engine, session: Session, now: datetime, footprint: Footprint, deed: Callable[[Running], None]
) -> list[Result]:
    transaction = Transaction(engine.database, engine.holders)
    running = Running(engine, Scene(session, now), transaction, footprint, goes_on=False)
    before = set(footprint.wrote)
    try:
        deed(running)
    except BaseException:
        transaction.undo()
        footprint.wrote = before
        raise
    transaction.end()
    return [one for one in running.results if isinstance(one, Result)]
