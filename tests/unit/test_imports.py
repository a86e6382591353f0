"""What `--help` may import: click, the standard library, and our own cli."""

import json
import subprocess
import sys

import pytest

PROBE = """
import sys, json
before = set(sys.modules)
from holdfast.cli.main import run
try:
    run(["--help"])
except SystemExit:
    pass
sys.stderr.write(json.dumps(sorted({m.split(".")[0] for m in set(sys.modules) - before} - sys.stdlib_module_names)))
sys.stderr.write("\\n" + json.dumps(sorted(m for m in sys.modules if m.startswith("holdfast"))))
"""


def test_help_imports_click_only():
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)

    foreign, ours = (json.loads(line) for line in done.stderr.splitlines())

    assert [name for name in foreign if name not in ("holdfast", "click") and not name.startswith("_")] == []
    assert ours == [
        "holdfast",
        "holdfast.cli",
        "holdfast.cli.main",
        "holdfast.cli.terminal",
        "holdfast.core",
        "holdfast.core.errors",
    ]


HEAVY = (
    "asyncio",
    "importlib.metadata",
    "pydantic",
    "structlog",
    "sqlglot",
    "sqlalchemy",
    "httpx2",
    "msal",
    "dbos",
)


@pytest.mark.parametrize("output", ["table", "jsonl"])
def test_explain_imports_nothing_heavy(output):
    probe = (
        "import sys; from holdfast.cli.main import run; run(['explain', '-o', sys.argv[1], 'AADSTS700082: x']);"
        "sys.stderr.write(' '.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", probe, output], capture_output=True, text=True, check=True)

    assert [name for name in HEAVY if name in done.stderr.split()] == []


def test_only_what_runs_the_engine_imports_it():
    """Half a second: `status` and `watch --help` have to do without."""
    probe = (
        "import sys, importlib; from holdfast.cli.main import COMMANDS;"
        "[importlib.import_module(f'holdfast.cli.commands.{entry.module}') for entry in COMMANDS.values()];"
        "import holdfast.compose; sys.stderr.write(' '.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert "dbos" not in done.stderr.split()
