"""Which driver there is, and which certificates it believes."""

from __future__ import annotations

import ssl
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from holdfast.adapters.sql import odbc, python_tds
from holdfast.adapters.sql.line import Driver, Knock, Line, RefusalError, SilenceError
from holdfast.core.errors import SettingsError

Choice = Literal["auto", "python-tds", "odbc"]


def driver_for(choice: Choice, ca_file: Path | None) -> Driver:
    """The driver that was chosen.

    "auto" is Microsoft's where it is installed and believes the certificates that we do, else python-tds.

    Raises:
        SettingsError: the chosen one is not installed, or does not take `ca_file`.
    """
    if choice == "python-tds":
        return python_tds.connect
    is_there = find_spec("mssql_python") is not None
    believes = ca_file is None or odbc.trusts(str(ca_file))
    if choice == "auto":
        return odbc_with_numbers if is_there and believes else python_tds.connect
    if not is_there:
        raise SettingsError("sql_driver is odbc, which is not installed: pip install 'holdfast[odbc]'.")
    if not believes:
        raise SettingsError(
            f"The ODBC driver does not take ca_file: set the environment variable SSL_CERT_FILE to {ca_file} as well, or"
            ' sql_driver = "python-tds".'
        )
    return odbc_with_numbers


def odbc_with_numbers(knock: Knock) -> Line:
    """mssql-python, and once more python-tds where a refused login has no telling number.

    Of the two errors that a login to a missing database gets, the ODBC driver shows the general one only.
    """
    try:
        return odbc.connect(knock)
    except RefusalError as error:
        if error.refusal.number not in (None, python_tds.LOGIN_FAILED):
            raise
        try:
            line = python_tds.connect(knock)
        except (SilenceError, SettingsError):
            raise error from None
    return line


def trusted_file(ca_file: Path | None) -> str:
    """The certificates to believe as a file, which python-tds wants: ours, the operating system's, or certifi's.

    Raises:
        SettingsError: `ca_file` is not there.
    """
    if ca_file is not None:
        if not ca_file.is_file():
            raise SettingsError(
                f"The certificate file ca_file = {str(ca_file)!r} cannot be used: it is not there."
            )
        return str(ca_file)
    of_the_system = ssl.get_default_verify_paths().cafile
    if of_the_system:
        return of_the_system
    import certifi

    return certifi.where()
