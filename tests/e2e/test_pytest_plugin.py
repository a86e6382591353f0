"""The pytest plugin, as somebody who installed holdfast uses it."""

from __future__ import annotations

import subprocess
import sys

TESTS = """
from datetime import timedelta

def test_a_tenant_is_there(holdfast_sandbox):
    assert holdfast_sandbox.ready["graph"].startswith("https://localhost:")
    before = holdfast_sandbox.now()
    holdfast_sandbox.happen("disable_account", holdfast_sandbox.account("dana")["username"])
    assert holdfast_sandbox.advance(timedelta(days=91)) == before + timedelta(days=91)
    assert holdfast_sandbox.app("erp-nightly")["secret"]

def test_the_next_one_is_new(holdfast_sandbox):
    told = {one["name"]: one for one in holdfast_sandbox.truth()["connections"]}
    assert told["ERP orders (Dana Kim)"]["usable"]
"""


def run(tmp_path, *options):
    (tmp_path / "test_theirs.py").write_text(TESTS)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    return subprocess.run(
        [*words, *options, str(tmp_path)], capture_output=True, text=True, cwd=tmp_path, timeout=120
    )


def test_the_option_gives_every_test_a_tenant_of_its_own(tmp_path):
    done = run(tmp_path, "--holdfast-sandbox")
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_without_the_option_such_tests_are_skipped_with_a_word(tmp_path):
    done = run(tmp_path, "-rs")
    assert "2 skipped" in done.stdout
    assert "--holdfast-sandbox" in done.stdout


def test_loading_the_plugin_costs_next_to_nothing():
    code = "import holdfast.sandbox.pytest_plugin, sys; print([m for m in sys.modules if m.startswith(('holdfast', 'starlette', 'uvicorn'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "['holdfast', 'holdfast.sandbox', 'holdfast.sandbox.pytest_plugin']"
