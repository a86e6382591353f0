"""The control port of a sandbox for one command: of one that runs, or of an embedded one that runs meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli.options import Invocation
from holdfast.cli.session import names_a_file, sandbox_folder
from holdfast.core.errors import SettingsError, UnreachableError

if TYPE_CHECKING:
    from holdfast.sandbox.steering import Steering


@contextmanager
def control_port(invocation: Invocation) -> Iterator[Steering]:
    """Of the ready file given with --sandbox, else of the embedded sandbox of that name, `story` unless named.

    Raises:
        SettingsError: no such sandbox, or it refused and said why.
        UnreachableError: the sandbox of the ready file is gone.
    """
    from holdfast.sandbox import SandboxError, embedded
    from holdfast.sandbox.snapshot import SandboxGoneError
    from holdfast.sandbox.steering import Steering

    named = invocation.sandbox or "story"
    try:
        if names_a_file(named):
            yield Steering(_address(Path(named)))
        else:
            with embedded(named, state=sandbox_folder(named)) as ready:
                yield Steering(ready["control"])
    except SandboxGoneError as error:
        raise UnreachableError(str(error), "sandbox", "control") from None
    except SandboxError as error:
        raise SettingsError(str(error)) from None


def _address(ready_file: Path) -> str:
    try:
        return str(json.loads(ready_file.read_text(encoding="utf-8"))["control"])
    except OSError as error:
        raise SettingsError(f"There is no running sandbox at {ready_file}: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        raise SettingsError(f"{ready_file} is no ready file of `holdfast sandbox up`.") from None
