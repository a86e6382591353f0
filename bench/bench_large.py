"""A scan of the sandbox's `large` tenant with 5 % of its answers throttled: what it lost, and what it took.

Tenant and scan are processes of their own, and so is the reader of `/truth`: each one's memory is its own.
HOLDFAST_BENCH_SCENARIO chooses a smaller one: large-10 has ten percent.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

SCENARIO = os.environ.get("HOLDFAST_BENCH_SCENARIO", "large")
THROTTLED = 0.05
ONE_TRUTH = re.compile(rb'\{"id":"([0-9a-f]{32})","name"')


@contextmanager
def tenant(folder: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """A running sandbox: its ready mapping, and its process id."""
    ready_file = folder / "ready.json"
    command = [sys.executable, "-m", "holdfast", "sandbox", "up", "--scenario", SCENARIO, "--seed", "1"]
    process = subprocess.Popen([*command, "--ready-file", str(ready_file)], stderr=subprocess.DEVNULL)
    try:
        while not ready_file.exists():
            if process.poll() is not None:
                sys.exit("the sandbox did not start")
            time.sleep(0.1)
        yield json.loads(ready_file.read_text()), process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def told(control: str, path: str, method: str, body: dict[str, Any] | None = None) -> None:
    content = None if body is None else json.dumps(body).encode()
    with urlopen(Request(control + path, content, method=method), timeout=60) as answer:
        answer.read()


def peak_memory(process: int) -> float:
    """In MB, where /proc tells it."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def true_ids(control: str) -> list[str]:
    """The id of every connection, read from the stream without keeping it."""
    found: list[str] = []
    rest = b""
    with urlopen(f"{control}/truth", timeout=600) as answer:
        while piece := answer.read(1 << 20):
            text = rest + piece
            last = 0
            for match in ONE_TRUTH.finditer(text):
                found.append(match[1].decode())
                last = match.end()
            rest = text[max(last, len(text) - 64) :]
    return found


async def scanned(folder: Path) -> dict[str, Any]:
    from holdfast.compose import compose
    from holdfast.core.coverage import CONNECTIONS
    from holdfast.scan.tenant import scan
    from holdfast.settings import from_ready

    with compose(from_ready(folder / "ready.json", folder / "state"), {}) as holdfast:
        chosen = holdfast.chosen(None)
        began, busy = time.perf_counter(), time.process_time()
        async with chosen.reached() as reach:
            report = await scan(
                chosen.id, reach.platform, reach.directory, holdfast.history, holdfast.clock, holdfast.read
            )
            spent = reach.spent()
        return {
            "wall": time.perf_counter() - began,
            "cpu": time.process_time() - busy,
            "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "seen": sum(s.counted for s in report.record.sweeps if s.part.startswith(CONNECTIONS)),
            "flows": sum(s.counted for s in report.record.sweeps if s.part == "flows"),
            "largest": max(s.counted for s in report.record.sweeps if s.part.startswith(CONNECTIONS)),
            "gaps": [f"{s.part}: {s.detail}" for s in report.record.gaps],
            "requests": spent.requests,
            "retries": spent.retries,
            "throttled": spent.throttled,
            "waited": spent.waited.total_seconds(),
            "by_api": dict(spent.by_api),
        }


def kept_ids(store: Path) -> list[str]:
    import sqlite3

    with sqlite3.connect(store) as database:
        asked = "select key from things where kind = 'connection' and gone_at is null"
        return [key.partition("/")[2] for (key,) in database.execute(asked)]


def looked(folder: Path, command: str) -> tuple[float, float, int]:
    """Wall seconds, peak MB and output bytes of a command over the scanned store."""
    code = "import resource, sys; from holdfast.cli.main import run; status = run(sys.argv[1:]); "
    code += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, file=sys.stderr)"
    arguments = [*command.split(), f"--sandbox={folder / 'ready.json'}"]
    began = time.perf_counter()
    environment = {**os.environ, "HOLDFAST_STATE_DIR": str(folder / "looked")}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, env=environment, check=False
    )
    return (
        time.perf_counter() - began,
        float(done.stderr.split()[-1]),
        len(done.stdout),
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.perf_counter()
        with tenant(folder) as (ready, process):
            print(
                f"  {SCENARIO}: up after {time.perf_counter() - began:.1f} s, 5 % of the answers are throttled"
            )
            told(ready["control"], "/faults", "DELETE")
            for host in ("powerapps", "bap", "dataverse", "graph"):
                body = {"kind": "throttle", "host": host, "share": THROTTLED, "retry_after": 1}
                told(ready["control"], "/faults", "POST", body)
            command = [sys.executable, "-m", "bench.bench_large", name]
            found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
            report(found, peak_memory(process))
            truth, kept = true_ids(ready["control"]), kept_ids(next((folder / "state").glob("*.db")))
            lost, twice = set(truth) - set(kept), found["seen"] - len(set(truth))
            print(
                f"  against /truth: {len(truth):,} connections there, {len(lost)} lost,"
                f" {len(set(kept) - set(truth))} invented, {max(0, twice)} seen twice"
            )
            (folder / "looked" / "sandbox").mkdir(parents=True)
            (folder / "state").rename(folder / "looked" / "sandbox" / "running")
            for command_line in ("status -o jsonl", "status", "forecast -o jsonl"):
                wall, memory, size = looked(folder, command_line)
                print(f"  {command_line:20} {wall:6.1f} s, {memory:4.0f} MB, {size / 1e6:.1f} MB told")


def report(found: dict[str, Any], of_sandbox: float) -> None:
    print(
        f"  scan: {found['seen']:,} connections, {found['largest']:,} of them in one answer, {found['flows']:,} flows;"
        f" {len(found['gaps'])} gaps"
    )
    print(
        f"  {found['wall']:.1f} s wall, {found['cpu']:.1f} s CPU; peak RSS {found['rss']:.0f} MB (target < 300),"
        f" the sandbox's {of_sandbox:.0f} MB"
    )
    print(
        f"  {found['requests']:,} requests {found['by_api']}, {found['throttled']} throttled, {found['retries']} repeated;"
        f" lost to waiting apart: {found['waited']:.0f} s summed over 8 at once, {found['waited'] / 8:.0f} s of the wall"
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(asyncio.run(scanned(Path(sys.argv[1])))))
    else:
        main()
