"""The page of the layout, from the import contracts and what the packages say of themselves."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "holdfast"

INTRODUCTION = """\
# How the code is laid out

Nouns in the middle, knowledge around them, verbs outside, the world at the edge. Made by `make docs` from the import contracts in
`pyproject.toml` and the docstrings of the packages; the contracts fail `make check` with the whole path of a wrong import.

## Two ways through it

`holdfast status`: `cli/commands/status.py` asks `cli/session.py` for what `compose` wires by the settings; `scan/standing.py` reads the
last scan from the store (`adapters/store`), whose pages `scan/judging.py` had judged by `diagnosis` as they came; the command prints.
The cloud is not asked.

`holdfast migrate apply`: the plan, made by `migration/plan.py` from plain values, is read back; `compose/verbs.py` binds its steps
(`migration/steps.py`) to the tenant; `saga.py` notes each step in the journal, does it, and undoes what cannot be finished. A step
knows `ports` only; behind them `adapters/cloud` makes the calls that `wire/making` lists, through one door, `transport.py`.

## Who may know whom

Each line may import those below it. Names side by side do not know each other.

"""


def page() -> str:
    """The layers, the rules, and every package with its own first sentence."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = _layers(contracts)
    lines = ["```text", *layers, "```", "", "Beside that:", ""]
    lines += [f"- {each['name']}." for each in contracts if each["type"] != "layers"]
    lines += ["", "## What is where", "", "| Place | What it is |", "| --- | --- |"]
    for name in (word for layer in layers for word in layer.split(" | ")):
        lines += [f"| `{where}` | {says} |" for where, says in _places(SOURCE / name)]
    return INTRODUCTION + "\n".join(lines) + "\n"


def _layers(contracts: list[dict[str, Any]]) -> list[str]:
    """The layers as far as they are there: a name in brackets may be absent."""
    layers = next(each["layers"] for each in contracts if each["type"] == "layers")
    names = [[word.strip(" ()") for word in layer.split("|")] for layer in layers]
    return [" | ".join(word for word in layer if _is_there(SOURCE / word)) for layer in names]


def _is_there(place: Path) -> bool:
    return place.is_dir() or place.with_suffix(".py").exists()


def _places(place: Path) -> Iterator[tuple[str, str]]:
    """The module or package, and the packages in it."""
    if not place.is_dir():
        yield f"{place.name}.py", _says(place.with_suffix(".py"))
        return
    for file in sorted(place.rglob("__init__.py")):
        yield f"{file.parent.relative_to(SOURCE).as_posix()}/", _says(file)


def _says(file: Path) -> str:
    """The first paragraph of its docstring."""
    told = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return " ".join(told.partition("\n\n")[0].split()).replace("|", "\\|")
