"""The wheel, installed, works outside the checkout: everything it needs is in it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The folder of programs of an environment that holds our wheel, and borrows the dependencies from this one."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    place = folder / "venv"
    venv.create(place, with_pip=False)
    programs = place / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run(
        [str(Path(sys.executable).with_name("uv")), "pip", "install", "--offline", "--no-deps", "--quiet",
         "--python", str(programs / "python"), str(wheel)],
        check=True, capture_output=True,
    )  # fmt: skip
    # After its own packages, so that holdfast itself is the installed one.
    own = subprocess.run(
        [programs / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    (Path(own) / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return programs


@pytest.fixture
def say(installed, tmp_path):
    """Run the installed program in an empty folder."""

    def said(*words: str) -> subprocess.CompletedProcess[str]:
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        environ |= {"HOLDFAST_STATE_DIR": str(tmp_path / "state"), "NO_COLOR": "1"}
        return subprocess.run(
            [installed / "holdfast", *words], cwd=tmp_path, env=environ, capture_output=True, text=True
        )

    return said


def test_the_installed_package_is_the_wheels(installed, tmp_path):
    done = subprocess.run(
        [installed / "python", "-c", "import holdfast; print(holdfast.__file__)"],
        cwd=tmp_path, check=True, capture_output=True, text=True,
    )  # fmt: skip

    assert str(installed.parent) in done.stdout


COMMANDS = {
    "its version": ["--version"],
    "a cause by its tables": ["explain", "AADSTS700082: The refresh token has expired due to inactivity."],
    "a page of the knowledge base": ["causes", "token_inactive"],
    "settings by its templates": ["init", "--config", "here/holdfast.toml"],
    "the demo": ["demo"],
    "a scan of the sandbox": ["scan", "--sandbox=story"],
    "an upgrade of the store by its migrations": ["made", "--sandbox=story"],
}


def test_the_installed_program_does_everything_that_needs_files_of_its_own(say):
    codes = {name: say(*words) for name, words in COMMANDS.items()}

    assert {name: done.stderr for name, done in codes.items() if done.returncode > 1} == {}
