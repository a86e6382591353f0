"""A reader that goes away (`holdfast … | head`) is no reason to fail."""

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
