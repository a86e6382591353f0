"""The ledger as people and programs read it."""

import json

import pytest
from click.testing import CliRunner

from holdfast.cli.main import cli
from holdfast.cli.render import OUTPUTS
from holdfast.wire.ledger import CALLS, SQL_CALLS
from holdfast.wire.vaulting import VAULT_CALLS


def told(*arguments: str) -> str:
    return (
        CliRunner().invoke(cli, ["ledger", *arguments], catch_exceptions=False, standalone_mode=True).output
    )


@pytest.mark.parametrize("output", OUTPUTS)
def test_every_call_is_told_in_every_form(output):
    text = told("-o", output).replace("\\_", "_")

    assert all(call.id in text for call in CALLS)


def test_a_program_reads_who_may_call_and_how_well_it_is_known():
    rows = [json.loads(line) for line in told("-o", "jsonl").splitlines()]

    assert [row["id"] for row in rows] == [call.id for call in (*CALLS, *SQL_CALLS, *VAULT_CALLS)]
    assert all(row["who"] and row["needs"] and row["unlocks"] and row["source"] for row in rows)
    assert {row["support"] for row in rows} <= {"recorded", "documented", "code", "secondary", "assumed"}
