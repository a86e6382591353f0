"""From a command's options to a composed holdfast: the settings in effect, and a sandbox where one is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from holdfast.cli.options import Invocation
from holdfast.core.errors import SettingsError

if TYPE_CHECKING:
    from holdfast.compose import Holdfast
    from holdfast.settings import Settings


HABITS: Final = ("retention_days", "watch", "rotate", "alerts", "hooks", "sql_driver")
"""What a settings file says that holds for a sandbox too; its tenants, store and secrets are the sandbox's own."""


@contextmanager
def opened(invocation: Invocation) -> Iterator[Holdfast]:
    """A composed holdfast for one command; closed, and an embedded sandbox stopped, at the end.

    Raises:
        SettingsError: no usable settings, no such sandbox, no such tenant.
        StoreError: the store cannot be opened.
    """
    from holdfast.compose import compose

    with settings_of(invocation) as settings:
        if invocation.tenant is not None or not settings.tenants:
            settings.chosen(invocation.tenant)  # says what is missing before a store is made for it
        with compose(settings) as holdfast:
            yield holdfast


@contextmanager
def settings_of(invocation: Invocation) -> Iterator[Settings]:
    """The settings of the file and the environment, or those of a sandbox that runs meanwhile."""
    from holdfast.settings import load

    if invocation.sandbox is None:
        yield load(invocation.config, os.environ)
        return
    with _of_sandbox(invocation.sandbox) as found:
        yield _with_key(found if invocation.config is None else _habits(found, invocation.config))


def _habits(settings: Settings, config: Path) -> Settings:
    """The settings of a sandbox with what the named file says of habits: whom to tell, what to run before deeds.

    Raises:
        SettingsError: the file is missing, or what stands in it is wrong.
    """
    from holdfast.settings import load

    said = load(config, os.environ)
    origins = {key: at for key, at in said.origins.items() if key.partition(".")[0] in HABITS}
    taken: dict[str, Any] = {name: getattr(said, name) for name in HABITS}
    return settings.model_copy(update={**taken, "origins": {**settings.origins, **origins}})


@contextmanager
def _of_sandbox(sandbox: str) -> Iterator[Settings]:
    from holdfast.settings import from_ready

    if names_a_file(sandbox):
        yield from_ready(Path(sandbox), sandbox_folder("running"))
    else:
        from holdfast.sandbox import SandboxError, embedded

        folder = sandbox_folder(sandbox)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with embedded(sandbox, state=folder) as ready:
                yield from_ready(ready, folder)
        except SandboxError as error:
            raise SettingsError(str(error)) from None
        except BrokenPipeError:
            raise  # the reader of our output went away
        except OSError as error:
            raise SettingsError(
                f"The sandbox cannot keep its state in {folder}: {error.strerror or error}; HOLDFAST_STATE_DIR moves it."
            ) from None


def _with_key(settings: Settings) -> Settings:
    """The settings of a sandbox, once there is a key for its secrets. Raises SecretStoreError where it cannot lie there."""
    from holdfast.adapters.secrets.encrypted import new_key_file

    key = settings.secrets.key_file
    if key is not None and not key.exists():
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
