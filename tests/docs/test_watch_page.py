"""The page of `holdfast watch` names what recurs, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from holdfast.compose import compose
from holdfast.compose.work import jobs
from holdfast.settings import load

PAGE = Path(__file__).parents[2] / "docs" / "watch.md"


def test_every_job_has_its_line(tmp_path: Path):
    file = tmp_path / "holdfast.toml"
    file.write_text('[alerts.channels.ops]\nkind = "webhook"\nurl = "env:HOOK"\n')

    with compose(load(file, {"HOLDFAST_STATE_DIR": str(tmp_path / "state")}), {}) as holdfast:
        names = [job.name for job in jobs(holdfast)]

    assert sorted(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.M)) == sorted(names)
