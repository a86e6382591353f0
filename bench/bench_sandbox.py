"""The sandbox: how fast it starts, ages and answers, and what it takes of memory."""

from __future__ import annotations

import json
import resource
import ssl
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable
from datetime import timedelta
from http.client import HTTPSConnection
from typing import Any

from holdfast.sandbox import embedded
from holdfast.sandbox.steering import Steering

STARTS = 5
CALLS = 500


def start_seconds(scenario: str) -> float:
    """Best wall time of a fresh process until the tenant answers, imports included."""
    code = f"from holdfast.sandbox import embedded\nwith embedded({scenario!r}): print('ready', flush=True)"
    best = float("inf")
    for _ in range(STARTS):
        begun = time.perf_counter()
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            best = min(best, time.perf_counter() - begun)
    return best


def per_second(call: Callable[[], None], calls: int = CALLS) -> float:
    """Calls a second of one client on one connection."""
    call()
    begun = time.perf_counter()
    for _ in range(calls):
        call()
    return calls / (time.perf_counter() - begun)


class Client:
    """One connection to one kind of host."""

    def __init__(self, ready: dict[str, Any], host: str) -> None:
        port = urllib.parse.urlsplit(ready[host]).port
        tls = ssl.create_default_context(cafile=ready["ca_file"])
        self._line = HTTPSConnection("localhost", port, context=tls)

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> Any:
        self._line.request(method, path, body, headers)
        answer = self._line.getresponse()
        content = answer.read()
        assert answer.status == 200, (answer.status, content)
        return json.loads(content)


def token_of(ready: dict[str, Any], scope: str) -> tuple[Client, Callable[[], Any]]:
    app = next(one for one in ready["apps"] if one["name"] == ready["roles"]["reader"])
    form = {
        "grant_type": "client_credentials",
        "client_id": app["client_id"],
        "client_secret": app["secret"],
        "scope": scope,
    }
    client = Client(ready, "authority")
    path = f"/{ready['tenant_id']}/oauth2/v2.0/token"
    return client, lambda: client.ask(
        "POST", path, urllib.parse.urlencode(form), **{"Content-Type": "application/x-www-form-urlencoded"}
    )


def answers(ready: dict[str, Any]) -> None:
    """Tokens and pages of connections, by one client."""
    _, ask_token = token_of(ready, "https://service.powerapps.com/.default")
    print(f"  token requests          {per_second(ask_token):8.0f} /s")
    bearer = {"Authorization": f"Bearer {ask_token()['access_token']}"}
    environment = next(iter(ready["dataverse"]))
    client = Client(ready, "powerapps")
    path = f"/providers/Microsoft.PowerApps/scopes/admin/environments/{environment}/connections?api-version=2016-11-01"
    rows = len(client.ask("GET", path, **bearer)["value"])
    print(
        f"  pages of connections    {per_second(lambda: client.ask('GET', path, **bearer)):8.0f} /s ({rows} rows each)"
    )


def main() -> None:
    """Print the figures."""
    from holdfast.sandbox.scenarios.named import SCENARIOS

    for scenario in [name for name in ("story", "contoso") if name in SCENARIOS]:
        print(f"{scenario}:")
        print(f"  ready, imports included {start_seconds(scenario):8.2f} s (best of {STARTS} processes)")
        with embedded(scenario, frozen=True) as ready:
            steering = Steering(ready["control"])
            steering.clear_faults()
            answers(ready)
            before = steering.truth()["counters"]
            begun = time.perf_counter()
            steering.advance(timedelta(days=90))
            spent = time.perf_counter() - begun
            after = steering.truth()["counters"]
            done = {name: after[name] - before.get(name, 0) for name in ("runs_executed", "runs_folded")}
            print(
                f"  90 days                 {spent:8.2f} s ({done['runs_executed']} runs executed, {done['runs_folded']} folded)"
            )
    print(
        f"memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at most"
    )


if __name__ == "__main__":
    main()
