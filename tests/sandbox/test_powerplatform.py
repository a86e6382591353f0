from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from holdfast.sandbox.tenant import Host
from holdfast.wire.environments import EnvironmentPage
from holdfast.wire.powerplatform import ConnectionPage
from tests.sandbox.rooms import Rooms, paths

BAP = "/providers/Microsoft.BusinessAppPlatform/scopes/admin/environments"
APPS = "/providers/Microsoft.PowerApps"
OPAQUE = ("connectionParameters", "values")


@pytest.fixture
def rooms() -> Rooms:
    return Rooms()


@pytest.fixture
def finance(rooms: Rooms) -> str:
    return next(one.id for one in rooms.world.environments.values() if one.display_name == "Finance")


def admin_list(rooms: Rooms, environment: str, **more: Any) -> list[dict[str, Any]]:
    query = {"api_version": "2016-11-01", **more}
    answer = rooms.ask(
        Host.POWERAPPS,
        f"{APPS}/scopes/admin/environments/{environment}/connections",
        who=rooms.app("holdfast-reader"),
        **query,
    )
    assert answer.status == 200
    return list(answer.json["value"])


def always(pages: list[Any]) -> set[str]:
    """Paths that every one of the recorded things has."""
    found = [set(paths(page, OPAQUE)) for page in pages]
    return set.intersection(*found)


def ever(pages: list[Any]) -> set[str]:
    return set().union(*(paths(page, OPAQUE) for page in pages))


def test_environments_have_the_recorded_shape(rooms, fixtures: Path):
    recorded = json.loads((fixtures / "power-platform/environments_bap_admin_list_2026.json").read_text())[
        "value"
    ]
    recorded += json.loads((fixtures / "power-platform/environments_bap_admin_list.json").read_text())[
        "value"
    ]
    recorded.append(json.loads((fixtures / "power-platform/environment_bap_admin_get.json").read_text()))
    shown = rooms.ask(Host.BAP, BAP, who=rooms.app("holdfast-reader"), api_version="2021-04-01").json["value"]
    assert ever(shown) <= ever(recorded)
    # The pages of two api-versions differ; what both always have, ours has too.
    assert {path for path in always(recorded) if "runtimeEndpoints" not in path} <= always(shown)
    EnvironmentPage.model_validate({"value": shown})


def test_connections_have_the_recorded_shape(rooms, finance, fixtures: Path):
    recorded = json.loads((fixtures / "power-platform/connections_admin_list.json").read_text())["value"]
    shown = admin_list(rooms, finance)
    assert ever(shown) <= ever(recorded)
    assert always(recorded) <= always(shown)
    ConnectionPage.model_validate({"value": shown})


def test_the_connectivity_list_has_the_recorded_shape(rooms, finance, fixtures: Path):
    recorded = json.loads((fixtures / "power-platform/connections_connectivity_list.json").read_text())[
        "value"
    ]
    admins = json.loads((fixtures / "power-platform/connections_admin_list.json").read_text())["value"]
    permissions = json.loads((fixtures / "power-platform/connection_permissions_list.json").read_text())[
        "value"
    ]
    for one in recorded:
        one["properties"]["permissions"] += permissions
    answer = rooms.ask(
        Host.POWERPLATFORM,
        f"/connectivity/environments/{finance}/connections",
        who=rooms.account("Dana Kim"),
        api_version="2024-10-01",
    )
    assert answer.status == 200
    assert answer.json["value"]
    assert ever(answer.json["value"]) <= ever(recorded) | ever(admins)


def test_an_environment_is_found_by_its_own_host_name(rooms, finance):
    squeezed = finance.replace("-", "")
    answer = rooms.ask(
        Host.POWERPLATFORM,
        "/connectivity/connections",
        who=rooms.account("Dana Kim"),
        headers={"host": f"{squeezed[:-2]}.{squeezed[-2:]}.environment.api.powerplatform.com"},
        api_version="1",
    )
    assert answer.status == 200


def test_ids_in_the_admin_scope_carry_the_admin_prefix(rooms, finance):
    listed = admin_list(rooms, finance)
    assert listed
    for shown in listed:
        prefix = f"{APPS}/scopes/admin/environments/{finance}/apis/shared_sql"
        assert shown["properties"]["apiId"] == prefix
        assert shown["id"] == f"{prefix}/connections/{shown['name']}"


def test_no_answer_tells_a_secret(rooms, finance):
    secrets = {text for one in rooms.world.connections.values() for text in one.secrets.values()}
    written = json.dumps(admin_list(rooms, finance))
    assert secrets
    assert not [text for text in secrets if text in written]


def test_a_maker_sees_his_own_connections_only(rooms, finance):
    dana = rooms.account("Dana Kim")
    answer = rooms.ask(
        Host.POWERAPPS,
        f"{APPS}/connections",
        who=dana,
        api_version="2016-11-01",
        __filter=f"environment eq '{finance}'",
    )
    assert answer.json["value"]
    assert {one["properties"]["createdBy"]["id"] for one in answer.json["value"]} == {dana.object_id}


def test_another_persons_connection_is_not_found(rooms, finance):
    connection = rooms.connection("Invoices")
    path = f"{APPS}/apis/shared_sql/connections/{connection.id}"
    query = {"api_version": "2021-02-01", "__filter": f"environment eq '{finance}'"}
    assert rooms.ask(Host.POWERAPPS, path, who=rooms.account("Sam Ortiz"), **query).status == 200
    answer = rooms.ask(Host.POWERAPPS, path, who=rooms.account("Dana Kim"), **query)
    assert (answer.status, answer.code) == (404, "ConnectionNotFound")


def test_lists_without_an_environment_filter_are_refused(rooms):
    answer = rooms.ask(
        Host.POWERAPPS, f"{APPS}/connections", who=rooms.account("Dana Kim"), api_version="2016-11-01"
    )
    assert (answer.status, answer.code) == (400, "MissingEnvironmentFilter")


def test_an_unknown_api_version_is_answered_with_those_that_there_are(rooms):
    answer = rooms.ask(Host.BAP, BAP, who=rooms.app("holdfast-reader"), api_version="1999-01-01")
    assert (answer.status, answer.code) == (400, "InvalidApiVersion")
    assert "2016-11-01" in answer.json["error"]["message"]


@pytest.mark.parametrize("authorization", ["", "Bearer nonsense", "Bearer a.b.c", "Basic eA=="])
def test_a_call_without_a_good_token_is_refused(rooms, authorization):
    answer = rooms.ask(Host.BAP, BAP, headers={"authorization": authorization}, api_version="2021-04-01")
    assert (answer.status, answer.code) == (401, "InvalidAuthenticationToken")


def test_a_token_for_somebody_else_is_refused(rooms):
    token = rooms.token(rooms.app("holdfast-reader"), "https://graph.microsoft.com")
    answer = rooms.ask(Host.BAP, BAP, headers={"authorization": f"Bearer {token}"}, api_version="2021-04-01")
    assert answer.status == 401


def test_an_expired_token_is_refused(rooms):
    token = rooms.token(rooms.app("holdfast-reader"), "https://service.powerapps.com")
    rooms.advance(hours=2)
    answer = rooms.ask(Host.BAP, BAP, headers={"authorization": f"Bearer {token}"}, api_version="2021-04-01")
    assert answer.status == 401


@pytest.mark.parametrize("name", ["erp-nightly", "holdfast-app-admin"])
def test_an_application_that_is_not_registered_is_forbidden_the_admin_scope(rooms, finance, name):
    path = f"{APPS}/scopes/admin/environments/{finance}/connections"
    answer = rooms.ask(Host.POWERAPPS, path, who=rooms.app(name), api_version="2016-11-01")
    assert (answer.status, answer.code) == (403, "Forbidden")
    assert "does not have permission to access the path" in answer.json["error"]["message"]


def test_a_person_with_the_administrators_role_may_use_the_admin_scope(rooms, finance):
    path = f"{APPS}/scopes/admin/environments/{finance}/apis/shared_sql/connections"
    assert (
        rooms.ask(Host.POWERAPPS, path, who=rooms.account("Lee Brandt"), api_version="2016-11-01").status
        == 200
    )
    assert (
        rooms.ask(Host.POWERAPPS, path, who=rooms.account("Dana Kim"), api_version="2016-11-01").status == 403
    )


def test_unknown_environments_are_missed_as_recorded(rooms, fixtures: Path):
    nobody = "00000000-0000-0000-0000-000000000000"
    recorded = json.loads((fixtures / "power-platform/error_404_bap_environment_not_found.json").read_text())
    reader = rooms.app("holdfast-reader")
    answer = rooms.ask(Host.BAP, f"{BAP}/{nobody}", who=reader, api_version="2021-04-01")
    assert (answer.status, answer.json) == (404, recorded)
    recorded = json.loads(
        (fixtures / "power-platform/error_404_service_to_service_environment_not_found.json").read_text()
    )
    recorded["error"]["message"] = recorded["error"]["message"].replace(
        "00000000-0000-0000-0000-000000000002", rooms.world.tenant_id
    )
    path = f"{APPS}/scopes/admin/environments/{nobody}/connections"
    answer = rooms.ask(Host.POWERAPPS, path, who=reader, api_version="2016-11-01")
    assert (answer.status, answer.json) == (404, recorded)


def test_a_route_that_is_not_there_is_an_empty_404(rooms):
    answer = rooms.ask(Host.POWERAPPS, f"{APPS}/v2/flows", who=rooms.app("holdfast-reader"))
    assert (answer.status, answer.body) == (404, b"")
    assert answer.headers["x-servicefabric"] == "ResourceNotFound"


def test_listing_moves_nothing(rooms, finance):
    before = admin_list(rooms, finance)
    assert admin_list(rooms, finance) == before
