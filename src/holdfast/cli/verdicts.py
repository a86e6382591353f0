"""Verdicts as JSON and as a person reads them on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from holdfast.cli.render import clean, put
from holdfast.cli.told import told
from holdfast.core.evidence import Evidence
from holdfast.core.verdict import NOT_CONNECTION, UNKNOWN, Remedy, Verdict
from holdfast.diagnosis.causes import BY_ID
from holdfast.diagnosis.pages import summary
from holdfast.diagnosis.questions import question

TITLES = {
    **{cause: module.CAUSE.title for cause, module in BY_ID.items()},
    UNKNOWN.id: UNKNOWN.title,
    NOT_CONNECTION.id: NOT_CONNECTION.title,
}
SUMMARIES = {
    UNKNOWN.id: "Nothing in the text tells which cause it is.",
    NOT_CONNECTION.id: "The text speaks of the flow, the query, the data or a licence, not of the connection.",
}
EVIDENCE_SHOWN = 4


def as_row(verdict: Verdict) -> dict[str, Any]:
    """The verdict as `-o json` and `-o jsonl` print it."""
    return {
        "cause": verdict.cause.id,
        "confidence": verdict.confidence,
        "alternatives": list(verdict.alternatives),
        "evidence": [
            {"kind": fact.kind.value, "code": fact.code, "quote": fact.quote} for fact in verdict.because
        ],
        "remedies": [remedy_row(remedy) for remedy in verdict.remedies],
    }


def remedy_row(remedy: Remedy) -> dict[str, Any]:
    """A remedy; `command` only where this holdfast has it."""
    command = known_command(remedy)
    return {
        "id": remedy.id,
        "who": remedy.who.value,
        "does": remedy.does,
        "can_holdfast": command is not None and remedy.can_holdfast,
        "command": command,
    }


def known_command(remedy: Remedy) -> str | None:
    """The command of a remedy, None where it has none or it is not in this version."""
    if remedy.command is None:
        return None
    from holdfast.cli.main import COMMANDS

    return remedy.command if remedy.command.split()[1] in COMMANDS else None


def show(verdict: Verdict) -> None:
    """What it is, why we think so, who does what, what else it could be."""
    is_known = verdict.cause is not UNKNOWN
    _print(None, [_heading(verdict), _summary(verdict)])
    if verdict.because:
        rows = [(clean(fact.code), _quote(fact)) for fact in verdict.because[:EVIDENCE_SHOWN]]
        _print("Because the text says" if is_known else "What was recognised", [_grid(rows)])
    if particulars := [pair for fact in verdict.because for pair in told(fact.details)]:
        _print("It also tells", [_grid([(heading, clean(value)) for heading, value in particulars], "dim")])
    if verdict.remedies:
        _print("What to do", [remedies_table(verdict.remedies)])
    if verdict.alternatives:
        rows = [(cause, TITLES[cause]) for cause in verdict.alternatives]
        _print("It could also be" if is_known else "It could be", [_grid(rows)])
    in_doubt = (verdict.cause.id, *verdict.alternatives) if is_known else verdict.alternatives
    if asked := question(in_doubt):
        _print("What would tell", [_grid([(asked.who.spoken, asked.asks)], "dim")])
    page = verdict.cause.id if verdict.cause.id in BY_ID else next(iter(verdict.alternatives), None)
    _print(None, [f"The whole page: holdfast causes {page}", ""] if page in BY_ID else [""])


def _print(heading: str | None, parts: list[Any]) -> None:
    from rich.text import Text

    click.echo()
    if heading:
        put(Text(heading, style="bold"))
    for part in parts:
        put(Text(part) if isinstance(part, str) else part)


def _grid(rows: Iterable[tuple[str, Any]], style: str = "cyan") -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=2)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for left, right in rows:
        table.add_row("", Text(left, style=style), Text(right) if isinstance(right, str) else right)
    return table


def _quote(fact: Evidence) -> Any:
    from rich.text import Text

    words = Text(f"“{clean(fact.quote)}”")
    words.highlight_words([fact.code], "bold", case_sensitive=False)
    return words


def _heading(verdict: Verdict) -> Any:
    from rich.text import Text

    style = "bold green" if verdict.cause is NOT_CONNECTION else "bold red"
    title = Text(verdict.cause.title, style="bold yellow" if verdict.cause is UNKNOWN else style)
    title.append(f"   {verdict.cause.id}", style="cyan")
    if verdict.cause is not UNKNOWN:
        title.append(f"   {surely(verdict.confidence)}", style="dim")
    return title


def surely(confidence: float) -> str:
    """A confidence in words and figures."""
    words = "sure" if confidence >= 0.9 else "likely" if confidence >= 0.7 else "perhaps"
    return f"{words}, {confidence:.0%}"


def _summary(verdict: Verdict) -> str:
    return SUMMARIES.get(verdict.cause.id) or summary(BY_ID[verdict.cause.id])


def remedies_table(remedies: tuple[Remedy, ...]) -> Any:
    """Who does what, with the command where holdfast has one."""
    from rich.text import Text

    rows = []
    for remedy in remedies:
        does = Text(remedy.does)
        if command := known_command(remedy):
            does.append(f"\n{command}", style="green")
        rows.append((remedy.who.spoken, does))
    return _grid(rows, style="dim")
