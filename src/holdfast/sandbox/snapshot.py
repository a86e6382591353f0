"""The state folder: one snapshot per scenario, locked while it is in use, written whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from holdfast.sandbox.certificates import Keys
from holdfast.sandbox.world import World

FORMAT = 1


class SandboxError(Exception):
    """The sandbox cannot start or keep its state; one sentence that says what to do."""


class SandboxGoneError(SandboxError):
    """Nobody answers at a sandbox's address."""


@dataclass(slots=True, kw_only=True)
class Saved:
    """All that outlives a restart. The clock stands still while nobody serves the world."""

    format: int
    shown: datetime
    keys: Keys
    world: World


def read(folder: Path, scenario: str) -> Saved | None:
    """The snapshot of a scenario, None where there is none.

    Raises:
        SandboxError: there is one that this version cannot read.
    """
    from pydantic import TypeAdapter, ValidationError

    place = folder / f"{scenario}.json"
    if not place.exists():
        return None
    try:
        saved = TypeAdapter(Saved).validate_json(place.read_bytes())
    except ValidationError:
        saved = None
    if saved is None or saved.format != FORMAT:
        raise SandboxError(
            f"{place} is not a sandbox snapshot that this version can read: remove it to start anew."
        )
    return saved


def write(folder: Path, saved: Saved) -> None:
    """Replace the snapshot of its scenario; a crash leaves the old one."""
    from pydantic import TypeAdapter

    write_whole(folder / f"{saved.world.scenario}.json", TypeAdapter(Saved).dump_json(saved))


def write_whole(place: Path, content: bytes) -> None:
    """Write a file, readable by its owner only, that nobody ever sees half."""
    draft = place.with_name(f".{place.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(place)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the state folder, made if need be.

    Raises:
        SandboxError: another process holds it, or it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = open(folder / "lock", "w")  # noqa: SIM115 - closed below, which frees the lock
    except OSError as error:
        raise SandboxError(f"The sandbox cannot keep its state in {folder}: {error.strerror}.") from None
    with file:
        if not _lock(file):
            raise SandboxError(
                f"Another holdfast is using the sandbox state in {folder}: wait for it to end."
            )
        yield


def _lock(file: IO[str]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
