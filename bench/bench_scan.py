"""`scan` against a floor: the same pages, canned as bytes by a process of their own, fetched by httpx2 and kept raw.

The floor does what nothing can do without: ask for the pages at the same concurrency over TLS, `json.loads`
them, and bulk-insert the raw rows. HOLDFAST_BENCH_ENVIRONMENTS and HOLDFAST_BENCH_CONNECTIONS change the size.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import resource
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ENVIRONMENTS = int(os.environ.get("HOLDFAST_BENCH_ENVIRONMENTS", "200"))
CONNECTIONS = int(os.environ.get("HOLDFAST_BENCH_CONNECTIONS", "40000"))
AT_ONCE = 8
ROUNDS = int(os.environ.get("HOLDFAST_BENCH_ROUNDS", "3"))
TENANT = "11111111-2222-3333-4444-555555555555"
SQL = ("shared_sql", "shared_sqldw")


def environment_id(number: int) -> str:
    return f"Default-{TENANT}" if number == 0 else f"{number:08x}-0000-4000-8000-000000000000"


def environments() -> dict[str, Any]:
    """Without Dataverse, so that the pages are the same for both."""
    return {
        "value": [
            {
                "id": f"/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments/{environment_id(n)}",
                "name": environment_id(n),
                "type": "Microsoft.BusinessAppPlatform/scopes/environments",
                "location": "europe",
                "properties": {
                    "displayName": f"Environment {n}",
                    "azureRegion": "westeurope",
                    "environmentSku": "Default" if n == 0 else "Production",
                    "isDefault": n == 0,
                    "provisioningState": "Succeeded",
                },
            }
            for n in range(ENVIRONMENTS)
        ]
    }


def connection(environment: int, number: int, now: datetime) -> dict[str, Any]:
    """Six in ten are a person's sign-in, two service principals, two passwords."""
    place, name = environment_id(environment), f"{environment:08x}{number:024x}"
    api = f"/providers/Microsoft.PowerApps/scopes/admin/environments/{place}/apis/shared_sql"
    kind = number % 10
    used = now - timedelta(days=number % 80, minutes=number % 60)
    values: dict[str, Any] = {}
    if 6 <= kind < 8:
        values = {"token:clientId": {"value": f"app-{number % 50}"}, "token:TenantId": {"value": TENANT}}
    elif kind >= 8:
        values = {"server": {"value": "sql.contoso.example"}, "database": {"value": "erp"}}
    name_of_set = "oauth" if kind < 6 else "oauthSP" if kind < 8 else "sqlAuthentication"
    properties = {
        "apiId": api,
        "displayName": f"user{number}@contoso.example",
        "iconUri": "https://icons.example/shared_sql/icon.png",
        "statuses": [{"status": "Connected"}],
        "connectionParametersSet": {"name": name_of_set, "values": values},
        "keywordsRemaining": 100,
        "isSsoConnection": False,
        "createdBy": {
            "id": f"user-{number % 3000}",
            "displayName": f"User {number % 3000}",
            "email": f"user{number % 3000}@contoso.example",
            "type": "User",
            "tenantId": TENANT,
            "userPrincipalName": f"user{number % 3000}@contoso.example",
        },
        "createdTime": "2026-01-05T08:15:30.1234567Z",
        "lastModifiedTime": f"{used:%Y-%m-%dT%H:%M:%S}.1234567Z",
        "environment": {"id": f"/providers/Microsoft.PowerApps/environments/{place}", "name": place},
        "accountName": f"user{number % 3000}@contoso.example" if kind < 6 else None,
        "allowSharing": kind >= 6,
    }
    if kind < 8:
        properties["expirationTime"] = f"{used + timedelta(minutes=70):%Y-%m-%dT%H:%M:%S}.1234567Z"
    return {
        "name": name,
        "id": f"{api}/connections/{name}",
        "type": "Microsoft.PowerApps/scopes/apis/connections",
        "properties": properties,
    }


def pages(now: datetime) -> dict[str, bytes]:
    """Every answer by its path; six in ten connections lie in one unpaged answer."""
    rest = (CONNECTIONS * 4 // 10) // max(1, ENVIRONMENTS - 1)
    found: dict[str, Any] = {
        "/environments": environments(),
        "/users": users(),
        "/applications": applications(),
        "/serviceprincipals": principals(),
        "/policies": {"value": []},
    }
    for number in range(ENVIRONMENTS):
        count = CONNECTIONS * 6 // 10 if number == 0 else rest
        place = environment_id(number)
        found[f"{place}/shared_sql"] = {"value": [connection(number, each, now) for each in range(count)]}
        found[f"{place}/shared_sqldw"] = {"value": []}
    return {path: json.dumps(page).encode() for path, page in found.items()}


def users() -> dict[str, Any]:
    return {
        "value": [
            {
                "id": f"user-{n}",
                "userPrincipalName": f"user{n}@contoso.example",
                "displayName": f"User {n}",
                "accountEnabled": True,
            }
            for n in range(3000)
        ]
    }


def applications() -> dict[str, Any]:
    secret = {
        "keyId": "k",
        "displayName": "s",
        "startDateTime": "2026-01-01T00:00:00Z",
        "endDateTime": "2028-01-01T00:00:00Z",
    }
    return {
        "value": [
            {
                "id": f"object-{n}",
                "appId": f"app-{n}",
                "displayName": f"App {n}",
                "passwordCredentials": [secret],
                "keyCredentials": [],
            }
            for n in range(50)
        ]
    }


def principals() -> dict[str, Any]:
    """The same applications as they are in the tenant."""
    return {
        "value": [
            {
                "id": f"principal-{n}",
                "appId": f"app-{n}",
                "displayName": f"App {n}",
                "accountEnabled": True,
                "servicePrincipalType": "Application",
            }
            for n in range(50)
        ]
    }


# --- the process that answers ---------------------------------------------------------------------------


def answer(target: str, canned: dict[str, bytes], base: str) -> bytes:
    if "openid-configuration" in target:
        return json.dumps(
            {
                "issuer": f"{base}/{TENANT}/v2.0",
                "token_endpoint": f"{base}/{TENANT}/oauth2/v2.0/token",
                "authorization_endpoint": f"{base}/{TENANT}/oauth2/v2.0/authorize",
            }
        ).encode()
    if target.endswith("/token"):
        return b'{"token_type":"Bearer","expires_in":3599,"access_token":"canned"}'
    path = target.partition("?")[0]
    if "/connections" in path:
        parts = path.split("/")
        return canned[f"{parts[parts.index('environments') + 1]}/{parts[parts.index('apis') + 1]}"]
    if path.endswith("/apps"):
        return b'{"value":[]}'
    for word in ("environments", "users", "applications", "serviceprincipals", "policies"):
        if word in path.lower():
            return canned[f"/{word}"]
    return b'{"value":[]}'


async def serve(port_of: Any, folder: Path) -> None:
    from holdfast.sandbox.certificates import make_keys, server_pem

    now = datetime.now(UTC)
    keys = make_keys(now)
    (folder / "ca.pem").write_text(keys.ca_certificate)
    (folder / "server.pem").write_text(server_pem(keys, now))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    canned = pages(now)
    base = ""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")
                length = next(
                    (int(h.split(":")[1]) for h in lines if h.lower().startswith("content-length")), 0
                )
                if length:
                    await reader.readexactly(length)
                body = answer(lines[0].split(" ")[1], canned, base)
                date = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
                writer.write(
                    f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                )
                writer.write(body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    base = f"https://localhost:{port}"
    port_of.put(port)
    async with server:
        await server.serve_forever()


def run_server(port_of: Any, folder: str) -> None:
    asyncio.run(serve(port_of, Path(folder)))


# --- the two that are measured, each in a process of its own --------------------------------------------


async def floor(port: int, folder: Path) -> int:
    import httpx2

    base = f"https://localhost:{port}/providers/Microsoft.PowerApps/scopes/admin/environments"
    store = sqlite3.connect(folder / "floor.db", isolation_level=None)
    store.execute("pragma journal_mode = wal")
    store.execute("create table raw (environment text, name text, body text)")
    kept = 0
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    async with httpx2.AsyncClient(verify=context, timeout=120) as client:
        listed = json.loads((await client.get(base)).content)["value"]
        for other in ("applications", "servicePrincipals", "users", "policies"):
            json.loads((await client.get(f"https://localhost:{port}/v1.0/{other}")).content)
        waiting: Iterator[str] = iter([each["name"] for each in listed])

        async def reader() -> None:
            nonlocal kept
            for place in waiting:
                json.loads((await client.get(f"{base}/{place}/apps")).content)
                for connector in SQL:
                    page = json.loads(
                        (await client.get(f"{base}/{place}/apis/{connector}/connections")).content
                    )
                    rows = [(place, each["name"], json.dumps(each)) for each in page["value"]]
                    store.execute("begin")
                    store.executemany("insert into raw values (?, ?, ?)", rows)
                    store.execute("commit")
                    kept += len(rows)

        await asyncio.gather(*(reader() for _ in range(AT_ONCE)))
    return kept


async def product(port: int, folder: Path) -> int:
    from holdfast.cli.main import collect_seldom
    from holdfast.compose import compose
    from holdfast.scan.tenant import scan
    from holdfast.settings.ready import KINDS, from_ready

    collect_seldom()
    base = f"https://localhost:{port}"
    ready = {
        "tenant_id": TENANT,
        "ca_file": str(folder / "ca.pem"),
        **dict.fromkeys(KINDS, base),
        "apps": [{"name": "reader", "client_id": TENANT, "secret": "canned"}],
        "roles": {"reader": "reader"},
    }
    with compose(from_ready(ready, folder / "state"), {}) as holdfast:
        tenant = holdfast.chosen(None)
        async with tenant.reached() as reach:
            report = await scan(
                tenant.id,
                reach.platform,
                reach.directory,
                holdfast.history,
                holdfast.clock,
                holdfast.read,
            )
    assert not report.record.gaps, report.record.gaps
    return report.counts.seen


def measured(which: str, port: int, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.bench_scan", which, str(port), str(folder)]
    # As installed: pip compiles what it installs, and Python keeps the bytecode of what it imports, unless told not to.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=kept)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure(which: str, port: int, folder: Path) -> None:
    began, busy = time.perf_counter(), time.process_time()
    kept = asyncio.run({"floor": floor, "product": product}[which](port, folder))
    print(
        json.dumps(
            {
                "connections": kept,
                "wall": time.perf_counter() - began,
                "cpu": time.process_time() - busy,
                "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


def one_round(port: int, folder: Path) -> tuple[dict[str, float], ...]:
    """The floor, a first scan and one that finds nothing new, each into an empty folder or the same store."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = Path(name)
        (place / "ca.pem").write_bytes((folder / "ca.pem").read_bytes())
        return tuple(measured(which, port, place) for which in ("floor", "product", "product"))


def best(measures: tuple[dict[str, float], ...]) -> dict[str, float]:
    """The least of each figure: whatever else the machine did only adds to it."""
    return {name: min(each[name] for each in measures) for name in measures[0]}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spawn = multiprocessing.get_context("spawn")
        port_of = spawn.Queue()
        server = spawn.Process(target=run_server, args=(port_of, name), daemon=True)
        server.start()
        port = port_of.get(timeout=120)
        try:
            print(f"{ENVIRONMENTS} environments, {CONNECTIONS} connections, 6 in 10 in one answer")
            rounds = [one_round(port, folder) for _ in range(ROUNDS)]
        finally:
            server.terminate()
            server.join()
    lowest, first, again = (best(each) for each in zip(*rounds, strict=True))
    print(f"  best of {ROUNDS}, taken in turn; target: at most 2 x wall and 3 x CPU of the floor")
    for title, found in (("floor", lowest), ("first scan", first), ("again, nothing new", again)):
        print(
            f"  {title:20} {found['connections']:8.0f} connections  {found['wall']:6.1f} s wall {found['cpu']:6.1f} s CPU"
            f"  {found['rss']:5.0f} MB  | {found['wall'] / lowest['wall']:.2f} x wall, {found['cpu'] / lowest['cpu']:.2f} x CPU"
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
