"""`make bench`: run every benchmark of this folder, or those named; `python -m bench explain scan`."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from pathlib import Path

from holdfast.cli.main import collect_seldom


def machine() -> str:
    """What the figures were taken on."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    return f"{name}, {os.cpu_count()} CPUs, {platform.system()}, Python {platform.python_version()}"


def main(chosen: list[str]) -> None:
    """Each benchmark is a module bench_NAME.py with `main()` that prints its figures."""
    names = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))
    unknown = [name for name in chosen if name not in names]
    if unknown:
        sys.exit(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(names)}")
    print(f"machine: {machine()}")
    collect_seldom()  # as every command does
    for name in chosen or names:
        print(f"\n## {name}", flush=True)
        importlib.import_module(f"bench.bench_{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
