"""`holdfast inspect` as people and programs use it."""

import json

import pytest

from holdfast.cli.commands.inspect import FIELDS
from holdfast.cli.main import run
from tests.nasty import NASTY

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


def rights(flow, capsys, *more):
    assert run(["inspect", str(flow), "--grants", "-o", "jsonl", *more]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_grants_name_the_right_with_the_action_that_needs_it(flow, capsys):
    (told,) = rights(flow, capsys)
    assert (told["kind"], told["schema"], told["object"], told["permission"]) == (
        "grant",
        "dbo",
        "T",
        "SELECT",
    )
    assert told["actions"] == ["Ask"]
    assert told["statement"] == "GRANT SELECT ON OBJECT::[dbo].[T] TO [application];"


def test_a_chosen_role_is_told_with_what_it_adds(flow, capsys):
    _, role = rights(flow, capsys, "--grant-role", "db_datareader")
    assert (role["kind"], role["object"]) == ("role", "db_datareader")
    assert role["detail"].startswith("SELECT on every table and view")


def test_a_dynamic_object_is_a_decision(flow, capsys):
    action = json.loads(json.dumps(ACTION))
    action["inputs"]["host"]["operationId"] = "GetItems_V2"
    action["inputs"]["parameters"]["table"] = "@variables('t')"
    flow.write_text(json.dumps({"definition": {"actions": {"Read": action}}}))
    (told,) = rights(flow, capsys)
    assert (told["kind"], told["why"], told["statement"]) == ("decision", "object_dynamic", None)


def test_the_script_makes_the_user_by_its_sid(flow, capsys):
    client = "00112233-4455-6677-8899-aabbccddeeff"
    asked = ["inspect", str(flow), "--grants", "--tsql", "--user", "we]ird", "--client-id", client]
    assert run(asked) == 0
    out = capsys.readouterr().out
    assert "CREATE USER [we]]ird] WITH SID = 0x33221100554477668899AABBCCDDEEFF, TYPE = E;" in out
    assert "GRANT SELECT ON OBJECT::[dbo].[T] TO [we]]ird];" in out


def test_people_read_the_rights_by_database(flow, capsys):
    run(["inspect", str(flow), "--grants"])
    out = capsys.readouterr().out
    assert "database of the connection" in out
    assert "dbo.T" in out


@pytest.mark.parametrize("more", [["--user", "x"], ["--client-id", "x"], ["--user", "x", "--client-id", "x"]])
def test_half_a_user_is_a_usage_error(flow, more):
    assert run(["inspect", str(flow), "--grants", "--tsql", *more]) == 2


@pytest.mark.parametrize("name", NASTY)
def test_no_name_breaks_out_of_the_script(tmp_path, capsys, name):
    action = json.loads(json.dumps(ACTION))
    action["inputs"]["host"]["operationId"] = "GetItems_V2"
    quoted = name.replace("]", "]]")
    action["inputs"]["parameters"]["table"] = f"[dbo].[{quoted}]"
    file = tmp_path / "flow.json"
    file.write_text(json.dumps({"definition": {"actions": {name: action}}}))

    run(["inspect", str(file), "--grants", "--tsql"])

    out = capsys.readouterr().out
    assert out.isprintable() or set(filter(lambda mark: not mark.isprintable(), out)) <= {
        "\n",
        "\u200c",
        "\u200d",
    }
    statements = [line for line in out.splitlines() if line and not line.startswith("--")]
    assert len([line for line in statements if line.startswith("GRANT ")]) <= 1
    assert all(line.startswith(("SET XACT_ABORT", "GRANT ")) for line in statements)
