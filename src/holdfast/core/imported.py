"""What no scan tells: when passwords end, by a table or by SQL Server, and flows that an inventory kit knows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from holdfast.core.inventory import ConnectionId


@dataclass(frozen=True, slots=True)
class PasswordTerm:
    """How long the password of one connection lives.

    Attributes:
        login: as the connection uses it: `app_erp`, `CONTOSO\\svc-erp`; empty where the table does not say.
        kind: "sql" or "windows".
        expires_from: not before; a date without a time is a whole day. None where only an age is given.
        max_age: from its last change on; None where a date is given.
        asked_at: when SQL Server told its dates by LOGINPROPERTY; None where the table alone tells.
        set_at: when the password was last set, as SQL Server told.
        is_endless: SQL Server said that its policy ends it never, and the table gives no end either.
    """

    connection: ConnectionId
    login: str
    kind: str
    expires_from: datetime | None = None
    expires_to: datetime | None = None
    max_age: timedelta | None = None
    asked_at: datetime | None = None
    set_at: datetime | None = None
    is_endless: bool = False


@dataclass(frozen=True, slots=True)
class KitFlow:
    """A flow as the CoE Starter Kit's table of flows has it, which also knows those outside solutions.

    Attributes:
        id: of the flow, as the platform names it.
        environment: its id where the export gives one, else its name.
        is_on: None where the table does not tell.
        connectors: whose actions it has, as far as the kit's table of connection references was imported.
    """

    id: str
    environment: str
    display_name: str
    is_on: bool | None = None
    connectors: tuple[str, ...] = ()

    @property
    def has_sql(self) -> bool:
        """Whether it uses a SQL connector; without a table of connection references any flow may."""
        if not self.connectors:
            return True
        return any("sql" in connector.casefold() for connector in self.connectors)
