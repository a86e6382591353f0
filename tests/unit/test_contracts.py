"""The import contracts catch what they are there to catch: each plant is a wrong import, and must be found."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PLANTS = {
    "the HTTP library in a cause": ("diagnosis/causes/token_inactive.py", "import httpx2"),
    "the clock in the core": ("core/horizon.py", "import time"),
    "chance in reading": ("reading/texts.py", "import random"),
    "ports in diagnosis": ("diagnosis/diagnose.py", "import holdfast.ports"),
    "a cause that knows a cause": (
        "diagnosis/causes/token_inactive.py",
        "import holdfast.diagnosis.causes.password_changed",
    ),
    "the sandbox knowing the client": ("sandbox/world.py", "import holdfast.adapters.system"),
    "the sandbox sharing our limits": ("sandbox/world.py", "import holdfast.core.facts"),
    "the sandbox reading the ledger": ("sandbox/world.py", "import holdfast.wire.ledger"),
    "a shape reading the ledger": ("wire/entra.py", "import holdfast.wire.ledger"),
    "the cli speaking the wire": ("cli/render.py", "import holdfast.wire.entra"),
    "a verb reaching an adapter": ("scan/__init__.py", "import holdfast.adapters.system"),
    "an adapter that judges": ("adapters/system.py", "import holdfast.diagnosis.diagnose"),
    "SQLAlchemy outside the store": ("compose.py", "import sqlalchemy"),
    "the durable engine outside its folder": ("compose.py", "import dbos"),
    "a top-level module without a place": ("misplaced.py", "import holdfast.core"),
}


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--config", root / "pyproject.toml", "--no-cache"],
        cwd=root,
        env={"PYTHONPATH": str(root / "src"), "PATH": ""},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("planted")
    shutil.copy(ROOT / "pyproject.toml", root)
    shutil.copytree(ROOT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.mark.slow
def test_an_honest_checkout_passes(checkout):
    done = lint(checkout)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("path", "line"), PLANTS.values(), ids=PLANTS.keys())
def test_a_planted_violation_is_found(checkout, path, line):
    file = checkout / "src" / "holdfast" / path
    before = file.read_text() if file.exists() else None
    file.write_text(f"{before or ''}\n{line}\n")
    try:
        done = lint(checkout)
    finally:
        if before is None:
            file.unlink()
        else:
            file.write_text(before)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout or "exhaustive" in done.stdout
