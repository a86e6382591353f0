"""Graph by its documents and recorded answers, asked over plain HTTP with tokens that MSAL got."""

from __future__ import annotations

import itertools
import json
from urllib.parse import quote

import pytest

from tests.sandbox.people import GRAPH, Graph, app_named, app_token, ask_token, redeem


@pytest.fixture
def reader(sandbox):
    return Graph(sandbox, "holdfast-reader")


@pytest.fixture
def admin(sandbox):
    return Graph(sandbox, "holdfast-app-admin")


def recorded(fixtures, name):
    return json.loads((fixtures / "entra" / name).read_text())


def shape(value):
    """Keys and kinds of a payload; null stands for any kind."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return None if value is None else type(value).__name__


def fits(told, known):
    """Whether a payload has the recorded keys, and the recorded kind wherever both have a value."""
    if told is None or known is None:
        return True
    if isinstance(known, dict):
        return (
            isinstance(told, dict) and set(told) == set(known) and all(fits(told[k], known[k]) for k in known)
        )
    if isinstance(known, list):
        return isinstance(told, list) and all(fits(one, known[0]) for one in told if known)
    return told == known


def test_users_come_in_pages_that_follow_the_link(reader):
    seen, url = [], "/users?$top=2&$select=id,displayName,accountEnabled"
    while url:
        page = reader("GET", url).json
        assert len(page["value"]) <= 2
        seen += page["value"]
        url = page.get("@odata.nextLink")
    assert len({one["id"] for one in seen}) == len(seen) == len(reader("GET", "/users").json["value"])
    assert all(set(one) == {"id", "displayName", "accountEnabled"} for one in seen)


def test_a_user_is_found_by_id_or_name(sandbox, reader):
    account = sandbox.ready["accounts"][0]
    for key in (account["object_id"], account["username"], account["username"].upper()):
        assert reader("GET", f"/users/{key}").json["id"] == account["object_id"]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("startswith(displayName,'dana')", ["Dana Kim"]),
        ("displayName eq 'Dana Kim' or displayName eq 'Sam Ortiz'", ["Dana Kim", "Sam Ortiz"]),
        ("accountEnabled eq false", []),
        ("not (displayName ne 'Sam Ortiz')", ["Sam Ortiz"]),
        ("userPrincipalName in ('sam.ortiz@contoso.example')", ["Sam Ortiz"]),
        ("lastPasswordChangeDateTime ge 2100-01-01T00:00:00Z", []),
    ],
)
def test_a_filter_chooses(reader, wanted, names):
    page = reader("GET", f"/users?$select=displayName&$filter={quote(wanted)}").json
    assert [one["displayName"] for one in page["value"]] == names


@pytest.mark.parametrize(
    "query",
    [
        "$filter=displayName%20eq",
        "$filter=nickname%20eq%20'x'",
        "$filter=(((",
        "$filter=displayName%20like%20'x'",
        "$filter=" + "not%20" * 500 + "true",
        "$top=0",
        "$top=abc",
        "$top=99999999999",
        "$skip=10",
        "$skiptoken=%FF%00",
        "$select=nonsense",
        "$orderby=displayName%20sideways",
        "$orderby=nickname",
        "$expand=manager",
        "$search=%22displayName:Dana%22",
        "$apply=aggregate($count%20as%20n)",
    ],
)
def test_a_query_that_makes_no_sense_is_a_bad_request(reader, query):
    reply = reader("GET", f"/users?{query}")
    assert reply.status == 400
    assert reply.json["error"]["code"] == "Request_BadRequest"


def test_a_refusal_has_the_recorded_shape(sandbox, fixtures, admin):
    batch = recorded(fixtures, "graph-batch-errors.json")
    reply = admin("GET", "/users")
    assert reply.status == 403
    assert shape(reply.json) == shape(batch["responses"][0]["body"])
    assert reply.json["error"]["code"] == batch["responses"][0]["body"]["error"]["code"]
    assert reply.json["error"]["message"] == batch["responses"][0]["body"]["error"]["message"]
    wrong = Graph(sandbox, "holdfast-reader")("PUT", "/users")
    assert wrong.status == 405
    assert shape(wrong.json) == shape(batch["responses"][1]["body"])


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer x.y.z", "Bearer " + "a" * 5000, "Basic YTpi"])
def test_without_a_token_for_graph_nobody_is_let_in(sandbox, token):
    reply = sandbox.ask(sandbox.ready["graph"] + "/v1.0/users", headers={"authorization": token})
    assert reply.status == 401
    assert reply.json["error"]["code"] == "InvalidAuthenticationToken"


def test_a_token_for_sql_is_not_one_for_graph(sandbox):
    got = app_token(sandbox, app_named(sandbox, "holdfast-reader"), ["https://database.windows.net/.default"])
    reply = sandbox.ask(
        sandbox.ready["graph"] + "/v1.0/users", headers={"authorization": f"Bearer {got['access_token']}"}
    )
    assert reply.status == 401


def test_a_token_ends_with_its_time(sandbox, reader):
    assert reader("GET", "/users").status == 200
    sandbox.advance(hours=2)
    assert reader("GET", "/users").status == 401


def test_applications_show_their_secrets_ends_and_never_the_text(sandbox, reader):
    text = json.dumps(reader("GET", "/applications").json)
    for app in sandbox.ready["apps"]:
        assert app["secret"] not in text
        found = reader("GET", f"/applications(appId='{app['client_id']}')").json
        assert found["id"] == app["object_id"]
        assert found["passwordCredentials"][0]["secretText"] is None
        assert found["passwordCredentials"][0]["hint"] == app["secret"][:3]


def test_a_new_secret_is_told_once_and_works_when_it_has_spread(unkind, sandbox, fixtures, admin):
    app = app_named(sandbox, "erp-nightly")
    body = {"passwordCredential": {"displayName": "second"}}
    told = admin("POST", f"/applications/{app['object_id']}/addPassword", body).json
    known = recorded(fixtures, "graph-addpassword.json")
    assert fits(shape({k: v for k, v in told.items() if not k.startswith("@")}), shape(known))
    fresh = {**app, "secret": told["secretText"]}
    assert app_token(sandbox, fresh)["error_codes"] == [7000215]
    sandbox.advance(seconds=18)
    assert "access_token" in app_token(sandbox, fresh)
    listed = admin("GET", f"/applications/{app['object_id']}").json["passwordCredentials"]
    assert [one["secretText"] for one in listed] == [None, None]


def test_replicas_disagree_about_a_new_secret(unkind, sandbox, admin):
    app = app_named(sandbox, "erp-nightly")
    outcomes = []
    for _ in range(12):
        told = admin("POST", f"/applications/{app['object_id']}/addPassword", {"passwordCredential": {}}).json
        seen = []
        for _ in range(9):
            sandbox.advance(seconds=2)
            form = {"client_id": app["client_id"], "client_secret": told["secretText"], "scope": GRAPH[0]}
            seen.append(ask_token(sandbox, grant_type="client_credentials", **form).status == 200)
        outcomes.append(seen)
    assert all(seen[-1] for seen in outcomes)
    assert any(earlier and not later for seen in outcomes for earlier, later in itertools.pairwise(seen))


def test_a_removed_secret_is_refused_at_once(sandbox, admin):
    app = app_named(sandbox, "erp-nightly")
    listed = admin("GET", f"/applications/{app['object_id']}").json["passwordCredentials"]
    assert (
        admin(
            "POST", f"/applications/{app['object_id']}/removePassword", {"keyId": listed[0]["keyId"]}
        ).status
        == 204
    )
    assert app_token(sandbox, app)["error_codes"] == [7000215]


def test_an_owner_changes_its_own_applications_only(sandbox, admin):
    reader_app = app_named(sandbox, "holdfast-reader")
    assert admin("POST", f"/applications/{reader_app['object_id']}/addPassword", {}).status == 403


def test_an_application_is_registered_from_nothing(unkind, sandbox, admin):
    made = admin("POST", "/applications", {"displayName": "holdfast/x1 erp"})
    assert made.status == 201
    assert admin("POST", "/servicePrincipals", {"appId": made.json["appId"]}).status in (201, 400)
    sandbox.advance(seconds=6)
    assert admin("POST", "/servicePrincipals", {"appId": made.json["appId"]}).status in (201, 400)
    owners = admin("GET", f"/applications/{made.json['id']}/owners").json["value"]
    assert [one["displayName"] for one in owners] == ["holdfast-app-admin"]
    told = admin("POST", f"/applications/{made.json['id']}/addPassword", {"passwordCredential": {}}).json
    sandbox.advance(seconds=18)
    got = app_token(sandbox, {"client_id": made.json["appId"], "secret": told["secretText"]})
    assert "access_token" in got
    assert admin("DELETE", f"/applications/{made.json['id']}").status == 204
    assert admin("GET", f"/applications/{made.json['id']}").status == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/applications", {"displayName": "x", "nonsense": 1}),
        ("/applications", {"displayName": 7}),
        ("/applications", {}),
        ("/applications", []),
        ("/applications/{id}/addPassword", {"passwordCredential": {"secretText": "mine"}}),
        ("/applications/{id}/addPassword", {"passwordCredential": {"endDateTime": "soon"}}),
        ("/applications/{id}/removePassword", {"keyId": "x"}),
    ],
)
def test_unknown_keys_and_values_are_refused(sandbox, admin, path, body):
    app = app_named(sandbox, "erp-nightly")
    reply = admin("POST", path.format(id=app["object_id"]), body)
    assert reply.status == 400
    assert reply.json["error"]["code"] == "Request_BadRequest"


def test_the_tenants_policy_limits_secrets(sandbox, admin, reader):
    app = app_named(sandbox, "erp-nightly")
    path = f"/applications/{app['object_id']}/addPassword"
    sandbox.event("set_app_policy", passwordLifetime="P90D")
    assert (
        admin("POST", path, {"passwordCredential": {}}).json["error"]["code"]
        == "CredentialInvalidLifetimeAsPerAppPolicy"
    )
    policy = reader("GET", "/policies/defaultAppManagementPolicy").json
    assert policy["applicationRestrictions"]["passwordCredentials"][0]["maxLifetime"] == "P90D"
    sandbox.event("set_app_policy", passwordAddition=True)
    assert admin("POST", path, {"passwordCredential": {}}).status == 403


def test_a_refresh_leaves_a_sign_in_that_only_beta_tells(sandbox, fixtures, reader):
    account = sandbox.ready["accounts"][0]
    redeem(sandbox, account, account["refresh_token"])
    assert reader("GET", "/auditLogs/signIns").json["value"] == []
    wanted = quote("signInEventTypes/any(t: t eq 'nonInteractiveUser')")
    url = sandbox.ready["graph"] + f"/beta/auditLogs/signIns?$filter={wanted}"
    # The connections of the story left rows of their own; this one is of the client that redeemed.
    rows = [row for row in reader("GET", url).json["value"] if row["appId"] == account["client_id"]]
    assert [row["userId"] for row in rows] == [account["object_id"]]
    known = recorded(fixtures, "graph-signins-page.json")["value"][0]
    assert set(known) <= set(rows[0])
    assert all(fits(shape(rows[0][key]), shape(known[key])) for key in known)


def test_a_refused_sign_in_carries_its_code_and_correlation(sandbox, reader):
    app = app_named(sandbox, "erp-nightly")
    sandbox.event("expire_secret", app["client_id"])
    lost = app_token(sandbox, app)
    wanted = quote(f"signInEventTypes/any(t: t eq 'servicePrincipal') and appId eq '{app['client_id']}'")
    rows = reader("GET", sandbox.ready["graph"] + f"/beta/auditLogs/signIns?$filter={wanted}").json["value"]
    assert rows[0]["status"]["errorCode"] == 7000222
    assert rows[0]["correlationId"] == lost["correlation_id"]


def test_the_log_tells_which_secret_was_shown(sandbox, reader, admin):
    app = app_named(sandbox, "erp-nightly")
    app_token(sandbox, app)
    key_id = admin("GET", f"/applications/{app['object_id']}").json["passwordCredentials"][0]["keyId"]
    wanted = quote(
        f"signInEventTypes/any(t: t eq 'servicePrincipal') and servicePrincipalCredentialKeyId eq '{key_id}'"
    )
    rows = reader("GET", sandbox.ready["graph"] + f"/beta/auditLogs/signIns?$filter={wanted}").json["value"]
    assert {row["appId"] for row in rows} == {app["client_id"]}


@pytest.mark.parametrize(
    ("event", "activity"),
    [
        ("change_password", "Change user password"),
        ("reset_password", "Reset password"),
        ("revoke_sessions", "Update StsRefreshTokenValidFrom Timestamp"),
        ("disable_account", "Disable account"),
        ("delete_account", "Delete user"),
        ("hard_delete_account", "Hard Delete user"),
    ],
)
def test_what_an_administrator_does_is_audited(sandbox, fixtures, reader, event, activity):
    account = sandbox.ready["accounts"][0]
    sandbox.event(event, account["username"])
    wanted = quote(f"activityDisplayName eq '{activity}'")
    page = reader("GET", f"/auditLogs/directoryAudits?$filter={wanted}").json
    assert page["value"][0]["targetResources"][0]["id"] == account["object_id"]
    known = recorded(fixtures, "graph-directoryaudits.json")
    assert set(page) == set(known)
    assert fits(shape(page["value"][0]), shape(known["value"][0]))


def test_logs_end_after_30_days(sandbox):
    account = sandbox.ready["accounts"][0]
    sandbox.event("revoke_sessions", account["username"])
    sandbox.advance(days=29)
    assert Graph(sandbox, "holdfast-reader")("GET", "/auditLogs/directoryAudits").json["value"]
    sandbox.advance(days=2)
    assert not Graph(sandbox, "holdfast-reader")("GET", "/auditLogs/directoryAudits").json["value"]


@pytest.fixture
def keeper(sandbox):
    """Graph as an application that may do everything."""
    reader = Graph(sandbox, "holdfast-reader")
    graph = reader("GET", "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')").json
    principals = reader("GET", "/servicePrincipals?$filter=displayName%20eq%20'holdfast-operator'").json[
        "value"
    ]
    wanted = {
        "Directory.ReadWrite.All",
        "Policy.ReadWrite.ConditionalAccess",
        "AppRoleAssignment.ReadWrite.All",
    }
    roles = {role["value"]: role["id"] for role in graph["appRoles"]}
    for value in wanted:
        sandbox.event("grant_role", app_named(sandbox, "holdfast-operator")["client_id"], role=value)
    assert wanted <= set(roles)
    assert principals
    return Graph(sandbox, "holdfast-operator")


CA = "/identity/conditionalAccess/policies"
BLOCK = {
    "displayName": "No tokens",
    "state": "enabled",
    "conditions": {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}},
    "grantControls": {"operator": "OR", "builtInControls": ["block"]},
}


def test_a_policy_made_through_graph_counts_at_once(sandbox, keeper, reader):
    account = sandbox.ready["accounts"][0]
    made = keeper("POST", CA, BLOCK)
    assert made.status == 201
    assert redeem(sandbox, account, account["refresh_token"])["error_codes"] == [53003]
    assert [one["id"] for one in reader("GET", CA).json["value"]] == [made.json["id"]]
    assert keeper("PATCH", f"{CA}/{made.json['id']}", {"state": "disabled"}).status == 204
    assert "access_token" in redeem(sandbox, account, account["refresh_token"])
    assert keeper("DELETE", f"{CA}/{made.json['id']}").status == 204
    assert keeper("GET", f"{CA}/{made.json['id']}").status == 404


def test_a_workload_policy_has_the_published_shape(fixtures, keeper):
    published = recorded(fixtures, "graph-ca-policy-workload.json")
    made = keeper("POST", CA, {**published, "state": "disabled"}).json
    assert set(published) <= set(made)
    for part, value in published["conditions"].items():
        assert made["conditions"][part] == value


def test_the_log_tells_which_policy_fired(sandbox, keeper, reader):
    account = sandbox.ready["accounts"][0]
    made = keeper("POST", CA, BLOCK).json
    lost = redeem(sandbox, account, account["refresh_token"])
    wanted = quote(
        f"signInEventTypes/any(t: t eq 'nonInteractiveUser') and correlationId eq '{lost['correlation_id']}'"
    )
    row = reader("GET", sandbox.ready["graph"] + f"/beta/auditLogs/signIns?$filter={wanted}").json["value"][0]
    assert row["conditionalAccessStatus"] == "failure"
    fired = [one for one in row["appliedConditionalAccessPolicies"] if one["result"] == "failure"]
    assert [(one["id"], one["enforcedGrantControls"]) for one in fired] == [(made["id"], ["block"])]


def test_a_deleted_account_comes_back_within_30_days(sandbox, keeper):
    account = sandbox.ready["accounts"][0]
    assert keeper("DELETE", f"/users/{account['object_id']}").status == 204
    assert keeper("GET", f"/users/{account['object_id']}").status == 404
    listed = keeper("GET", "/directory/deletedItems/microsoft.graph.user").json["value"]
    assert [one["id"] for one in listed] == [account["object_id"]]
    assert keeper("POST", f"/directory/deletedItems/{account['object_id']}/restore").status == 200
    assert "access_token" in redeem(sandbox, account, account["refresh_token"])


def test_after_30_days_nothing_comes_back(sandbox, keeper):
    account = sandbox.ready["accounts"][0]
    keeper("DELETE", f"/users/{account['object_id']}")
    sandbox.advance(days=31)
    later = Graph(sandbox, "holdfast-operator")
    assert later("POST", f"/directory/deletedItems/{account['object_id']}/restore").status == 404


def test_a_permission_is_granted_and_taken(sandbox, keeper):
    app = app_named(sandbox, "erp-nightly")
    principal = keeper("GET", f"/servicePrincipals(appId='{app['client_id']}')").json
    graph = keeper("GET", "/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')").json
    role = next(one for one in graph["appRoles"] if one["value"] == "User.Read.All")
    path = f"/servicePrincipals/{principal['id']}/appRoleAssignments"
    body = {"principalId": principal["id"], "resourceId": graph["id"], "appRoleId": role["id"]}
    made = keeper("POST", path, body)
    assert made.status == 201
    assert Graph(sandbox, "erp-nightly")("GET", "/users").status == 200
    assert keeper("DELETE", f"{path}/{made.json['id']}").status == 204
    assert keeper("GET", path).json["value"] == []


def test_a_batch_answers_each_call_alone(sandbox, fixtures, admin):
    app = app_named(sandbox, "erp-nightly")
    asked = [
        {"id": "1", "method": "GET", "url": f"/applications/{app['object_id']}"},
        {"id": "3", "method": "GET", "url": "/users?$top=1"},
        {"id": "4", "method": "PUT", "url": "/users"},
        {"id": "5", "method": "GET", "url": "/applications", "dependsOn": ["3"]},
    ]
    reply = admin("POST", "/$batch", {"requests": asked})
    told = {one["id"]: one for one in reply.json["responses"]}
    assert {name: one["status"] for name, one in told.items()} == {"1": 200, "3": 403, "4": 405, "5": 424}
    for known in recorded(fixtures, "graph-batch-errors.json")["responses"]:
        assert shape(told[known["id"]]) == shape(known)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"requests": 7},
        {"requests": [{"id": "1"}]},
        {"requests": [{"id": "1", "method": "GET", "url": "/users"}] * 2},
        {"requests": [{"id": str(n), "method": "GET", "url": "/users"} for n in range(21)]},
    ],
    ids=["nothing", "no list", "no method", "one id twice", "too many"],
)
def test_a_batch_that_makes_no_sense_is_refused(admin, body):
    assert admin("POST", "/$batch", body).status == 400


def test_logs_are_throttled_as_published(unkind, reader):
    answers = [reader("GET", "/auditLogs/directoryAudits") for _ in range(6)]
    assert [one.status for one in answers] == [200] * 5 + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 11


def test_policies_are_throttled_without_saying_for_how_long(unkind, reader):
    answers = [reader("GET", CA) for _ in range(3)]
    assert answers[0].status == 200
    assert 429 in [one.status for one in answers]
    assert all("retry-after" not in one.headers for one in answers)


def test_a_person_reads_who_he_is(sandbox):
    account = sandbox.ready["accounts"][0]
    got = redeem(sandbox, account, account["refresh_token"], ["User.Read"])
    reply = sandbox.ask(
        sandbox.ready["graph"] + "/v1.0/me", headers={"authorization": f"Bearer {got['access_token']}"}
    )
    assert reply.json["id"] == account["object_id"]


@pytest.mark.parametrize(
    "path",
    [
        "/domains",
        "/subscribedSkus",
        "/organization",
        "/identity/conditionalAccess/namedLocations",
        "/policies/identitySecurityDefaultsEnforcementPolicy",
        "/policies/appManagementPolicies",
        "/policies/tokenLifetimePolicies",
        "/reports/authenticationMethods/userRegistrationDetails",
        "/users/{account}/authentication/methods",
    ],
)
def test_what_a_reader_may_read_is_answered_and_nobody_else_is(sandbox, reader, admin, path):
    path = path.format(account=sandbox.ready["accounts"][0]["object_id"])
    assert reader("GET", path).status == 200
    assert admin("GET", path).status == 403
