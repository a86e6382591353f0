"""`holdfast demo` tells a story in which every line really happened."""

import os
import re
import subprocess
import sys
from datetime import datetime

import pytest


@pytest.fixture(scope="module")
def telling(tmp_path_factory):
    """One telling in a folder of its own, with a state folder that the demo must leave alone."""
    folder = tmp_path_factory.mktemp("demo")
    state = folder / "state"
    done = subprocess.run(
        [sys.executable, "-m", "holdfast", "demo"],
        cwd=folder,
        env={**os.environ, "HOLDFAST_STATE_DIR": str(state)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done, folder


@pytest.mark.slow
def test_it_ends_well(telling):
    done, _ = telling

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_what_happened_lies_within_what_was_foreseen(telling):
    done, _ = telling
    stamp = r"(\d{4}-\d\d-\d\d \d\d:\d\d)"

    told = re.findall(rf"foreseen  {stamp} to {stamp}.*\n    happened  {stamp}", done.stdout)

    assert len(told) >= 2
    for earliest, latest, happened in ([datetime.fromisoformat(each) for each in line] for line in told):
        assert earliest <= happened <= latest


@pytest.mark.slow
def test_it_leaves_one_report_and_nothing_else(telling):
    _, folder = telling

    assert [path.name for path in folder.iterdir()] == ["holdfast-report.html"]


@pytest.mark.slow
def test_a_report_into_nowhere_is_refused_before_anything_runs(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "holdfast", "demo", "--report", str(tmp_path / "no" / "r.html")],
        capture_output=True,
        text=True,
    )

    assert done.returncode == 2
    assert "there is no folder" in done.stderr
    assert done.stdout == ""
