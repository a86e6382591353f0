"""`holdfast inspect` as people and programs use it."""

import json

import pytest

from holdfast.cli.commands.inspect import FIELDS
from holdfast.cli.main import run

HOST = {
    "apiId": "/providers/Microsoft.PowerApps/apis/shared_sql",
    "connectionName": "shared_sql",
    "operationId": "ExecutePassThroughNativeQuery_V2",
}
ACTION = {
    "type": "OpenApiConnection",
    "inputs": {
        "host": HOST,
        "parameters": {"server": "default", "database": "default", "query/query": "SELECT * FROM dbo.T"},
    },
}


@pytest.fixture
def flow(tmp_path):
    file = tmp_path / "flow.json"
    file.write_text(json.dumps({"definition": {"actions": {"Ask": ACTION}}}))
    return file


def test_a_line_has_the_agreed_fields_in_order(flow, capsys):
    assert run(["inspect", str(flow), "-o", "jsonl"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert tuple(told) == FIELDS
    assert (told["file"], told["path"], told["reads"]) == (str(flow), "Ask", ["dbo.T"])
    assert (told["query_dynamic"], told["needs_human"]) == ("no", False)


def test_a_long_query_is_cut(flow, capsys):
    query = "SELECT 1 -- " + "x" * 500
    long = json.loads(json.dumps(ACTION))
    long["inputs"]["parameters"]["query/query"] = query
    flow.write_text(json.dumps({"definition": {"actions": {"Ask": long}}}))

    run(["inspect", str(flow), "-o", "jsonl"])

    assert json.loads(capsys.readouterr().out)["query"] == query[:200]


def test_what_cannot_be_read_is_one_line_beside_the_others(flow, tmp_path, capsys):
    bad = tmp_path / "bad.json"
    bad.write_text("{")

    assert run(["inspect", str(bad), str(flow), "-o", "jsonl"]) == 1

    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert set(first) == {"file", "error"}
    assert second["path"] == "Ask"


def test_a_file_without_a_flow_is_said(tmp_path, capsys):
    file = tmp_path / "other.json"
    file.write_text('{"a": 1}')

    assert run(["inspect", str(file), "-o", "jsonl"]) == 1
    assert "no flow" in json.loads(capsys.readouterr().out)["error"]


def test_people_read_what_it_touches(flow, capsys):
    run(["inspect", str(flow)])

    out = capsys.readouterr().out
    assert "Ask" in out
    assert "reads dbo.T" in out


def test_without_a_file_it_is_a_usage_error():
    assert run(["inspect"]) == 2
