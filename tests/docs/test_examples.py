"""Every command line in the documentation is one that there is; the words of the product appear in it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from holdfast.cli.main import cli, with_scenario
from holdfast.core import errors

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def examples(page: Path) -> Iterator[list[str]]:
    """The words of every `$ … holdfast …` line in console blocks, up to what the shell does with them."""
    for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        for line in re.findall(r"^\$ (.*)$", block, re.MULTILINE):
            for part in re.split(r" \| | > | &$", line):
                words = shlex.split(part, comments=True)
                if words and words[0] == "holdfast":
                    yield words[1:]


LINES = [(page.name, words) for page in PAGES for words in examples(page)]


@pytest.mark.parametrize(
    ("page", "words"), LINES, ids=[f"{page}: {shlex.join(words)}" for page, words in LINES]
)
def test_an_example_is_a_command_with_options_that_there_are(page, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in re.findall(r"\S+\.(?:json|txt|zip)", shlex.join(words)):
        Path(name).write_text("{}")
    arguments = with_scenario(list(words))

    context: click.Context = click.Context(cli)
    command: click.Command | None = cli
    while isinstance(command, click.Group) and arguments and not arguments[0].startswith("-"):
        name, command, arguments = command.resolve_command(context, arguments)
        assert command is not None
        context = click.Context(command, parent=context, info_name=name)
    assert command is not None
    if command is not cli:
        command.make_context(command.name, arguments, parent=context.parent)


def test_the_first_hours_hold_examples():
    pages = {page for page, _ in LINES}

    assert {"first-hour-admin.md", "first-hour-maker.md", "first-hour-provider.md", "install.md"} <= pages


def test_every_exit_code_is_explained():
    said = (ROOT / "docs" / "exit-codes.md").read_text(encoding="utf-8")
    codes = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and hasattr(kind, "exit_code")
    }

    assert {int(code) for code in re.findall(r"^\| (\d+) \|", said, re.MULTILINE)} == codes | {0, 1, 130}


def test_every_link_between_pages_leads_somewhere():
    broken = [
        f"{page.name}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]

    assert broken == []


def test_every_page_is_reached_from_the_first_page_of_the_documentation():
    first = (ROOT / "docs" / "README.md").read_text()
    pages = [page.name for page in (ROOT / "docs").glob("*.md") if page.name != "README.md"]

    assert [page for page in pages if f"({page})" not in first] == []


def test_every_json_shape_is_described():
    said = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/holdfast/cli").rglob("*.py"))
    shapes = set(re.findall(r"\"(holdfast\.[a-z-]+/\d+)\"", code))

    assert len(shapes) > 15
    assert [shape for shape in sorted(shapes) if shape not in said] == []
