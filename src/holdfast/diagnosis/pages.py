"""The knowledge base as pages: each cause's docstring, in sections."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Final, NamedTuple

from holdfast.core.verdict import Remedy
from holdfast.diagnosis.causes import BY_ID

HEADINGS: Final = ("What you see", "Why", "How we know", "What to do", "What will not help", "Source")
"""Every page has all of them, in this order."""


class Block(NamedTuple):
    """A paragraph on one line, or commands as they are typed."""

    text: str
    is_code: bool = False


class Section(NamedTuple):
    """One heading and what stands under it."""

    heading: str
    blocks: tuple[Block, ...]


class Page(NamedTuple):
    """One cause, for people."""

    id: str
    title: str
    summary: str
    sections: tuple[Section, ...]
    remedies: tuple[Remedy, ...]


def page(cause: str) -> Page:
    """The page of a cause.

    Raises:
        KeyError: there is no such cause.
    """
    module = BY_ID[cause]
    summary, _, body = inspect.cleandoc(module.__doc__ or "").partition("\n")
    return Page(cause, module.CAUSE.title, summary, tuple(_sections(body.splitlines())), module.REMEDIES)


def pages() -> Iterator[Page]:
    """All of them, in the order of the list."""
    return (page(cause) for cause in BY_ID)


def summary(module: ModuleType) -> str:
    """The first sentence of a page."""
    return (module.__doc__ or "").partition("\n")[0]


def _sections(lines: list[str]) -> Iterator[Section]:
    heading, held = "", list[str]()
    for line in [*lines, f"{HEADINGS[0]}: "]:
        first, colon, rest = line.partition(": ")
        if first in HEADINGS and (colon or line.endswith(":")):
            if heading:
                yield Section(heading, tuple(_blocks(held)))
            heading = first
            held = [rest if first == "Source" else rest[:1].upper() + rest[1:]]
        else:
            held.append(line)


def _blocks(lines: list[str]) -> Iterator[Block]:
    words: list[str] = []
    code: list[str] = []
    for line in [*lines, ""]:
        if line.startswith("        "):
            code.append(line[8:])
            continue
        if code:
            yield from _paragraph(words)
            yield Block("\n".join(code), is_code=True)
            words, code = [], []
        words.append(line.strip())
    yield from _paragraph(words)


def _paragraph(words: list[str]) -> Iterator[Block]:
    if text := " ".join(word for word in words if word):
        yield Block(text)


def to_markdown(shown: Page) -> str:
    """The page as docs/causes/ID.md holds it."""
    lines = [f"# {shown.title}", "", f"`{shown.id}`", "", shown.summary, ""]
    for section in shown.sections:
        lines += [f"## {section.heading}", ""]
        for block in section.blocks:
            lines += ["```", block.text, "```", ""] if block.is_code else [_escaped(block.text), ""]
        if section.heading == "What to do":
            lines += [_remedy_line(remedy) for remedy in shown.remedies]
            lines.append("")
    return "\n".join(lines)


def _remedy_line(remedy: Remedy) -> str:
    command = f" `{remedy.command}`" if remedy.command else ""
    return f"- **{remedy.who.spoken}:** {_escaped(remedy.does)}{command}"


def _escaped(text: str) -> str:
    return "".join("\\" + character if character in "<*" else character for character in text)
