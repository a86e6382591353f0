"""A reader that goes away (`holdfast … | head`) is no reason to fail; output that has no room is."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "words", [["ledger", "-o", "jsonl"], ["causes", "-o", "jsonl"], ["causes"]], ids=" ".join
)
def test_it_ends_quietly_when_nobody_reads(words):
    reading, writing = os.pipe()
    os.close(reading)

    done = subprocess.run(
        [sys.executable, "-m", "holdfast", *words], stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize("words", [["--help"], ["causes"], ["causes", "-o", "jsonl"]], ids=" ".join)
def test_a_disk_that_is_full_is_told_in_one_sentence(words):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "holdfast", *words], stdout=full, stderr=subprocess.PIPE, text=True
        )

    assert done.returncode == 5
    assert "could not be written: No space left on device" in done.stderr
    assert len(done.stderr.splitlines()) == 1
