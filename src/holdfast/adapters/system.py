"""Real time, chance and ids: the only module that reads them, and the only one that may call POSIX alone."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import IO


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC)

    async def sleep_until(self, instant: datetime) -> None:
        """Sleep by the event loop; returns at once if `instant` has passed."""
        delay = (instant - self.now()).total_seconds()
        if delay > 0:
            await asyncio.sleep(delay)


def new_id() -> str:
    """A fresh random id, lower-case hex without dashes."""
    return uuid.uuid4().hex


def draw() -> float:
    """A number from 0 up to but not including 1."""
    return secrets.SystemRandom().random()


def make_private_folder(folder: Path) -> None:
    """Make the folder, and those above it, for this user alone; an existing one is left as it is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def make_private_file(file: Path) -> None:
    """Make sure that the file exists and that only this user may read it, before anything is in it.

    On Windows the folder's own list of rights decides; a profile folder is private there.
    """
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    if os.name == "posix" and file.stat().st_mode & 0o077:
        file.chmod(0o600)


def lock_file(file: IO[bytes], *, wait: bool = False) -> bool:
    """Hold the file against other processes until it is closed or this process ends; False if another does.

    Args:
        wait: until the other lets go (on Windows ten seconds), for holders that are done in a moment.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
