"""What Graph and the policy services tell, in our words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from holdfast.adapters.cloud.graph import GraphDirectory
from holdfast.adapters.cloud.powerplatform import CloudPlatform
from holdfast.core.directory import SignInKind
from holdfast.core.inventory import ConnectorId, Environment, EnvironmentId, FlowId
from holdfast.core.policies import PolicyReach, PolicyState
from tests.fakes.wire import Recorder, a_transport, said

SINCE = datetime(2026, 2, 1, tzinfo=UTC)
SQL = ConnectorId("shared_sql")
FINANCE = Environment(
    EnvironmentId("finance"), "Finance", dataverse_url="https://contoso.api.crm4.dynamics.com"
)


def directory(*answers: Any) -> tuple[GraphDirectory, Recorder]:
    transport, wire = a_transport([said(200, answer) for answer in answers])
    return GraphDirectory(transport), wire


def one(**fields: Any) -> dict[str, Any]:
    return {"value": [fields]}


# --- accounts, sign-ins, changes -----------------------------------------------------------------------


async def test_an_account_tells_what_its_connections_hang_on():
    """After microsoft-graph-docs-contrib user: documented, not recorded."""
    graph, _ = directory(
        one(
            id="u1",
            displayName="Ada Kent",
            userPrincipalName="ada@contoso.example",
            accountEnabled=False,
            userType="Member",
            createdDateTime="2024-01-01T00:00:00Z",
            lastPasswordChangeDateTime="2026-01-02T03:04:05Z",
            signInSessionsValidFromDateTime="2026-01-02T03:04:06Z",
            passwordPolicies="DisablePasswordExpiration, DisableStrongPassword",
            onPremisesSyncEnabled=None,
        )
    )

    (told,) = [account async for account in graph.accounts()]

    assert (told.id, told.is_enabled, told.is_synced, told.is_guest) == ("u1", False, False, False)
    assert told.password_never_expires
    assert told.password_changed_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert told.sessions_valid_from == datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC)


async def test_an_account_with_little_told_is_told_as_little():
    graph, _ = directory(one(id="u1"))

    (told,) = [account async for account in graph.accounts()]

    assert (told.display_name, told.is_enabled, told.sessions_valid_from) == ("u1", None, None)


async def test_a_documented_sign_in_is_told_in_our_words(fixtures: Path):
    page = json.loads((fixtures / "entra/graph-signins-page.json").read_bytes())
    del page["@odata.nextLink"]
    graph, wire = directory(page)

    (told,) = [row async for row in graph.sign_ins_of_account("u'1", SINCE)]

    assert (told.kind, told.code, told.who) == (SignInKind.INTERACTIVE, 0, page["value"][0]["userId"])
    assert told.resource_id == "00000003-0000-0000-c000-000000000000"
    assert told.blocked_by == ()
    assert (
        wire.asked[0]
        .url.params["$filter"]
        .startswith("userId eq 'u''1' and createdDateTime ge 2026-02-01T00:00:00Z and signInEventTypes")
    )


async def test_a_refused_refresh_names_the_policy_that_refused_it():
    """The beta fields after microsoft-graph-docs-contrib beta signin: documented, not recorded."""
    graph, _ = directory(
        one(
            id="s1",
            createdDateTime="2026-02-02T00:00:00Z",
            signInEventTypes=["nonInteractiveUser"],
            userId="u1",
            appId="a1",
            status={"errorCode": 53003, "failureReason": "Blocked"},
            appliedConditionalAccessPolicies=[
                {"id": "p1", "result": "failure"},
                {"id": "p2", "result": "reportOnlyFailure"},
                {"id": "p3", "result": "success"},
            ],
        )
    )

    (told,) = [row async for row in graph.sign_ins_of_account("u1", SINCE)]

    assert (told.kind, told.code, told.blocked_by) == (SignInKind.NON_INTERACTIVE, 53003, ("p1",))


async def test_an_applications_sign_in_names_the_secret_it_used():
    graph, wire = directory(
        one(
            id="s1",
            createdDateTime="2026-02-02T00:00:00Z",
            signInEventTypes=["servicePrincipal"],
            servicePrincipalId="sp1",
            appId="a1",
            servicePrincipalCredentialKeyId="k1",
        )
    )

    (told,) = [row async for row in graph.sign_ins_of_application("a1", SINCE)]

    assert (told.kind, told.who, told.key_id) == (SignInKind.APPLICATION, "sp1", "k1")
    assert wire.asked[0].url.path == "/beta/auditLogs/signIns"


async def test_whoever_needs_only_the_newest_sign_in_asks_for_one_page():
    row = {"id": "s1", "createdDateTime": "2026-02-02T00:00:00Z"}
    more = "https://graph.microsoft.com/beta/auditLogs/signIns?$skiptoken=2"
    graph, wire = directory({"value": [row], "@odata.nextLink": more})

    rows = graph.sign_ins_of_account("u1", SINCE)
    assert (await anext(rows)).id == "s1"

    assert len(wire.asked) == 1


async def test_a_documented_change_is_told_in_our_words(fixtures: Path):
    graph, _ = directory((fixtures / "entra/graph-directoryaudits.json").read_bytes())

    (told,) = [row async for row in graph.changes(SINCE)]

    assert (told.activity, told.succeeded) == ("GroupLifecyclePolicies_Get", True)
    assert told.at == datetime(2024, 12, 27, 10, 1, 19, 579674, tzinfo=UTC)
    assert told.targets == ("00000000-0000-0000-0000-000000000000",)


async def test_a_change_names_who_did_it_to_whom():
    graph, _ = directory(
        one(
            id="c1",
            activityDateTime="2026-02-02T00:00:00Z",
            activityDisplayName="Update application – Certificates and secrets management ",
            result="failure",
            initiatedBy={"user": None, "app": {"servicePrincipalId": "sp1", "displayName": "Rotator"}},
            targetResources=[
                {"id": "o1", "modifiedProperties": [{"displayName": "KeyDescription", "newValue": "[...]"}]},
                {"id": None, "modifiedProperties": None},
            ],
        )
    )

    (told,) = [row async for row in graph.changes(SINCE)]

    assert told.activity == "Update application – Certificates and secrets management"
    assert (told.by, told.by_name, told.succeeded) == ("sp1", "Rotator", False)
    assert (told.targets, told.properties) == (("o1",), ("KeyDescription",))


async def test_rows_without_a_date_are_left_out():
    assert [row async for row in directory(one(id="s1"))[0].sign_ins_of_account("u1", SINCE)] == []
    assert [row async for row in directory(one(id="c1", activityDateTime="?"))[0].changes(SINCE)] == []


# --- policies ------------------------------------------------------------------------------------------


async def test_a_documented_policy_for_applications_is_told_in_our_words(fixtures: Path):
    policy = json.loads((fixtures / "entra/graph-ca-policy-workload.json").read_bytes())
    graph, _ = directory({"value": [policy | {"id": "p1", "state": "enabledForReportingButNotEnforced"}]})

    (told,) = [policy async for policy in graph.access_policies()]

    assert (told.state, told.controls, told.needs_all) == (PolicyState.REPORT_ONLY, ("block",), True)
    assert told.applications.included == {"All"}
    assert told.locations.included == {"All"}
    assert len(told.principals.included) == len(told.principals.excluded) == 1
    assert told.sign_in_frequency is None
    assert told.further_conditions == ()


@pytest.mark.parametrize(
    ("control", "frequency"),
    [
        ({"isEnabled": True, "type": "days", "value": 14}, timedelta(days=14)),
        (
            {"isEnabled": True, "type": "hours", "value": 8, "frequencyInterval": "timeBased"},
            timedelta(hours=8),
        ),
        ({"isEnabled": True, "type": None, "value": None, "frequencyInterval": "everyTime"}, timedelta()),
        ({"isEnabled": False, "type": "days", "value": 14}, None),
        ({"isEnabled": True, "type": "days", "value": None}, None),
        (None, None),
    ],
)
async def test_how_old_a_sign_in_may_be(control, frequency):
    graph, _ = directory(one(id="p1", state="enabled", sessionControls={"signInFrequency": control}))

    (told,) = [policy async for policy in graph.access_policies()]

    assert (told.state, told.sign_in_frequency) == (PolicyState.ENFORCED, frequency)


async def test_conditions_that_are_not_told_are_named():
    conditions = {
        "users": {"includeUsers": ["All"], "excludeGroups": ["g1"]},
        "platforms": {"includePlatforms": ["android"]},
        "userRiskLevels": [],
        "insiderRiskLevels": "elevated",
    }
    graph, _ = directory(one(id="p1", state="disabled", conditions=conditions, grantControls=None))

    (told,) = [policy async for policy in graph.access_policies()]

    assert (told.state, told.users.included, told.groups.excluded) == (
        PolicyState.OFF,
        frozenset({"All"}),
        frozenset({"g1"}),
    )
    assert told.further_conditions == ("platforms", "insiderRiskLevels")


@pytest.mark.parametrize(
    ("fields", "validity", "is_told"),
    [
        ({"passwordValidityPeriodInDays": 90}, timedelta(days=90), True),
        ({"passwordValidityPeriodInDays": 2147483647}, None, True),
        ({"passwordValidityPeriodInDays": None}, None, False),
        ({}, None, False),
    ],
)
async def test_how_long_passwords_live(fields, validity, is_told):
    graph, _ = directory(one(id="contoso.example", authenticationType="Managed", **fields))

    (told,) = [policy async for policy in graph.password_policies()]

    assert (told.validity, told.is_told, told.is_federated) == (validity, is_told, False)


async def test_recorded_data_policies_are_read_one_by_one(fixtures: Path):
    listed = (fixtures / "power-platform/dlp_policies_list.json").read_bytes()
    read = (fixtures / "power-platform/dlp_policy_get.json").read_bytes()
    transport, wire = a_transport([said(200, listed), said(200, read)])

    told = [policy async for policy in CloudPlatform(transport).data_policies()]

    assert [request.url.path.rpartition("/")[2] for request in wire.asked] == [
        "policies",
        "00000000-0000-0000-0000-000000000001",
        "00000000-0000-0000-0000-000000000002",
    ]
    assert told[1].group_of(SQL) == "General"
    assert told[1].reach is PolicyReach.EXCEPT
    assert not told[1].concerns(EnvironmentId("be0eb809-e58a-ec1b-8fce-ea40b0e53442"))
    assert told[1].concerns(EnvironmentId("another"))


async def test_a_recorded_data_policy_may_forbid_native_queries_and_leave_procedures(fixtures: Path):
    raw = (fixtures / "power-platform/dlp_policy_get_sql_action_and_endpoint_rules.json").read_bytes()
    transport, _ = a_transport([said(200, {"value": [json.loads(raw)]}), said(200, raw)])

    (told,) = [policy async for policy in CloudPlatform(transport).data_policies()]

    assert not told.allows_operation(SQL, "ExecutePassThroughNativeQuery_V2")
    assert told.allows_operation(SQL, "ExecuteProcedure_V2")
    assert told.allows_operation(ConnectorId("shared_other"), "Anything")
    assert told.allows_server(SQL, "contoso.com")
    assert not told.allows_server(SQL, "sql.fabrikam.example")
    assert told.group_of(ConnectorId("shared_other")) == "Blocked"


async def test_a_policy_that_forbids_all_but_some_operations(fixtures: Path):
    raw = json.loads((fixtures / "power-platform/dlp_policy_get.json").read_bytes())
    transport, _ = a_transport([said(200, {"value": [raw]}), said(200, raw)])

    (told,) = [policy async for policy in CloudPlatform(transport).data_policies()]

    (connector,) = told.operations
    assert told.allows_operation(connector, "CreateFile_V2")
    assert not told.allows_operation(connector, "DeleteEverything")


# --- apps and runs -------------------------------------------------------------------------------------


async def test_a_canvas_app_names_its_connectors():
    """Modelled on what Get-AdminPowerApp reads; not recorded."""
    references = {
        "a": {"id": "/providers/microsoft.powerapps/apis/shared_sql", "displayName": "SQL Server"},
        "b": {"displayName": "no id"},
    }
    app = {"name": "app-1", "properties": {"displayName": "Orders", "connectionReferences": references}}
    transport, _ = a_transport([said(200, {"value": [app]})])

    (told,) = [app async for app in CloudPlatform(transport).canvas_apps(FINANCE)]

    assert (told.id, told.environment, told.connectors) == ("app-1", FINANCE.id, frozenset({SQL}))


@pytest.mark.parametrize(("status", "succeeded"), [("Succeeded", True), ("Success", True), ("Failed", False)])
async def test_a_run_tells_whether_it_succeeded(status, succeeded):
    """Documented in cloud-flow-run-metadata, not recorded."""
    row = {"name": "r1", "status": status, "starttime": "2026-02-02T00:00:00Z", "errorcode": None}
    transport, wire = a_transport([said(200, {"value": [row]})])

    (told,) = [run async for run in CloudPlatform(transport).runs(FINANCE, FlowId("w1"), SINCE)]

    assert (told.succeeded, told.started_at) == (succeeded, datetime(2026, 2, 2, tzinfo=UTC))
    assert (
        wire.asked[0].url.params["$filter"] == "_workflow_value eq w1 and starttime ge 2026-02-01T00:00:00Z"
    )
