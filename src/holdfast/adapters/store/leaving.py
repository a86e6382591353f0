"""Take holdfast's tables out of a database again. A file is deleted whole, by whoever asks."""

from __future__ import annotations

from sqlalchemy import Connection as Transaction
from sqlalchemy import inspect, select, text

from holdfast.adapters.store.database import Database
from holdfast.adapters.store.schema import metadata, tenants
from holdfast.adapters.store.turns import hold
from holdfast.adapters.store.upgrade import refuse_newer, revision_of
from holdfast.core.agenda import ENGINE_SCHEMA
from holdfast.core.errors import StoreError

VERSION_TABLE = "alembic_version"


class Remains:
    """What holdfast made in a PostgreSQL database."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)

    @property
    def name(self) -> str:
        """The database, without a password."""
        return self._database.name

    def size(self) -> int | None:
        """Bytes of the tables with their indexes; None where there are none.

        Raises:
            StoreError: the database cannot be asked.
        """
        with self._database.reading() as connection:
            if not (there := _there(connection)):
                return None
            sizes = text(
                "select sum(pg_total_relation_size(to_regclass(name))) from unnest(cast(:names as text[])) name"
            )
            return int(connection.execute(sizes, {"names": there}).scalar() or 0)

    def drop(self) -> None:
        """Drop the tables and the engine's schema, all or none; whatever else is in the database stays.

        Raises:
            StoreError: somebody is scanning or doing something from this store, or it is of a newer holdfast.
        """
        with self._database.writing() as transaction:
            if not (there := _there(transaction)):
                return
            refuse_newer(self._database, revision_of(transaction))
            if tenants.name in there:
                _keep_others_out(transaction)
            metadata.drop_all(transaction)
            transaction.execute(text(f"drop schema if exists {ENGINE_SCHEMA} cascade"))
            transaction.execute(text(f"drop table if exists {VERSION_TABLE}"))

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()


def _there(connection: Transaction) -> list[str]:
    # Without its version a table of such a name is somebody else's.
    names = set(inspect(connection).get_table_names())
    if VERSION_TABLE not in names:
        return []
    return sorted(names & {VERSION_TABLE, *metadata.tables})


def _keep_others_out(transaction: Transaction) -> None:
    for tenant in transaction.execute(select(tenants.c.name)).scalars().all():
        if not all(hold(transaction, f"{what} {tenant}") for what in ("scan", "deeds")):
            raise StoreError(
                f"A holdfast is at work in the tenant {tenant!r} from this store: run this again when it has ended."
            )
