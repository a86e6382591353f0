"""One run of a definition: which actions run, in which order, what each gives, and how the whole ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from holdfast.sandbox.flows import times
from holdfast.sandbox.flows.actions import LEAVES
from holdfast.sandbox.flows.conditions import holds
from holdfast.sandbox.flows.definitions import Action, Definition, Operation
from holdfast.sandbox.flows.expressions import References, evaluate
from holdfast.sandbox.flows.steps import Step
from holdfast.sandbox.flows.values import ExpressionError, Json, same, select
from holdfast.sandbox.records.runs import (
    ACTION_FAILED,
    CANCELLED,
    FAILED,
    SKIPPED,
    SUCCEEDED,
    TIMED_OUT,
    ActionRecord,
    RunRecord,
)

MOST_ACTIONS = 5_000
"""Actions that one run may execute here, turns of loops counted: a limit of the sandbox."""

UNTIL_COUNT, UNTIL_TIMEOUT = 60, timedelta(hours=1)
"""Defaults of an Until. Source: learn.microsoft.com/azure/logic-apps/logic-apps-control-flow-loops."""


class TooLongError(Exception):
    """The run executed more actions than the sandbox allows."""


class TerminatedError(Exception):
    """A Terminate action ended the run."""

    def __init__(self, status: str, error: dict[str, Any] | None) -> None:
        super().__init__(status)
        self.status, self.error = status, error


Operate = Callable[[Operation, Mapping[str, Json], datetime], Step]
"""Calls a connector with evaluated parameters at an instant."""

Draw = Callable[..., float]
"""Chance by name, from 0 up to 1; the same names give the same number."""


class Setting(NamedTuple):
    """What a run is given besides its definition.

    Attributes:
        workflow: what ``workflow()`` gives.
        operate: calls connectors.
        draw: chance that belongs to the flow, so that its runs take equally long.
    """

    run_id: str
    started_at: datetime
    trigger_outputs: Json
    workflow: Mapping[str, Json]
    operate: Operate
    draw: Draw


@dataclass(slots=True)
class Execution:
    """A run in progress. Time inside it is modelled: every action takes some, nothing waits."""

    definition: Definition
    setting: Setting
    now: datetime
    records: list[ActionRecord] = field(default_factory=list)
    latest: dict[str, ActionRecord] = field(default_factory=dict)
    variables: dict[str, Json] = field(default_factory=dict)
    items: list[tuple[str, Json]] = field(default_factory=list)
    turns: list[int] = field(default_factory=list)
    until_turns: dict[str, int] = field(default_factory=dict)
    is_volatile: bool = False
    response: Any = None

    def references(self) -> References:
        """The functions that look at this run."""
        return {
            "body": self._body,
            "outputs": lambda name: self._record(name).outputs,
            "actions": lambda name: as_value(self._record(name)),
            "variables": self._variable,
            "parameters": self._parameter,
            "item": self._item,
            "items": self._item,
            "iterationindexes": lambda name: self.until_turns.get(name, self.turns[-1] if self.turns else 0),
            "result": self._result,
            "trigger": lambda: {
                "name": self.definition.trigger.name,
                "outputs": self.setting.trigger_outputs,
            },
            "triggeroutputs": lambda: self.setting.trigger_outputs,
            "triggerbody": lambda: select(self.setting.trigger_outputs, "body", optional=True),
            "workflow": self._workflow,
            "listcallbackurl": lambda: "https://localhost/callback",
            "utcnow": self._utc_now,
            "guid": self._guid,
            "rand": self._random,
        }

    def _record(self, name: Json) -> ActionRecord:
        if name not in self.latest:
            raise ExpressionError(f"The action '{name}' has not run or does not exist.")
        return self.latest[name]

    def _body(self, name: Json) -> Json:
        outputs = self._record(name).outputs
        return outputs.get("body") if isinstance(outputs, dict) and "body" in outputs else outputs

    def _variable(self, name: Json) -> Json:
        if name not in self.variables:
            raise ExpressionError(f"The variable '{name}' is not initialized.")
        return self.variables[name]

    def _parameter(self, name: Json) -> Json:
        if name not in self.definition.parameters:
            raise ExpressionError(f"The workflow parameter '{name}' is not found.")
        return self.definition.parameters[name]

    def _item(self, name: Json = None) -> Json:
        for loop, item in reversed(self.items):
            if name is None or loop == name:
                return item
        raise ExpressionError("There is no loop here whose item could be taken.")

    def _result(self, name: Json) -> Json:
        inner = [action.name for action in _inside(self.definition.actions, str(name))]
        return [as_value(self.latest[one]) for one in inner if one in self.latest]

    def _workflow(self) -> Json:
        self.is_volatile = True  # it tells the run's own name
        return dict(self.setting.workflow)

    def _utc_now(self, form: Json = None) -> Json:
        self.is_volatile = True
        return times.written(self.now, form or "o")

    def _guid(self) -> Json:
        self.is_volatile = True
        digits = f"{int(self.setting.draw(self.setting.run_id, 'guid', len(self.records)) * 16**12):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def _random(self, least: Json, most: Json) -> Json:
        self.is_volatile = True
        return int(least + self.setting.draw(self.setting.run_id, "rand", len(self.records)) * (most - least))

    # --- running -----------------------------------------------------------------------------------------

    def run(self) -> RunRecord:
        """Run to the end."""
        status, code, error = SUCCEEDED, None, None
        try:
            status = self._all(self.definition.actions)
            if status != SUCCEEDED:
                code, error = "ActionFailed", {**ACTION_FAILED, "messageTemplate": ACTION_FAILED["message"]}
        except TerminatedError as end:
            status, error = end.status, end.error
            code = "Terminated"
        except (TooLongError, RecursionError):
            status, code = FAILED, "WorkflowRunLimitExceeded"
            error = {"code": code, "message": f"The run executed more than {MOST_ACTIONS} actions."}
        return RunRecord(
            id=self.setting.run_id,
            started_at=self.setting.started_at,
            ended_at=self.now,
            status=status,
            code=code,
            error=error,
            trigger_name=self.definition.trigger.name,
            trigger_outputs=self.setting.trigger_outputs,
            actions=self.records,
            is_volatile=self.is_volatile,
            response=self.response,
        )

    def _all(self, actions: Sequence[Action]) -> str:
        """Run actions that stand side by side; gives the status of the whole."""
        done: dict[str, str] = {}
        for action in actions:
            unmet = next(
                (
                    (one, wanted)
                    for one, wanted in action.run_after.items()
                    if done[one].upper() not in wanted
                ),
                None,
            )
            done[action.name] = self._one(action) if unmet is None else self._skip(action, *unmet, done)
        return status_of(actions, done)

    def _one(self, action: Action) -> str:
        if len(self.records) >= MOST_ACTIONS:
            raise TooLongError
        started = self.now
        # Containers stand before what is inside them, in the list and for expressions.
        record = ActionRecord(
            name=action.name, status="Running", code="NotSpecified", started_at=started, ended_at=started,
            turn=list(self.turns), key=action.operation.key if action.operation else None,
        )  # fmt: skip
        self.records.append(record)
        self.latest[action.name] = record
        try:
            step = self._step(action)
        except ExpressionError as error:
            step = invalid_template(action.name, error)
        except (AttributeError, KeyError, TypeError, ValueError):
            # Definitions come from clients: what is not written as its type wants fails its action, not the sandbox.
            step = invalid_template(
                action.name, ExpressionError(f"it is not written as a '{action.type}' is")
            )
        self.now += step.took
        record.status, record.code, record.error = step.status, step.code, step.error
        record.inputs, record.outputs, record.ended_at = step.inputs, step.outputs, self.now
        if step.ends_run:
            raise TerminatedError(step.ends_run, step.error)
        return step.status

    def _step(self, action: Action) -> Step:
        containers: dict[str, Callable[[Action], Step]] = {
            "Scope": self._scope,
            "If": self._if,
            "Switch": self._switch,
            "Foreach": self._for_each,
            "Until": self._until,
        }
        if action.type in containers:
            return containers[action.type](action)
        if action.operation is not None:
            return self._operate(action, action.operation)
        return LEAVES.get(action.type, LEAVES["other"])(self, action)

    def evaluated(self, template: Json) -> Json:
        """A part of the definition with its expressions replaced."""
        return evaluate(template, self.references())

    def _operate(self, action: Action, operation: Operation) -> Step:
        evaluated = Operation(
            operation.key,
            operation.connector,
            operation.operation_id,
            self.evaluated(dict(operation.parameters)),
            operation.method,
            self.evaluated(operation.path),
            self.evaluated(dict(operation.queries)),
            self.evaluated(operation.body),
        )
        step = self.setting.operate(evaluated, evaluated.parameters, self.now)
        took = timedelta(milliseconds=120 + int(700 * self.setting.draw(action.name)))
        return step._replace(took=took)

    def _skip(self, action: Action, before: str, wanted: Iterable[str], done: Mapping[str, str]) -> str:
        expected = ", ".join(sorted(status.capitalize() for status in wanted))
        message = (
            f"The execution of template action '{action.name}' skipped: the 'runAfter' condition for action "
            f"'{before}' is not satisfied. Expected status values '{expected}' and actual value '{done[before]}'."
        )
        self._skipped(action, {"code": "ActionConditionFailed", "message": message})
        return SKIPPED

    def _skipped(self, action: Action, error: dict[str, Any]) -> None:
        record = ActionRecord(
            name=action.name, status=SKIPPED, code="ActionSkipped", started_at=self.now, ended_at=self.now,
            error=error, turn=list(self.turns), key=action.operation.key if action.operation else None,
        )  # fmt: skip
        self.records.append(record)
        self.latest[action.name] = record
        self._skip_branches(action.branches.values())

    def _skip_branches(self, branches: Iterable[Sequence[Action]]) -> None:
        for branch in branches:
            for action in branch:
                message = (
                    f"The execution of template action '{action.name}' skipped: the branching condition for this "
                    "action is not satisfied."
                )
                self._skipped(action, {"code": "ActionBranchingConditionNotSatisfied", "message": message})

    # --- containers --------------------------------------------------------------------------------------

    def _ended(self, status: str, inputs: Json = None) -> Step:
        error = None if status == SUCCEEDED else dict(ACTION_FAILED)
        return Step(status, "NotSpecified" if error is None else "ActionFailed", inputs=inputs, error=error)

    def _scope(self, action: Action) -> Step:
        return self._ended(self._all(action.branches["actions"]))

    def _if(self, action: Action) -> Step:
        is_true = holds(action.written.get("expression"), self.evaluated)
        taken, other = ("actions", "else") if is_true else ("else", "actions")
        status = self._all(action.branches[taken])
        self._skip_branches([action.branches[other]])
        return self._ended(status, {"expressionResult": is_true})

    def _switch(self, action: Action) -> Step:
        value = self.evaluated(action.written.get("expression"))
        cases = action.written.get("cases") or {}
        name = next(
            (f"case:{one}" for one, case in cases.items() if same(case.get("case"), value)), "default"
        )
        status = self._all(action.branches[name])
        self._skip_branches(inner for branch, inner in action.branches.items() if branch != name)
        return self._ended(status, {"expressionResult": value})

    def _for_each(self, action: Action) -> Step:
        over = self.evaluated(action.written.get("foreach"))
        if not isinstance(over, list):
            raise ExpressionError(
                "the result of the evaluation of 'foreach' expression must be a valid array"
            )
        statuses = set()
        for turn, item in enumerate(over):
            self.items.append((action.name, item))
            self.turns.append(turn)
            try:
                statuses.add(self._all(action.branches["actions"]))
            finally:
                self.items.pop()
                self.turns.pop()
        if not over:
            self._skip_branches(action.branches.values())
        return self._ended(SUCCEEDED if statuses <= {SUCCEEDED} else FAILED)

    def _until(self, action: Action) -> Step:
        limit = action.written.get("limit") or {}
        count = limit.get("count", UNTIL_COUNT)
        most = count if isinstance(count, int) and not isinstance(count, bool) else UNTIL_COUNT
        ends = self.now + (times.duration(limit.get("timeout")) or UNTIL_TIMEOUT)
        status = SUCCEEDED
        for turn in range(max(most, 1)):
            self.turns.append(turn)
            self.until_turns[action.name] = turn
            try:
                status = self._all(action.branches["actions"])
            finally:
                self.turns.pop()
            # A failing turn does not end the loop: only the condition and the limits do.
            if self.evaluated(action.written.get("expression")) is True:
                return self._ended(status)
            if self.now >= ends:
                error = {"code": "ActionTimedOut", "message": "The until loop reached its timeout."}
                return Step(TIMED_OUT, "ActionTimedOut", error=error)
        return self._ended(status)


def as_value(record: ActionRecord) -> dict[str, Json]:
    """An action as ``actions('name')`` gives it."""
    shown = {
        "name": record.name,
        "startTime": times.written(record.started_at),
        "endTime": times.written(record.ended_at),
        "status": record.status,
        "code": record.code,
        "inputs": record.inputs,
        "outputs": record.outputs,
    }
    return shown if record.error is None else {**shown, "error": record.error}


def invalid_template(name: str, error: ExpressionError) -> Step:
    """An action whose expressions cannot be evaluated."""
    message = (
        f"Unable to process template language expressions in action '{name}' inputs at line '0' and column '0': "
        f"'{error}'."
    )
    return Step(FAILED, "BadRequest", error={"code": "InvalidTemplate", "message": message})


def _inside(actions: Sequence[Action], name: str) -> Sequence[Action]:
    for action in actions:
        if action.name == name:
            return [inner for branch in action.branches.values() for inner in branch]
        for branch in action.branches.values():
            if found := _inside(branch, name):
                return found
    return []


def status_of(actions: Sequence[Action], done: Mapping[str, str]) -> str:
    """How actions side by side ended: by the last of each line; one that was skipped counts as those before it.

    Source: learn.microsoft.com/azure/logic-apps/error-exception-handling, "evaluate the leaf actions".
    """
    by_name = {action.name: action for action in actions}
    followed = {before for action in actions for before in action.run_after}
    ends = [action.name for action in actions if action.name not in followed]
    statuses = {status for name in ends for status in _effective(name, by_name, done)}
    if CANCELLED in statuses:
        return CANCELLED
    return SUCCEEDED if statuses <= {SUCCEEDED} else FAILED


def _effective(name: str, by_name: Mapping[str, Action], done: Mapping[str, str]) -> set[str]:
    seen: set[str] = set()
    statuses: set[str] = set()
    looking = [name]
    while looking:
        one = looking.pop()
        if one in seen:
            continue
        seen.add(one)
        if done[one] == SKIPPED and by_name[one].run_after:
            looking += by_name[one].run_after
        elif done[one] != SKIPPED:
            statuses.add(done[one])
    return statuses
