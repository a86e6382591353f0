"""What holdfast keeps on this machine, and in the database of the settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from holdfast.settings import Settings


class Kept(NamedTuple):
    """One thing that holdfast keeps.

    Attributes:
        where: a path, a database, or the reference of a secret.
        size: bytes; None for what lies in a keyring.
    """

    kind: str
    where: str
    size: int | None


def files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Files and folders in the state folder that holdfast made, and no others."""
    from holdfast.compose import STORE_NAME
    from holdfast.compose.work import ENGINE_NAME

    folder = settings.state_dir
    for path in sorted(folder.glob(f"{ENGINE_NAME}*")):
        yield "engine", path
    for path in sorted(folder.glob(f"{STORE_NAME}*")):
        yield ("a copy before an upgrade" if ".before-" in path.name else "store"), path
    for path in sorted(settings.secrets_file.parent.glob(f"{settings.secrets_file.name}*")):
        yield "encrypted secrets", path
    if (folder / "sandbox").is_dir():
        yield "sandbox", folder / "sandbox"


def copies(settings: Settings) -> list[Path]:
    """Copies of older stores."""
    return [path for kind, path in files(settings) if kind.startswith("a copy")]


def kept(settings: Settings) -> Iterator[Kept]:
    """All of it, the entries in the keyring included where there is one.

    Raises:
        StoreError: the database of the settings cannot be asked.
    """
    from contextlib import closing

    from holdfast.compose import remains

    if (server := remains(settings)) is not None:
        with closing(server):
            if (size := server.size()) is not None:
                yield Kept("tables of the store", server.name, size)
    for kind, path in files(settings):
        yield Kept(kind, str(path), _size(path))
    for name in keyring_names(settings):
        yield Kept("secret", f"keyring:{name}", None)


def keyring_names(settings: Settings) -> tuple[str, ...]:
    """What lies in the keyring; nothing where there is none."""
    import asyncio

    from holdfast.compose import secret_stores
    from holdfast.core.errors import SecretStoreError

    try:
        return asyncio.run(secret_stores(settings)["keyring"].names())
    except SecretStoreError:
        return ()


def _size(path: Path) -> int:
    inner = path.rglob("*") if path.is_dir() else [path]
    return sum(each.stat().st_size for each in inner if each.is_file())
