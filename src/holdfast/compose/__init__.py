"""The one place where ports meet adapters: Settings in, Holdfast out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from holdfast.compose.reach import Examination as Examination
from holdfast.compose.reach import Reach as Reach
from holdfast.compose.secrets import encrypted_file as encrypted_file
from holdfast.compose.secrets import references as references
from holdfast.compose.secrets import secret_stores as secret_stores
from holdfast.compose.stores import STORE_NAME as STORE_NAME
from holdfast.compose.stores import forget as forget
from holdfast.compose.stores import remains as remains
from holdfast.compose.stores import store_place as store_place
from holdfast.compose.tenants import Tenant as Tenant
from holdfast.compose.tenants import tenants_of as tenants_of
from holdfast.core.evidence import Evidence
from holdfast.core.inventory import Connection
from holdfast.core.verdict import Verdict
from holdfast.ports import Agenda, Clock, History, Journal, Outbox, SecretStore, Workers
from holdfast.settings import Settings


def ledger() -> Iterator[dict[str, Any]]:
    """Every cloud call there is, as plain values."""
    from holdfast.wire.ledger import CALLS, SQL_CALLS
    from holdfast.wire.vaulting import VAULT_CALLS

    for call in (*CALLS, *SQL_CALLS, *VAULT_CALLS):
        yield {
            "id": call.id,
            "does": call.does,
            "method": call.method,
            "host": call.host.value,
            "path": call.path,
            "query": dict(call.query),
            "headers": dict(call.headers),
            "audience": call.audience.value,
            "who": call.who,
            "needs": call.needs,
            "unlocks": call.unlocks,
            "roles": list(call.roles),
            "permission": call.permission,
            "writes": call.writes,
            "repeatable": call.is_idempotent,
            "people_only": call.is_for_people,
            "support": call.support,
            "source": call.source,
        }


@dataclass(frozen=True, slots=True)
class Holdfast:
    """The whole of it, ready to use by one face.

    Attributes:
        tenants: by the name in the settings, in their order.
    """

    settings: Settings
    clock: Clock
    history: History
    journal: Journal
    outbox: Outbox
    agenda: Agenda
    workers: Workers
    tenants: Mapping[str, Tenant]

    @property
    def secrets(self) -> SecretStore:
        """Where the texts of secrets lie that holdfast makes; nothing is opened yet."""
        return secret_stores(self.settings)[self.settings.secrets.store]

    def chosen(self, name: str | None) -> Tenant:
        """The tenant meant by `--tenant`. Raises SettingsError where that is none or several."""
        return self.tenants[self.settings.chosen(name).name]

    def read(self, text: str, origin: str) -> tuple[Evidence, ...]:
        """What a raw error text says; `origin` is where it was seen."""
        from holdfast.adapters.tables import load_codebook
        from holdfast.reading.texts import read_text

        return read_text(text, load_codebook(), origin)

    def diagnose(self, connection: Connection, further: Sequence[Evidence]) -> Verdict | None:
        """The strongest verdict on a connection from its recorded fault and further evidence.

        None where nothing speaks of a fault.
        """
        from holdfast.adapters.tables import load_codebook
        from holdfast.diagnosis.diagnose import diagnose
        from holdfast.reading.texts import read_fault

        read = read_fault(connection.fault, load_codebook()) if connection.fault else ()
        evidence = (*read, *further)
        return diagnose(evidence)[0] if evidence else None


@contextmanager
def compose(settings: Settings, environ: Mapping[str, str] | None = None) -> Iterator[Holdfast]:
    """Everything wired by the settings; the store is opened, the cloud is asked nothing.

    Args:
        environ: where `env:` references are looked up; None is the process's own.

    Raises:
        StoreError: the store cannot be opened.
    """
    from holdfast.adapters.store.history import SqlHistory
    from holdfast.adapters.system import SystemClock

    history = SqlHistory(store_place(settings, environ))
    try:
        yield Holdfast(
            settings,
            SystemClock(),
            history,
            history.journal(),
            history.outbox(),
            history.agenda(),
            history.workers(),
            tenants_of(settings, environ),
        )
    finally:
        history.close()
