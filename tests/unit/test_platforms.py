"""Nothing of ours needs what Windows or macOS do not have."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# First everything is imported as usual, so that other people's modules are there; then ours once more,
# in a Python in which POSIX-only names are gone for them.
PROBE = """
import builtins, importlib, os, pkgutil, select, signal, socket, sys

banned = sys.argv[1:]
modules = {name for name in banned if "." not in name}

def ours():
    import holdfast
    names = [m.name for m in pkgutil.walk_packages(holdfast.__path__, "holdfast.")]
    return [name for name in names if not name.endswith("__main__") and ".migrations." not in name]

for name in ours():
    importlib.import_module(name)
for name in [m for m in sys.modules if m.split(".")[0] == "holdfast"]:
    del sys.modules[name]
for name in set(banned) - modules:
    module, attribute = name.split(".")
    if hasattr(sys.modules[module], attribute):
        delattr(sys.modules[module], attribute)

real = builtins.__import__
def guarded(name, globals=None, *rest, **more):
    if name in modules and (globals or {}).get("__name__", "").startswith("holdfast"):
        raise ImportError(f"{globals['__name__']} imports {name}, which Windows does not have")
    return real(name, globals, *rest, **more)
builtins.__import__ = guarded

for name in ours():
    importlib.import_module(name)
print(len(ours()))
"""


def posix_only() -> list[str]:
    """As the linter knows them."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    banned = config["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]
    return [name for name, why in banned.items() if why["msg"].startswith("POSIX only")]


def test_every_module_imports_without_posix_only_names():
    done = subprocess.run([sys.executable, "-c", PROBE, *posix_only()], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 30


@pytest.mark.slow
@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_the_types_hold_on_another_platform(platform, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--platform", platform, "--cache-dir", str(tmp_path), "src"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout
