"""Other people's SQL drivers, pointed at a sandbox; both verify certificate and name."""

from __future__ import annotations

import struct
import urllib.parse
from contextlib import AbstractContextManager, closing
from typing import Any

import mssql_python
import pytds
import pytest

from tests.sandbox.conftest import Sandbox

SQL = "https://database.windows.net/.default"
ACCESS_TOKEN = 1256
"""The attribute of msodbcsql18 that takes an access token."""
ADMIN, NIGHTLY = "holdfast-sql-admin", "erp-nightly"


def token_of(sandbox: Sandbox, app_name: str, scope: str = SQL) -> str:
    """An access token of an application, by the standard library."""
    app = next(one for one in sandbox.ready["apps"] if one["name"] == app_name)
    form = {
        "grant_type": "client_credentials",
        "client_id": app["client_id"],
        "client_secret": app["secret"],
        "scope": scope,
    }
    url = f"{sandbox.ready['authority']}/{sandbox.ready['tenant_id']}/oauth2/v2.0/token"
    return sandbox.ask(url, body=urllib.parse.urlencode(form).encode()).json["access_token"]


class PythonTds:
    """python-tds, as it comes."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def connect(self, database: str, *, token: str | None = None, **how: Any) -> AbstractContextManager[Any]:
        sql = self._sandbox.ready["sql"]
        return closing(
            pytds.connect(
                sql["host"],
                database=database,
                port=sql["port"],
                cafile=self._sandbox.ready["ca_file"],
                login_timeout=2,
                disable_connect_retry=True,
                access_token_callable=None if token is None else lambda: token,
                **how,
            )
        )

    def marked(self, text: str) -> str:
        """A statement with its parameters as this driver wants them."""
        return text.replace("?", "%s")

    def number(self, error: BaseException) -> int:
        """The error number; the driver hides that of a failed login behind a timeout."""
        cause = error.__cause__ if isinstance(error, TimeoutError) else error
        return getattr(cause, "number", 0)

    error = (pytds.Error, TimeoutError)


class MssqlPython:
    """mssql-python with msodbcsql18."""

    def __init__(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        self._sandbox = sandbox
        monkeypatch.setenv("SSL_CERT_FILE", sandbox.ready["ca_file"])
        mssql_python.pooling(enabled=False)

    def connect(
        self, database: str, *, token: str | None = None, user: str = "", password: str = "", **how: Any
    ) -> AbstractContextManager[Any]:
        sql = self._sandbox.ready["sql"]
        text = f"Server={sql['host']},{sql['port']};Database={database};Encrypt=yes;"
        if token is not None:
            content = token.encode("utf-16-le")
            how["attrs_before"] = {ACCESS_TOKEN: struct.pack("<I", len(content)) + content}
        else:
            text += f"UID={user};PWD={{{password}}};"
        try:
            return closing(mssql_python.connect(text, **how))
        except mssql_python.OperationalError as error:
            if "Failed to load the driver" in str(error):
                pytest.skip("the ODBC driver lacks a system library: libltdl7 or libgssapi-krb5-2")
            raise

    def marked(self, text: str) -> str:
        """The driver's own mark is ours."""
        return text

    def number(self, error: BaseException) -> None:
        """The driver gives no number, only the server's words."""

    error = (mssql_python.Error,)


Driver = PythonTds | MssqlPython
