"""The rules and the board ask for metrics that there are."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/prometheus/rules.yml"
BOARD = ROOT / "deploy/prometheus/grafana.json"
NAME = re.compile(r"holdfast_[a-z_]+")


def told() -> set[str]:
    """Every metric that the code tells."""
    tree = ast.parse((ROOT / "src/holdfast/compose/measuring.py").read_text())
    texts = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return {text for text in texts if NAME.fullmatch(text)}


def test_the_rules_ask_for_metrics_that_there_are():
    asked = set(re.findall(r"holdfast_[a-z_]+", " ".join(re.findall(r"expr: (.*)", RULES.read_text()))))

    assert asked
    assert asked <= told()


def test_the_board_asks_for_metrics_that_there_are():
    board = json.loads(BOARD.read_text())
    asked = {
        name
        for panel in board["panels"]
        for target in panel["targets"]
        for name in NAME.findall(target["expr"])
    }

    assert asked
    assert asked <= told()


def test_every_metric_is_documented():
    page = (ROOT / "docs/metrics.md").read_text()

    assert {name for name in told() if f"`{name}`" not in page} == set()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_takes_the_rules():
    subprocess.run(["promtool", "check", "rules", str(RULES)], check=True)
