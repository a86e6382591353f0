"""What `doctor` looks at on this machine; nothing is written."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from holdfast.cli.times import length
from holdfast.core.errors import SecretStoreError, SettingsError, StoreError

if TYPE_CHECKING:
    from holdfast.ports import SecretStore
    from holdfast.settings import Settings

SKEW_LIMIT = timedelta(minutes=5)
"""A sign-in with a certificate states when it was made; Entra advises five to ten minutes of life
(entra-docs certificate-credentials @07bd829)."""


NEVER_KEPT = "asked by doctor"


class Check(NamedTuple):
    """One thing that was looked at.

    Attributes:
        outcome: "ok", "finding" or, for what only informs, "note".
        what: what was found, in one sentence or a value.
    """

    name: str
    outcome: str
    what: str


def machine(settings: Settings, environ: Mapping[str, str]) -> Iterator[Check]:
    """What can be told without asking the cloud."""
    yield Check("settings", "note", str(settings.source or "no settings file; environment or sandbox"))
    yield state_folder(settings.state_dir)
    yield store(settings, environ)
    yield secret_store(settings)
    if settings.secrets.key_file is not None:
        yield key_file(settings.secrets.key_file)
    yield proxy(environ)


def state_folder(folder: Path) -> Check:
    """Whether what holdfast learns can be kept."""
    if folder.exists() and not folder.is_dir():
        return Check("state folder", "finding", f"{folder} is a file: name a folder as state_dir")
    if not folder.exists():
        return Check("state folder", "note", f"{folder} will be made by the first scan")
    if not os.access(folder, os.W_OK):
        return Check("state folder", "finding", f"{folder} may not be written: give yourself the right to")
    return Check("state folder", "ok", str(folder))


def store(settings: Settings, environ: Mapping[str, str]) -> Check:
    """How far the store is."""
    from holdfast.adapters.store.looking import look
    from holdfast.compose import store_place

    try:
        standing = look(store_place(settings, environ))
    except (StoreError, SecretStoreError, SettingsError) as error:
        return Check("store", "finding", str(error))
    if standing.is_newer:
        said = (
            f"revision {standing.revision} was written by a newer holdfast; this one knows {standing.newest}"
        )
        return Check("store", "finding", said)
    if standing.revision is None:
        return Check("store", "note", "empty: nothing was scanned yet")
    behind = (
        "" if standing.revision == standing.newest else f"; the next command brings it to {standing.newest}"
    )
    return Check("store", "ok", f"revision {standing.revision}{behind}")


def secret_store(settings: Settings) -> Check:
    """Whether secrets can be read where new ones go, and as far as can be told without writing, written."""
    import asyncio

    from holdfast.compose import secret_stores

    kind = settings.secrets.store
    try:
        kept = asyncio.run(_looked(secret_stores(settings)[kind], kind))
    except (SecretStoreError, SettingsError) as error:
        needed = kind == "keyvault" or any(_refers_to(settings, kind))
        return Check("secret store", "finding" if needed else "note", str(error))
    vault = f" at {settings.secrets.vault.url}" if kind == "keyvault" and settings.secrets.vault else ""
    return Check("secret store", "ok", f"{kind}{vault}, {kept} kept")


async def _looked(store: SecretStore, kind: str) -> int:
    """How many it keeps. In a vault each deed has a right of its own: a name that is never there shows whether we have it."""
    kept = len(await store.names())
    if kind == "keyvault":
        await store.read(NEVER_KEPT)
        await store.delete(NEVER_KEPT)
    return kept


def _refers_to(settings: Settings, kind: str) -> Iterator[bool]:
    """For each identity of the settings, whether it needs that store."""
    from holdfast.core.identity import Role
    from holdfast.core.secret import SecretReference

    for tenant in settings.tenants.values():
        for identity in filter(None, (tenant.identity(role) for role in Role)):
            named = (identity.secret, identity.certificate_password)
            yield identity.sign_in or any(isinstance(r, SecretReference) and r.kind == kind for r in named)


def key_file(file: Path) -> Check:
    """Whether others on this machine may read the key. Mounted files of containers often have wide rights."""
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
    except OSError as error:
        return Check("key file", "finding", f"{file} cannot be read: {error.strerror}")
    if os.name == "posix" and mode & 0o077:
        return Check("key file", "finding", f"{file} may be read by others (mode {mode:o}): chmod 600")
    return Check("key file", "ok", str(file))


def proxy(environ: Mapping[str, str]) -> Check:
    """Through which proxy the cloud is asked; never with its password."""
    from holdfast.adapters.cloud.network import refuse_odd_proxies

    names = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
    named = next((environ[name] for name in names if environ.get(name)), None)
    if named is None:
        return Check("proxy", "note", "none in the environment")
    try:
        refuse_odd_proxies({"https": named})
    except SettingsError as error:
        return Check("proxy", "finding", str(error))
    host = urlsplit(named if "//" in named else f"//{named}")
    past = environ.get("NO_PROXY") or environ.get("no_proxy")
    return Check(
        "proxy", "note", f"{host.hostname}:{host.port or 80}" + (f", not for {past}" if past else "")
    )


def clock(skew: timedelta | None) -> Check:
    """How far this machine's clock is from the cloud's; None where no answer came."""
    if skew is None:
        return Check("clock", "note", "not compared: no answer of the cloud told its time")
    seconds = round(skew.total_seconds())
    far = f"{abs(seconds)} s" if abs(seconds) < 120 else length(skew)
    words = f"{far} {'behind' if seconds > 0 else 'ahead of'} the cloud"
    if abs(skew) > SKEW_LIMIT:
        return Check("clock", "finding", f"{words}: sign-ins with certificates fail; set the clock")
    return Check("clock", "ok", words)


def trust(ca_file: Path | None) -> Check:
    """Whose certificates are believed."""
    return Check("trust", "note", f"only {ca_file}" if ca_file else "the operating system's certificates")


def hosts(foreign: tuple[str, ...]) -> Check:
    """Hosts outside the shipped lists, to which tokens go by leave of the settings."""
    if not foreign:
        return Check("hosts", "ok", "all within the shipped lists")
    return Check("hosts", "note", f"outside the shipped lists by allow_custom_hosts: {', '.join(foreign)}")
