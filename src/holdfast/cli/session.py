"""From a command's options to a composed holdfast: the settings in effect, and a sandbox where one is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli.options import Invocation
from holdfast.core.errors import SettingsError

if TYPE_CHECKING:
    from holdfast.compose import Holdfast
    from holdfast.settings import Settings


@contextmanager
def opened(invocation: Invocation) -> Iterator[Holdfast]:
    """A composed holdfast for one command; closed, and an embedded sandbox stopped, at the end.

    Raises:
        SettingsError: no usable settings, no such sandbox.
        StoreError: the store cannot be opened.
    """
    from holdfast.compose import compose

    with settings_of(invocation) as settings, compose(settings) as holdfast:
        yield holdfast


@contextmanager
def settings_of(invocation: Invocation) -> Iterator[Settings]:
    """The settings of the file and the environment, or those of a sandbox that runs meanwhile."""
    from holdfast.settings import from_ready, load

    if invocation.sandbox is None:
        yield load(invocation.config, os.environ)
    elif names_a_file(invocation.sandbox):
        yield _with_key(from_ready(Path(invocation.sandbox), sandbox_folder("running")))
    else:
        from holdfast.sandbox import SandboxError, embedded

        folder = sandbox_folder(invocation.sandbox)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with embedded(invocation.sandbox, state=folder) as ready:
                yield _with_key(from_ready(ready, folder))
        except SandboxError as error:
            raise SettingsError(str(error)) from None
        except BrokenPipeError:
            raise  # the reader of our output went away
        except OSError as error:
            raise SettingsError(
                f"The sandbox cannot keep its state in {folder}: {error.strerror or error}; HOLDFAST_STATE_DIR moves it."
            ) from None


def _with_key(settings: Settings) -> Settings:
    """The settings of a sandbox, once there is a key for its secrets."""
    from holdfast.adapters.secrets.encrypted import new_key_file

    key = settings.secrets.key_file
    if key is not None and not key.exists():
        key.parent.mkdir(parents=True, exist_ok=True)
        new_key_file(key)
    return settings


def names_a_file(sandbox: str) -> bool:
    """Whether the value of --sandbox is a ready file rather than a scenario."""
    return sandbox.endswith(".json") or os.sep in sandbox or Path(sandbox).is_file()


def sandbox_folder(name: str) -> Path:
    """Where a sandbox of that name and what holdfast learns of it are kept.

    Raises:
        SettingsError: the name is no plain word.
    """
    import platformdirs

    if not name.replace("-", "").replace("_", "").isalnum():
        raise SettingsError(
            f"--sandbox={name!r} is no scenario: give a name such as `story`, or a ready file."
        )
    moved = os.environ.get("HOLDFAST_STATE_DIR")
    state = Path(moved) if moved else platformdirs.user_state_path("holdfast", appauthor=False)
    return state / "sandbox" / name
