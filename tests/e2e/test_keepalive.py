"""A quarterly connection is kept alive, command by command, on the embedded tenant."""

from __future__ import annotations

import json
import ssl
import urllib.parse
import urllib.request
import zipfile
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli.main import run
from holdfast.cli.session import sandbox_folder
from holdfast.core.plan import read_plan
from holdfast.keepalive.solution import component_parameters, solution_zip
from holdfast.sandbox import embedded


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    file = tmp_path / "plan.json"
    assert run(["scan", "--sandbox=story"]) == 0
    assert run(["keepalive", "plan", "--sandbox=story", "--out", str(file)]) == 0
    capsys.readouterr()
    return file


def holdfast(*words: str) -> int:
    return run([*words, "--sandbox=story"])


def share(plan: Path) -> str:
    content = json.loads(plan.read_text())
    connection = content["steps"][0]["connection"]
    assert (
        holdfast("sandbox", "do", "share_connection", connection, f"with={content['choices']['operator']}")
        == 0
    )
    return str(connection)


def rows(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    holdfast(*words, "-o", "jsonl")
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_only_what_would_go_idle_is_planned(plan: Path):
    content = json.loads(plan.read_text())

    assert len({step["connection"] for step in content["steps"]}) == 1
    assert {each["reason"] for each in content["declined"]} >= {"no_refresh_token", "not_needed:kept_alive"}


def test_a_misspelt_database_is_refused_since_it_would_not_be_spared(plan: Path, capsys):
    misspelt = "sql-contoso.database.windows.net/finanse"

    assert holdfast("keepalive", "plan", "--serverless", misspelt) == 2

    assert "Nearest: sql-contoso.database.windows.net/finance" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "runs"), [((), (12, 3)), (("--monthly",), (3, 12))], ids=["weekly", "monthly"]
)
def test_a_plan_tells_the_risk_of_either_cadence(plan: Path, capsys, words: tuple[str, ...], runs):
    assert holdfast("keepalive", "plan", *words) == 0

    told = capsys.readouterr().out
    assert f"Risk: {runs[0]} runs within 90 days" in told
    assert f"instead: {runs[1]} runs within 90 days" in told


def test_a_fact_that_nobody_can_answer_for_is_refused(plan: Path, capsys):
    assert holdfast("keepalive", "plan", "--accept", "target=ada:known") == 2

    assert "it is one of access_policies, connector" in capsys.readouterr().err


def test_it_waits_for_the_owner_and_says_so(plan: Path, capsys: pytest.CaptureFixture[str]):
    assert holdfast("keepalive", "apply", str(plan), "--yes", "--wait", "0s") == 1

    told = capsys.readouterr().out
    assert "waiting" in told
    assert "Can use" in told


def test_it_is_proven_by_the_witness_after_its_run(plan: Path, capsys: pytest.CaptureFixture[str]):
    connection = share(plan)
    assert holdfast("keepalive", "apply", str(plan), "--yes", "--wait", "0s") == 0
    [before] = rows(capsys, "keepalive", "status")

    holdfast("sandbox", "advance", "120d")
    holdfast("scan")
    [after] = rows(capsys, "keepalive", "status")

    assert (before["problem"], before["proven_at"]) == ("", None)
    assert (after["problem"], after["connection"]) == ("", connection)
    assert after["proven_at"]
    [standing] = [row for row in rows(capsys, "status") if row["connection"] == connection]
    assert standing["state"] != "broken"


def test_a_flow_that_was_switched_off_is_found(plan: Path, capsys: pytest.CaptureFixture[str]):
    share(plan)
    holdfast("keepalive", "apply", str(plan), "--yes", "--wait", "0s")
    [found] = rows(capsys, "keepalive", "status")
    holdfast("sandbox", "do", "turn_off_flow", found["flow"])

    assert holdfast("keepalive", "status") == 1
    assert "flow_off" in capsys.readouterr().out


def test_a_flow_that_was_switched_off_is_told_by_the_watch(plan: Path, capsys: pytest.CaptureFixture[str]):
    share(plan)
    holdfast("keepalive", "apply", str(plan), "--yes", "--wait", "0s")
    [found] = rows(capsys, "keepalive", "status")
    holdfast("sandbox", "do", "turn_off_flow", found["flow"])

    told = rows(capsys, "watch", "--once")

    [looked] = [each for each in told if each["job"] == "keepalive"]
    assert "1 flow_off" in looked["said"]
    assert looked["attention"] == 1
    [alert] = [each for each in rows(capsys, "alerts", "list") if each["topic"] == "keepalive.overdue"]
    assert alert["connections"] == [found["connection"]]


def test_undo_leaves_nothing(plan: Path, capsys: pytest.CaptureFixture[str]):
    share(plan)
    holdfast("keepalive", "apply", str(plan), "--yes", "--wait", "0s")

    assert holdfast("keepalive", "undo", str(plan), "--yes", "--wait", "0s") == 0
    holdfast("scan")

    assert {row["kind"] for row in rows(capsys, "made")} == {"application"}


def test_an_undone_plan_is_not_applied_again(plan: Path, capsys: pytest.CaptureFixture[str]):
    holdfast("keepalive", "apply", str(plan), "--yes", "--wait", "0s")
    holdfast("keepalive", "undo", str(plan), "--yes", "--wait", "0s")

    assert holdfast("keepalive", "apply", str(plan), "--yes", "--wait", "0s") == 2
    assert "undone" in capsys.readouterr().err


def test_an_edited_plan_is_refused(plan: Path, capsys: pytest.CaptureFixture[str]):
    plan.write_text(plan.read_text().replace("weekly", "monthly"))

    assert holdfast("keepalive", "apply", str(plan), "--yes") == 2
    assert "edited" in capsys.readouterr().err


def test_a_plan_of_another_store_needs_its_digest(
    plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    digest = json.loads(plan.read_text())["digest"]
    (tmp_path / "other" / "sandbox").mkdir(parents=True)
    story = tmp_path / "state" / "sandbox" / "story"
    (tmp_path / "other" / "sandbox" / "story").mkdir()
    for file in story.glob("story.json*"):
        (tmp_path / "other" / "sandbox" / "story" / file.name).write_bytes(file.read_bytes())
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path / "other"))

    without = holdfast("keepalive", "apply", str(plan), "--yes", "--wait", "0s")
    wrong = holdfast("keepalive", "apply", str(plan), "--yes", "--wait", "0s", "--digest", "0" * 64)
    right = holdfast("keepalive", "apply", str(plan), "--yes", "--wait", "0s", "--digest", digest)

    assert (without, wrong, right) == (2, 2, 1)
    assert "--digest" in capsys.readouterr().err


def test_nobody_is_asked_off_a_terminal(plan: Path, capsys: pytest.CaptureFixture[str]):
    assert holdfast("keepalive", "apply", str(plan)) == 2
    assert "--yes" in capsys.readouterr().err


def test_planning_writes_nothing(plan: Path, capsys: pytest.CaptureFixture[str]):
    assert {row["kind"] for row in rows(capsys, "made")} == {"application"}


def test_a_plan_is_exported_for_people_to_import(
    plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / "keepalive.zip"

    assert holdfast("keepalive", "export", str(plan), "--out", str(out)) == 0

    bound = json.loads((tmp_path / "keepalive.settings.json").read_text())["ConnectionReferences"]
    assert [each["ConnectionId"] for each in bound] == [
        json.loads(plan.read_text())["steps"][0]["connection"]
    ]
    with zipfile.ZipFile(out) as file:
        assert {"[Content_Types].xml", "solution.xml", "customizations.xml"} < set(file.namelist())


def test_nothing_is_exported_for_an_environment_without_flows(plan: Path, tmp_path: Path):
    words = ("keepalive", "export", str(plan), "--out", str(tmp_path / "x.zip"), "--environment", "nowhere")

    assert holdfast(*words) == 2


def applied(plan: Path) -> str:
    connection = share(plan)
    assert holdfast("keepalive", "apply", str(plan), "--yes", "--wait", "0s") == 0
    return connection


def test_a_flow_that_is_off_is_switched_on_again(plan: Path, capsys: pytest.CaptureFixture[str]):
    applied(plan)
    [found] = rows(capsys, "keepalive", "status")
    holdfast("sandbox", "do", "turn_off_flow", found["flow"])

    assert holdfast("keepalive", "status", "--switch-on") == 0

    assert rows(capsys, "keepalive", "status")[0]["problem"] == ""


def test_a_run_is_started_by_people_only(plan: Path, capsys: pytest.CaptureFixture[str]):
    applied(plan)
    holdfast("sandbox", "do", "require_mfa", "svc-reports@contoso.example")
    [due] = rows(capsys, "keepalive", "status")
    # Two weeks hold two weekly runs wherever the first was drawn, and the platform has not yet given the flow up.
    holdfast("sandbox", "advance", "10d")
    holdfast("sandbox", "advance", "4d")
    [failing] = rows(capsys, "keepalive", "status")

    assert holdfast("keepalive", "status", "--run") == 2
    assert (due["problem"], failing["problem"]) == ("", "runs_failing")
    assert "by a person who owns it" in capsys.readouterr().err


def test_a_connection_deleted_between_plan_and_apply_is_refused(
    plan: Path, capsys: pytest.CaptureFixture[str]
):
    connection = share(plan)
    holdfast("sandbox", "do", "delete_connection", connection)
    holdfast("sandbox", "advance", "1h")
    holdfast("scan")
    capsys.readouterr()

    assert holdfast("keepalive", "apply", str(plan), "--yes", "--wait", "0s") == 1
    assert "gone" in capsys.readouterr().out


def test_two_plans_make_one_flow(plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    second = tmp_path / "second.json"
    holdfast("keepalive", "plan", "--out", str(second))
    applied(plan)

    [late] = rows(capsys, "keepalive", "apply", str(second), "--yes", "--wait", "0s")
    assert (late["state"], late["stands"]) == ("refused", [])
    holdfast("keepalive", "plan", "-o", "json")

    declined = {each["reason"] for each in json.loads(capsys.readouterr().out)["declined"]}
    assert "not_needed:planned" in declined


def test_an_owner_disabled_between_plan_and_apply_stops_it_until_enabled(
    plan: Path, capsys: pytest.CaptureFixture[str]
):
    share(plan)
    holdfast("sandbox", "do", "disable_account", "svc-reports@contoso.example")
    holdfast("sandbox", "advance", "1h")
    holdfast("scan")
    capsys.readouterr()

    assert holdfast("keepalive", "apply", str(plan), "--yes", "--wait", "0s") == 1
    assert "broken since" in capsys.readouterr().out

    holdfast("sandbox", "do", "enable_account", "svc-reports@contoso.example")
    holdfast("sandbox", "advance", "1h")
    holdfast("scan")
    assert holdfast("keepalive", "apply", str(plan), "--yes", "--wait", "0s") == 0


def test_a_flow_that_a_data_policy_suspends_is_found_and_goes_on_when_allowed(
    plan: Path, capsys: pytest.CaptureFixture[str]
):
    applied(plan)
    place = json.loads(plan.read_text())["steps"][0]["environment"]
    holdfast("sandbox", "do", "dlp_block", place)
    # A run is due meanwhile, and is not missed afterwards.
    holdfast("sandbox", "advance", "8d")
    [suspended] = rows(capsys, "keepalive", "status")
    refused = holdfast("keepalive", "status", "--switch-on")
    holdfast("sandbox", "do", "dlp_allow", place)
    holdfast("sandbox", "advance", "1d")

    again = holdfast("keepalive", "status", "--switch-on")

    assert (suspended["problem"], refused, again) == ("flow_suspended", 1, 0)


class Maker:
    """Somebody with a script, who may use the connection: the operator's application, without holdfast."""

    def __init__(self, ready: dict[str, Any], environment: str) -> None:
        self.tls = ssl.create_default_context(cafile=ready["ca_file"])
        self.host, self.control = ready["dataverse"][environment], ready["control"]
        app = next(each for each in ready["apps"] if each["name"] == ready["roles"]["operator"])
        form = {
            "grant_type": "client_credentials",
            "client_id": app["client_id"],
            "client_secret": app["secret"],
            "scope": f"{self.host.rstrip('/')}/.default",
        }
        url = f"{ready['authority']}/{ready['tenant_id']}/oauth2/v2.0/token"
        with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode(), context=self.tls) as answer:
            self.token = json.load(answer)["access_token"]

    def imports(self, plan: Path, place: str) -> None:
        """As `pac solution import` does it."""
        content = read_plan(plan.read_text(), "the plan")
        zipped = b64encode(solution_zip(content, place)).decode()
        staged = self._ask("StageSolution", {"CustomizationFile": zipped})["StageSolutionResults"]
        parameters = {"StageSolutionUploadId": staged["StageSolutionUploadId"]}
        self._ask(
            "ImportSolutionAsync",
            {
                "PublishWorkflows": True,
                "OverwriteUnmanagedCustomizations": True,
                "SkipProductUpdateDependencies": False,
                "SolutionParameters": parameters,
                "ComponentParameters": component_parameters(content, place),
            },
        )

    def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self.host.rstrip('/')}/api/data/v9.2/{path}",
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, context=self.tls) as answer:
            told: dict[str, Any] = json.load(answer)
            return told


def test_a_flow_that_somebody_imported_is_watched(plan: Path, capsys: pytest.CaptureFixture[str]):
    share(plan)
    place = json.loads(plan.read_text())["steps"][0]["environment"]
    with embedded("story", state=sandbox_folder("story")) as ready:
        Maker(ready, place).imports(plan, place)
    holdfast("sandbox", "advance", "8d")
    holdfast("scan")
    [proven] = rows(capsys, "keepalive", "status")
    holdfast("sandbox", "do", "turn_off_flow", proven["flow"])

    [off] = rows(capsys, "keepalive", "status", "--switch-on")

    assert (proven["problem"], off["problem"]) == ("", "flow_off")
    assert proven["proven_at"]
