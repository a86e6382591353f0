"""`make docs`: write the pages under docs/ that are made from the code. `--check` only compares.

A page is one function here that returns Markdown; the test in tests/docs fails when a page on disk is another.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"


def facts() -> str:
    """Every limit of the platform that holdfast reckons with."""
    from holdfast.core.facts import FACTS

    lines = [
        "# Limits of the platform",
        "",
        "What holdfast reckons with, how well each is supported, and where it was read. Made from",
        "`src/holdfast/core/facts.py` by `make docs`.",
        "",
        "| Fact | Value | In words | Support | Source | Read |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for fact in FACTS:
        cells = (f"`{fact.name}`", in_words(fact.value), fact.says, fact.support, fact.source, fact.read_on)
        lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def in_words(value: object) -> str:
    """A length as people say it; anything else as it is."""
    if isinstance(value, timedelta):
        for unit, seconds in (("days", 86400), ("hours", 3600), ("minutes", 60)):
            if value.total_seconds() % seconds == 0:
                return f"{value.total_seconds() / seconds:.0f} {unit}"
        return f"{value.total_seconds():g} seconds"
    return str(value)


def commands() -> str:
    """Every command with its own help."""
    import click

    from holdfast.cli.main import COMMANDS, cli

    lines = ["# Commands", "", "What `holdfast COMMAND --help` prints. Made by `make docs`.", ""]
    context = click.Context(cli, info_name="holdfast", **cli.context_settings)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        if command is not None:
            lines += [f"## {name}", "", *_help(command, context, name), ""]
    return "\n".join(lines)


def _help(command: object, context: object, name: str) -> list[str]:
    import click

    assert isinstance(command, click.Command)
    assert isinstance(context, click.Context)
    inner = click.Context(command, info_name=name, parent=context, max_content_width=100)
    text = ["```text", *command.get_help(inner).rstrip().splitlines(), "```"]
    if isinstance(command, click.Group):
        for sub, subcommand in sorted(command.commands.items()):
            text += ["", f"### {name} {sub}", "", *_help(subcommand, inner, sub)]
    return text


def permissions() -> str:
    """What each role needs, and what it is for: from the ledger."""
    from holdfast.compose import ledger
    from holdfast.core.identity import Role

    lines = [
        "# Permissions",
        "",
        "What each of holdfast's identities needs, and what it unlocks. Made from the ledger of cloud calls by",
        "`make docs`; `holdfast ledger` prints every call, `holdfast init --print-setup` the commands that grant these,",
        "and `holdfast doctor` tells which of them your identities have.",
    ]
    rows = list(ledger())
    for role in Role:
        mine = [row for row in rows if role.value in row["roles"]]
        lines += ["", f"## {role.value}", "", *_permission_table(mine)]
    vault = [row for row in rows if "vault" in row["roles"]]
    lines += [
        "",
        "## The key vault's identity",
        "",
        "`[secrets.vault.identity]`, where secrets lie in an Azure key vault: one Azure role, and nothing in Entra or Power Platform.",
        "",
        *_permission_table(vault),
    ]
    return "\n".join(lines) + "\n"


def _permission_table(rows: list[dict[str, Any]]) -> list[str]:
    """A row per permission; what needs none comes last."""
    lines = ["| Permission | Unlocks | Calls | Support |", "| --- | --- | --- | --- |"]
    for permission in sorted({row["needs"] for row in rows}, key=lambda words: (words == "nothing", words)):
        asked = [row for row in rows if row["needs"] == permission]
        unlocks = "; ".join(dict.fromkeys(row["unlocks"] for row in asked))
        calls = ", ".join(f"`{row['id']}`{' (writes)' if row['writes'] else ''}" for row in asked)
        support = ", ".join(sorted({row["support"] for row in asked}))
        lines.append(f"| {permission} | {unlocks} | {calls} | {support} |")
    return lines


def privacy() -> str:
    """What is kept, from the store's tables."""
    from tools.privacy import page

    return page()


def parity() -> str:
    """What the sandbox believes about the cloud, from its rules."""
    from tools.parity import page

    return page()


def layout() -> str:
    """How the code is laid out, from the import contracts and the packages."""
    from tools.layout import page

    return page()


def settings() -> str:
    """Every setting, from the models that read them."""
    from tools.settings_page import page

    return page()


def causes() -> str:
    """The list of causes, each leading to its page."""
    from holdfast.diagnosis.pages import pages

    lines = [
        "# Why connections break",
        "",
        "The knowledge base of `holdfast causes`. Made by `make docs`.",
        "",
    ]
    lines += ["| Cause | What it is |", "| --- | --- |"]
    lines += [f"| [{page.title}]({page.id}.md) | {page.summary} |" for page in pages()]
    return "\n".join(lines) + "\n"


def cause(id: str) -> str:
    """One page of the knowledge base."""
    from holdfast.diagnosis.pages import page, to_markdown

    return to_markdown(page(id))


def cause_pages() -> dict[str, Callable[[], str]]:
    """File name to page, for every cause."""
    from holdfast.diagnosis.causes import BY_ID

    return {f"causes/{id}.md": partial(cause, id) for id in BY_ID}


PAGES: dict[str, Callable[[], str]] = {
    "sandbox-parity.md": parity,
    "facts.md": facts,
    "permissions.md": permissions,
    "privacy.md": privacy,
    "layout.md": layout,
    "settings.md": settings,
    "commands.md": commands,
    "causes/README.md": causes,
    **cause_pages(),
}


def stale() -> list[str]:
    """Names of the pages whose file is not what the code says."""
    return [name for name, page in PAGES.items() if not _same(DOCS / name, page())]


def _same(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` name the stale ones and exit 1."""
    if "--check" in arguments:
        names = stale()
        print("\n".join(f"stale: docs/{name}" for name in names) or "docs are current")
        return 1 if names else 0
    for name, page in PAGES.items():
        path = DOCS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
