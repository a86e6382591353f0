"""Starts a tenant in this process: state in, sockets, thread, ready mapping; state out at the end."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from holdfast.sandbox import control
from holdfast.sandbox.certificates import make_keys, server_pem, still_good
from holdfast.sandbox.clock import Clock, wall
from holdfast.sandbox.parts import PARTS
from holdfast.sandbox.ready import ready_bytes, ready_mapping
from holdfast.sandbox.scenarios.named import build
from holdfast.sandbox.server import App, Sockets, served
from holdfast.sandbox.snapshot import FORMAT, SandboxError, Saved, locked, read, write, write_whole
from holdfast.sandbox.tds.server import SqlListener
from holdfast.sandbox.tenant import Host, Tenant

DEFAULT_SEED = 1
SQL = "sql"
HOSTS = (*(host.value for host in Host), SQL)
"""The kinds of host that can be given a fixed port."""


@contextmanager
def embedded(
    scenario: str = "story",
    *,
    seed: int | None = None,
    state: Path | None = None,
    frozen: bool = False,
    born_at: datetime | None = None,
    ports: Mapping[str, int] | None = None,
    ready_file: Path | None = None,
) -> Iterator[dict[str, Any]]:
    """A running sandbox tenant; gives its ready mapping (design section 3) and stops it at the end.

    Args:
        seed: None takes the seed of the kept state, else 1.
        state: folder that keeps the tenant between runs, locked meanwhile; None forgets everything.
        frozen: the clock stands still unless advanced.
        born_at: what the clock shows at first, where no kept state says it; aware, UTC. None is now.
        ports: fixed ports by kind of host ("authority", "graph", …, "control"); others are free ones.
        ready_file: written whole when the tenant answers, removed at the end.

    Raises:
        SandboxError: unknown scenario, state in use or unreadable, a port taken.
    """
    with tempfile.TemporaryDirectory(prefix="holdfast-sandbox-") as scratch:
        folder = state or Path(scratch)
        with locked(folder):
            run = _Run(_begin(folder, scenario, seed, born_at), folder, frozen, ready_file)
            try:
                with run.serving(ports or {}) as ready:
                    yield ready
            finally:
                if state is not None:
                    run.keep()


def _begin(folder: Path, scenario: str, seed: int | None, born_at: datetime | None) -> Saved:
    saved = read(folder, scenario)
    if saved is not None and seed not in (None, saved.world.seed):
        raise SandboxError(
            f"{folder} keeps {scenario} with seed {saved.world.seed}, not {seed}: choose another folder or remove it."
        )
    now = wall()
    if saved is not None:
        keys = saved.keys if still_good(saved.keys, now) else make_keys(now)
        return Saved(format=FORMAT, shown=saved.shown, keys=keys, world=saved.world)
    try:
        world = build(scenario, DEFAULT_SEED if seed is None else seed, born_at or now)
    except LookupError as error:
        raise SandboxError(str(error.args[0])) from None
    return Saved(format=FORMAT, shown=world.settled_at, keys=make_keys(now), world=world)


@dataclass(slots=True)
class _Run:
    saved: Saved
    folder: Path
    frozen: bool
    ready_file: Path | None
    tenant: Tenant | None = None
    sql: SqlListener | None = None

    @contextmanager
    def serving(self, ports: Mapping[str, int]) -> Iterator[dict[str, Any]]:
        try:
            by_host = {Host(name): port for name, port in ports.items() if name != SQL}
            sockets = Sockets(by_host, ports.get(SQL, 0))
        except OSError as error:
            raise SandboxError(
                f"The sandbox cannot listen on the port it was given: {error.strerror}."
            ) from None
        server_file = self.folder / ".server.pem"  # the folder is ours: it is locked
        write_whole(server_file, server_pem(self.saved.keys, wall()).encode())
        write_whole(self._ca_file, self.saved.keys.ca_certificate.encode())
        agenda = tuple(source for part in PARTS for source in part.agenda)
        clock = Clock(self.saved.shown, frozen=self.frozen)
        self.tenant = Tenant(self.saved.world, clock, self.saved.keys, sockets.urls(), agenda)
        app = App(self.tenant, (*PARTS, control.part(PARTS, self.reset)), sockets.host_of_port)
        self.sql = SqlListener(self.tenant, server_file, sockets.sql)
        try:
            with served(app, sockets, server_file, self.sql):
                yield self.publish()
        finally:
            server_file.unlink(missing_ok=True)
            if self.ready_file is not None:
                with suppress(OSError):  # where it could not be written either, that was the error
                    self.ready_file.unlink(missing_ok=True)

    @property
    def _ca_file(self) -> Path:
        return self.folder / "ca.pem"

    def reset(self, scenario: str, seed: int) -> Mapping[str, Any]:
        """Begin again; called by the control port. Raises LookupError for an unknown scenario."""
        world = build(scenario, seed, wall())
        if self.tenant is not None:
            self.tenant.load(world, Clock(world.settled_at, frozen=self.frozen))
        if self.sql is not None:
            self.sql.cut()  # their sessions are in databases of the world that is gone
        return self.publish()

    def publish(self) -> dict[str, Any]:
        """The ready mapping as of now, written to the ready file too."""
        if self.tenant is None:
            raise RuntimeError("nothing is served")
        if self.sql is not None:
            self.sql.follow()
        ready = ready_mapping(self.tenant, self._ca_file)
        if self.ready_file is not None:
            try:
                write_whole(self.ready_file, ready_bytes(ready))
            except OSError as error:
                raise SandboxError(
                    f"The ready file {self.ready_file} cannot be written: {error.strerror}."
                ) from None
        return ready

    def keep(self) -> None:
        """Write the state as the stopped tenant left it."""
        if self.tenant is not None:
            shown, world = self.tenant.now(), self.tenant.world
            write(self.folder, Saved(format=FORMAT, shown=shown, keys=self.saved.keys, world=world))
