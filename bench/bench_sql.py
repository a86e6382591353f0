"""SQL on the wire: logins and SELECT 1 a second by driver, and our probes beside a bare driver loop.

The server is the sandbox in a process of its own on the same machine, so these are relative figures.
"""

from __future__ import annotations

import asyncio
import json
import os
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

LOGINS, QUERIES, AT_ONCE, ROUNDS = 320, 3200, 32, 5
ACCESS_TOKEN = 1256
MEASURED = {
    ("mssql-python", "login"): (328, 685),
    ("mssql-python", "SELECT 1"): (3800, 5500),
    ("python-tds", "login"): (239, 276),
    ("python-tds", "SELECT 1"): (3800, 2300),
}
"""A second, one thread and 32: measured in November 2026 against a throwaway server of 316 lines on a like machine."""


@contextmanager
def running() -> Iterator[dict[str, Any]]:
    """A sandbox in a process of its own; its ready file."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        command = [sys.executable, "-m", "holdfast", "sandbox", "up", "--frozen", "--ready-file", str(ready)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            while not ready.exists():
                assert process.poll() is None
                time.sleep(0.05)
            yield json.loads(ready.read_text())
        finally:
            process.terminate()
            process.wait()


def token_of(ready: dict[str, Any]) -> str:
    import ssl

    app = next(one for one in ready["apps"] if one["name"] == ready["roles"]["sql_admin"])
    form = {
        "grant_type": "client_credentials",
        "client_id": app["client_id"],
        "client_secret": app["secret"],
        "scope": "https://database.windows.net/.default",
    }
    url = f"{ready['authority']}/{ready['tenant_id']}/oauth2/v2.0/token"
    context = ssl.create_default_context(cafile=ready["ca_file"])
    with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode(), context=context) as answer:
        return json.load(answer)["access_token"]


def by_mssql_python(ready: dict[str, Any], token: str) -> Callable[[], Any]:
    import mssql_python

    mssql_python.pooling(enabled=False)
    content = token.encode("utf-16-le")
    given: dict[int, int | str | bytes] = {ACCESS_TOKEN: struct.pack("<I", len(content)) + content}
    text = f"Server=localhost,{ready['sql']['port']};Database=erp;Encrypt=yes;"
    return lambda: mssql_python.connect(text, autocommit=True, attrs_before=given)


def by_python_tds(ready: dict[str, Any], token: str) -> Callable[[], Any]:
    import pytds

    return lambda: pytds.connect(
        "localhost",
        port=ready["sql"]["port"],
        database="erp",
        cafile=ready["ca_file"],
        access_token_callable=lambda: token,
        autocommit=True,
    )


def select(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("SELECT 1")
    cursor.fetchall()
    cursor.close()


def one_login(connect: Callable[[], Any]) -> None:
    connection = connect()
    select(connection)
    connection.close()


def per_second(deed: Callable[[], None], times: int, threads: int) -> float:
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: deed(), range(threads)))
        begun = time.perf_counter()
        list(pool.map(lambda _: deed(), range(times)))
        return times / (time.perf_counter() - begun)


def queries_per_second(connect: Callable[[], Any], threads: int) -> float:
    """Each thread on an open session of its own."""
    mine = threading.local()

    def deed() -> None:
        if not hasattr(mine, "connection"):
            mine.connection = connect()
        select(mine.connection)

    return per_second(deed, QUERIES, threads)


async def probes_per_second(ready: dict[str, Any], driver: str) -> float:
    """By the port SqlServer, so many at once."""
    from holdfast.compose import tenants_of
    from holdfast.core.sql import SqlPlace
    from holdfast.settings import from_ready

    place = SqlPlace("sql-contoso.database.windows.net", "erp")
    with tempfile.TemporaryDirectory() as folder:
        settings = from_ready(ready, Path(folder)).model_copy(update={"sql_driver": driver})
        async with tenants_of(settings)["sandbox"].sql() as server:
            turns = asyncio.Semaphore(AT_ONCE)

            async def one() -> None:
                async with turns:
                    assert (await server.probe(place)).refusal is None

            await asyncio.gather(*(one() for _ in range(AT_ONCE)))
            begun = time.perf_counter()
            await asyncio.gather(*(one() for _ in range(LOGINS)))
            return LOGINS / (time.perf_counter() - begun)


def figures(name: str, setting: str, connect: Callable[[], Any], ready: dict[str, Any]) -> None:
    """Print those of one driver."""
    deeds: dict[str, Callable[[int], float]] = {
        "login": lambda threads: per_second(lambda: one_login(connect), LOGINS, threads),
        "SELECT 1": lambda threads: queries_per_second(connect, threads),
    }
    for what, deed in deeds.items():
        alone, together = (MEASURED[name, what][n] for n in (0, 1))
        print(f"  {what:22} {deed(1):10.0f}/s {deed(AT_ONCE):10.0f}/s   ({alone}, {together})")
    bare, ours = [], []
    for _ in range(ROUNDS):  # by turns, so that both meet the same machine
        bare.append(deeds["login"](AT_ONCE))
        ours.append(asyncio.run(probes_per_second(ready, setting)))
    ratio = median(o / b for o, b in zip(ours, bare, strict=True))
    print(
        f"  probes, {AT_ONCE} at once     {median(ours):10.0f}/s of {median(bare):.0f}/s bare: {ratio:.2f}, median of {ROUNDS} pairs"
    )


def main() -> None:
    """Print the figures."""
    drivers = {"mssql-python": ("odbc", by_mssql_python), "python-tds": ("python-tds", by_python_tds)}
    with running() as ready:
        os.environ["SSL_CERT_FILE"] = ready["ca_file"]
        token = token_of(ready)
        for name, (setting, maker) in drivers.items():
            print(f"{name}: 1 thread and {AT_ONCE}; in brackets what was measured before")
            figures(name, setting, maker(ready, token), ready)


if __name__ == "__main__":
    main()
