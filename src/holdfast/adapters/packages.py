"""Reads the files that people hand us: JSON as it lies, and the flows inside solution and flow packages."""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

LARGEST_FILE: Final = 64 * 2**20
LARGEST_PACKAGE: Final = 512 * 2**20
MOST_MEMBERS: Final = 20_000
HIGHEST_RATIO: Final = 400
"""What strangers' packages may cost us: bytes of a file, bytes of all that is read, members, and how many
times larger a member may be than its compressed form. Real flow definitions shrink to a tenth or so."""

# In a solution Workflows/NAME-GUID.json, in a flow package Microsoft.Flow/flows/GUID/definition.json.
_FLOW: Final = re.compile(
    r"(?:.*/)?(?:workflows/[^/]+\.json|microsoft\.flow/flows/[^/]+/definition\.json|[^/]*workflow\.json)",
    re.IGNORECASE,
)


class Found(NamedTuple):
    """A document, or why there is none."""

    name: str
    document: Any = None
    error: str | None = None


def documents(file: Path) -> Iterator[Found]:
    """The JSON documents of one file; those of a package by their names inside it. Raises nothing."""
    name = str(file)
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            if zipfile.is_zipfile(stream):
                yield from _members(name, stream)
            elif size > LARGEST_FILE:
                yield Found(name, error=_too_large(size))
            else:
                stream.seek(0)
                yield _parsed(name, stream.read(LARGEST_FILE + 1))
    except OSError as error:
        yield Found(name, error=f"It cannot be read: {error.strerror or error}.")


def _members(name: str, stream: Any) -> Iterator[Found]:
    try:
        with zipfile.ZipFile(stream) as package:
            members = package.infolist()
            if len(members) > MOST_MEMBERS:
                yield Found(
                    name, error=f"It has {len(members)} members; more than {MOST_MEMBERS} are not read."
                )
                return
            flows = [member for member in members if _FLOW.fullmatch(member.filename)]
            if not flows:
                yield Found(name, error="It is a package without flows.")
            total = 0
            for member in flows:
                found, size = _member(package, member, f"{name}/{member.filename}")
                yield found
                total += size
                if total > LARGEST_PACKAGE:
                    yield Found(
                        name, error=f"Its flows have more than {LARGEST_PACKAGE} bytes; the rest is not read."
                    )
                    return
    except zipfile.BadZipFile:
        yield Found(name, error="It is a damaged package.")


def _member(package: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> tuple[Found, int]:
    if member.file_size > LARGEST_FILE:
        return Found(name, error=_too_large(member.file_size)), 0
    if member.file_size > HIGHEST_RATIO * max(1, member.compress_size):
        return Found(name, error="It grows suspiciously when unpacked; it is not read."), 0
    try:
        with package.open(member) as stream:
            # What the directory says of its size may be a lie.
            content = stream.read(LARGEST_FILE + 1)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError):
        return Found(name, error="It is damaged, encrypted or packed in a way that is not known."), 0
    return _parsed(name, content), len(content)


def _parsed(name: str, content: bytes) -> Found:
    if len(content) > LARGEST_FILE:
        return Found(name, error=_too_large(len(content)))
    try:
        return Found(name, json.loads(content))
    except RecursionError:
        return Found(name, error="It is nested too deeply.")
    except UnicodeDecodeError:
        return Found(name, error="It is neither a package nor text.")
    except ValueError as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        return Found(name, error=f"It is not JSON: {str(error).partition(':')[0]}{where}.")


def _too_large(size: int) -> str:
    return f"It has {size} bytes; more than {LARGEST_FILE} are not read."
