"""mssql-python: Microsoft's own, with its ODBC driver. It passes on SQL Server's words and no number."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, Final

from holdfast.adapters.sql.line import Knock, RefusalError, SilenceError
from holdfast.adapters.sql.wordings import number_in
from holdfast.core.errors import SettingsError
from holdfast.core.sql import Rows, SqlRefusal

ACCESS_TOKEN: Final = 1256
"""SQL_COPT_SS_ACCESS_TOKEN."""
FROM_SERVER: Final = "[SQL Server]"


def connect(knock: Knock) -> OdbcLine:
    """Log in. Raises as every driver, and SettingsError where the driver lacks a library of the system."""
    module = _unpooled()
    token = knock.token.reveal().encode("utf-16-le")
    text = (
        f"Server={knock.address.host},{knock.address.port};Database={_braced(knock.database)};Encrypt=yes;"
        "TrustServerCertificate=no;"
    )
    with _translated(module):
        connection = module.connect(
            text,
            autocommit=True,
            timeout=knock.seconds,
            attrs_before={ACCESS_TOKEN: struct.pack("<I", len(token)) + token},
        )
    return OdbcLine(module, connection)


class OdbcLine:
    """An open session of mssql-python."""

    def __init__(self, module: Any, connection: Any) -> None:
        self._module, self._connection = module, connection

    def ask(self, batch: str) -> Rows:
        """The rows of the batch's last result."""
        with _translated(self._module):
            cursor = self._connection.cursor()
            try:
                cursor.execute(batch)
                rows: Rows = ()
                while True:
                    if cursor.description:
                        rows = tuple(map(tuple, cursor.fetchall()))
                    if not cursor.nextset():
                        return rows
            finally:
                cursor.close()

    def close(self) -> None:
        """Say goodbye."""
        # A session that the server ended says so once more.
        with suppress(RefusalError, SilenceError), _translated(self._module):
            self._connection.close()


def trusts(ca_file: str) -> bool:
    """Whether the driver believes this file: it asks the operating system, or the environment, and nobody else."""
    return os.environ.get("SSL_CERT_FILE") == ca_file


@cache
def _unpooled() -> Any:
    """The driver with its pool off: a pooled session would answer for a login that is refused by now."""
    import mssql_python

    # Two threads may come here at once: switching it off twice is the same as once.
    mssql_python.pooling(enabled=False)
    return mssql_python


def _braced(value: str) -> str:
    return "{" + value.replace("}", "}}") + "}"


@contextmanager
def _translated(module: Any) -> Iterator[None]:
    try:
        yield
    except module.Error as error:
        said = str(getattr(error, "ddbc_error", "") or error)
        if "Failed to load the driver" in said:
            raise SettingsError(
                "The ODBC driver of mssql-python lacks a library of the system (libltdl7, libgssapi-krb5-2): install it, or"
                ' set sql_driver = "python-tds".'
            ) from None
        place = said.rfind(FROM_SERVER)
        message = said[place + len(FROM_SERVER) :] if place >= 0 else said.rpartition("]")[2].strip() or said
        if place < 0:
            raise SilenceError(_network_words(said)) from None
        raise RefusalError(SqlRefusal(number_in(message), None, None, message)) from None
    except RuntimeError as error:
        raise SilenceError(str(error)[:200]) from None


def _network_words(said: str) -> str:
    if "certificate verify failed" in said:
        return "certificate verify failed: " + said.rpartition("failed:")[2].rstrip("]")
    return said.removeprefix("[Microsoft]")[:200]
