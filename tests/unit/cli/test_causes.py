"""`holdfast causes`: the list and the pages."""

from __future__ import annotations

import json

import pytest

from holdfast.cli.main import run
from holdfast.diagnosis.causes import BY_ID


def test_the_list_names_every_cause(capsys):
    assert run(["causes", "-o", "jsonl"]) == 0

    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == list(BY_ID)


@pytest.mark.parametrize("output", ["table", "json", "jsonl", "csv", "md"])
@pytest.mark.parametrize("cause", BY_ID)
def test_every_page_prints(capsys, cause, output):
    assert run(["causes", cause, "-o", output]) == 0

    assert BY_ID[cause].CAUSE.title in capsys.readouterr().out


def test_a_cause_that_is_nearly_named_is_suggested(capsys):
    assert run(["causes", "token_inactiv"]) == 2

    assert "token_inactive" in capsys.readouterr().err
