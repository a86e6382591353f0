"""Commands of the user's own, run before and after deeds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any


async def run_hook(command: Sequence[str], about: Mapping[str, Any], seconds: float) -> str:
    """Run the command with the deed as JSON on its standard input.

    No shell is involved: the words of the setting are the arguments.

    Args:
        seconds: how long it may take.

    Returns:
        Why it failed; empty where it ended with 0. Its own words go to our standard error and are kept
        nowhere: they may hold anything.
    """
    content = json.dumps(about, ensure_ascii=True).encode() + b"\n"
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=None,  # to ours: it says there why, and nothing of it is kept
        )
    except OSError as error:
        return f"the hook {command[0]!r} could not be started: {error.strerror or error}"
    try:
        async with asyncio.timeout(seconds):
            await process.communicate(content)
    except TimeoutError:
        process.kill()
        await process.wait()
        return f"the hook {command[0]!r} was still running after {seconds:g} seconds"
    except (BrokenPipeError, ConnectionResetError):
        await process.wait()  # it did not read what it was told, which is its own affair
    return "" if process.returncode == 0 else f"the hook {command[0]!r} ended with {process.returncode}"
