"""What a transaction has written, so that it can be undone: rows and rights as they were before its first touch.

Nobody waits here: who wants to write what another's open transaction has written is refused at once. Others may read it,
as with READ UNCOMMITTED; Azure SQL would show them what stood before.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from holdfast.sandbox.sql import errors
from holdfast.sandbox.sql.catalogue import Database, Permission, Principal, Table

RIGHTS = "rights"


class Transaction:
    """One transaction on one database.

    Args:
        holders: which open transaction holds which table, shared by all of the database.
    """

    def __init__(self, database: Database, holders: dict[str, Transaction]) -> None:
        self._database, self._holders = database, holders
        self._rows: dict[str, tuple[Table, list[list[Any]], int]] = {}
        self._rights: tuple[dict[str, Principal], list[Permission]] | None = None

    def touch(self, name: str) -> None:
        """Note a table before it is written, or "rights" before principals or permissions are.

        Raises:
            SqlError: 1222, another transaction has written it.
        """
        holder = self._holders.setdefault(name, self)
        if holder is not self:
            raise errors.locked()
        if name == RIGHTS:
            if self._rights is None:
                self._rights = _copied(self._database)
        elif name not in self._rows:
            table = self._database.tables[name]
            # Rows are only ever appended to this list, or another list takes its place.
            self._rows[name] = (table, table.rows, len(table.rows))

    def undo(self) -> None:
        """Put everything back."""
        for table, rows, length in self._rows.values():
            if table.rows is not rows or len(rows) != length:
                table.rows = rows[:length]
                table.version += 1
        if self._rights is not None:
            self._database.principals, self._database.permissions = self._rights
            self._database.changed()
        self.end()

    def end(self) -> None:
        """Let go of what it held."""
        for name in [name for name, holder in self._holders.items() if holder is self]:
            del self._holders[name]
        self._rows, self._rights = {}, None


def _copied(database: Database) -> tuple[dict[str, Principal], list[Permission]]:
    principals = {key: replace(one, roles=list(one.roles)) for key, one in database.principals.items()}
    return principals, [replace(one) for one in database.permissions]
