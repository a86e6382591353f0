"""What holdfast makes, changes and removes in a tenant, against one that answers over HTTPS."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from holdfast.adapters.cloud.connect import Access
from holdfast.adapters.cloud.credentials import Credential
from holdfast.adapters.system import SystemClock, new_id
from holdfast.core.errors import CloudError, MissingError, RefusedError
from holdfast.core.inventory import ConnectionId, ConnectorId, Environment, EnvironmentId
from holdfast.core.making import Share, WantedConnection
from holdfast.core.secret import Secret
from holdfast.sandbox import embedded
from holdfast.wire import graph, powerplatform
from holdfast.wire.ledger import Call, HostKind
from holdfast.wire.making import MAKING
from holdfast.wire.making.applications import NEW_PRINCIPAL
from holdfast.wire.making.connections import CONNECTOR, PUT_CONNECTION
from holdfast.wire.shape import Shape
from tests.contract.test_cloud_on_sandbox import Tenant

pytestmark = pytest.mark.usefixtures("impatient")

SQL = ConnectorId("shared_sql")
SERVER = "sql-contoso.database.windows.net"
REDIRECT = "https://global.consent.azure-apim.net/redirect/sql"


@pytest.fixture(scope="module")
def ready() -> Iterator[dict[str, Any]]:
    with embedded("story", frozen=True) as mapping:
        yield mapping


@pytest.fixture
async def tenant(ready: dict[str, Any]) -> AsyncIterator[Tenant]:
    running = Tenant(ready)
    running.control("/faults", {"unkind": False})
    running.control("/clock/advance", {"seconds": 5})
    yield running
    for access in running.opened:
        await access.close()


async def a_place(tenant: Tenant) -> Environment:
    """An environment with Dataverse and a connection of a person in it."""
    truth = tenant.control("/truth")["connections"][0]
    async for environment in tenant.access("reader").platform.environments():
        if environment.id == truth["environment"]:
            return environment
    raise AssertionError("the environment is not told")


def a_connection(tenant: Tenant, environment: Environment, secret: str | None = None) -> WantedConnection:
    app = next(app for app in tenant.ready["apps"] if app["sql_databases"])
    return WantedConnection(
        id=ConnectionId(new_id()),
        environment=EnvironmentId(environment.id),
        connector=SQL,
        display_name="holdfast/p1-1 sales",
        sign_in="oauthSP",
        values={
            "token": REDIRECT,
            "token:TenantId": tenant.ready["tenant_id"],
            "token:clientId": app["client_id"],
        },
        secrets={"token:clientSecret": Secret(secret or app["secret"])},
    )


# --- applications ----------------------------------------------------------------------------------------


async def test_an_application_lives_and_dies(tenant: Tenant):
    registry = tenant.access("app_admin").registry

    made = await registry.register("holdfast/p1-1 sales")
    principal = await registry.make_principal(made.client_id)
    secret, text = await registry.add_secret(
        made.object_id, "holdfast/p1-1", SystemClock().now() + timedelta(days=180)
    )
    tenant.control("/clock/advance", {"hours": 1})
    read = await registry.application(made.object_id)
    labelled = [one.object_id async for one in registry.labelled("holdfast/p1-1")]
    await registry.remove_secret(made.object_id, secret.key_id)
    bare = await registry.application(made.object_id)
    await registry.delete(made.object_id)
    await registry.delete(made.object_id)

    assert await tenant.access("reader").directory.principal_of(made.client_id) is None
    assert [one.key_id for one in read.secrets] == [secret.key_id]
    assert labelled == [made.object_id]
    assert bare.secrets == ()
    assert principal
    assert text.reveal()


async def test_the_identity_of_an_application_is_found(tenant: Tenant):
    app = tenant.ready["apps"][0]

    found = await tenant.access("reader").directory.principal_of(app["client_id"])

    assert found is not None
    assert (found.client_id, found.is_enabled) == (app["client_id"], True)


async def test_an_application_of_somebody_else_is_refused(tenant: Tenant):
    app = next(app for app in tenant.ready["apps"] if app["sql_databases"])

    with pytest.raises(RefusedError) as caught:
        await tenant.access("app_admin").registry.add_secret(
            app["object_id"], "holdfast/p1-1", SystemClock().now() + timedelta(days=9)
        )

    assert caught.value.lacks == "Application.ReadWrite.OwnedBy"


async def test_what_a_policy_forbids_is_told(tenant: Tenant):
    tenant.control("/events", {"event": "set_app_policy", "target": "", "passwordLifetime": "P90D"})

    policy = await tenant.access("reader").directory.app_policy()

    tenant.control("/events", {"event": "set_app_policy", "target": ""})
    assert (policy.allows_secrets, policy.longest_secret) == (True, timedelta(days=90))


async def test_an_application_may_be_excepted(tenant: Tenant):
    app = next(app for app in tenant.ready["apps"] if app["sql_databases"])
    directory = tenant.access("reader").directory
    tenant.control("/events", {"event": "set_app_policy", "target": "", "passwordAddition": True})
    forbidden = await directory.app_policy(app["object_id"])
    tenant.control(
        "/events", {"event": "set_app_policy", "target": app["client_id"], "passwordLifetime": "P9D"}
    )

    excepted = await directory.app_policy(app["object_id"])
    of_others = await directory.app_policy()

    tenant.control("/events", {"event": "set_app_policy", "target": app["client_id"], "remove": True})
    tenant.control("/events", {"event": "set_app_policy", "target": ""})
    assert (forbidden.allows_secrets, of_others.allows_secrets) == (False, False)
    assert (excepted.allows_secrets, excepted.longest_secret) == (True, timedelta(days=9))


# --- connections -----------------------------------------------------------------------------------------


async def test_a_connection_of_a_service_principal_lives_and_dies(tenant: Tenant):
    operator, environment = tenant.access("operator").operator, await a_place(tenant)
    wanted = a_connection(tenant, environment)
    owner = tenant.ready["accounts"][0]["object_id"]
    share = Share(owner, "User", "CanView")

    made = await operator.put_connection(wanted)
    await operator.share(environment.id, SQL, made.id, share)
    shared = await operator.shares(environment.id, SQL, made.id)
    await operator.unshare(environment.id, SQL, made.id, owner)
    alone = await operator.shares(environment.id, SQL, made.id)
    own = [one.id async for one in operator.own_connections(environment.id, SQL)]
    await operator.delete_connection(environment.id, SQL, made.id)
    await operator.delete_connection(environment.id, SQL, made.id)

    assert (made.status, made.client_id) == ("Connected", wanted.values["token:clientId"])
    assert share in shared
    assert share not in alone
    assert own == [made.id]
    with pytest.raises(MissingError):
        await operator.connection(environment.id, SQL, made.id)


async def test_a_connection_is_proven_by_a_query(tenant: Tenant):
    operator, environment = tenant.access("operator").operator, await a_place(tenant)
    app = next(app for app in tenant.ready["apps"] if app["sql_databases"])
    server, database = SERVER, app["sql_databases"][0]
    made = await operator.put_connection(a_connection(tenant, environment))

    await operator.query(made, server, database, "SELECT 1 AS holdfast")
    with pytest.raises(CloudError) as caught:
        await operator.query(made, server, "nowhere", "SELECT 1 AS holdfast")

    assert "nowhere" in str(caught.value)


async def test_the_ways_to_sign_in_are_told(tenant: Tenant):
    environment = await a_place(tenant)

    found = await tenant.access("operator").operator.sign_ins(environment.id, SQL)

    assert {"token:TenantId", "token:clientId", "token:clientSecret"} <= found["oauthSP"]


async def test_no_secret_is_told_by_an_error(tenant: Tenant):
    environment = await a_place(tenant)
    wanted = a_connection(tenant, environment, "Not-The-Secret-0f~It")

    made = await tenant.access("operator").operator.put_connection(wanted)

    assert made.fault is not None
    assert "Not-The-Secret" not in repr(made) + repr(wanted)


# --- flows and references --------------------------------------------------------------------------------


def a_definition(reference: str) -> str:
    entry = {
        "runtimeSource": "embedded",
        "connection": {"connectionReferenceLogicalName": reference},
        "api": {"name": "shared_sql"},
    }
    host = {
        "apiId": "/providers/Microsoft.PowerApps/apis/shared_sql",
        "connectionName": "shared_sql",
        "operationId": "ExecutePassThroughNativeQuery_V2",
    }
    parameters = {"server": "s", "database": "d", "query/query": "SELECT 1 AS holdfast"}
    definition = {
        "$schema": "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {"$connections": {"defaultValue": {}, "type": "Object"}, "$authentication": {"defaultValue": {}, "type": "SecureObject"}},
        "triggers": {"Recurrence": {"type": "Recurrence", "recurrence": {"frequency": "Week", "interval": 1}}},
        "actions": {"Query": {"type": "OpenApiConnection", "inputs": {"host": host, "parameters": parameters, "authentication": "@parameters('$authentication')"}}},
    }  # fmt: skip
    return json.dumps(
        {
            "properties": {"connectionReferences": {"shared_sql": entry}, "definition": definition},
            "schemaVersion": "1.0.0.0",
        }
    )


async def test_a_flow_of_ours_lives_and_dies(tenant: Tenant):
    operator, environment = tenant.access("operator").operator, await a_place(tenant)
    connection = await operator.put_connection(a_connection(tenant, environment))
    other = await operator.put_connection(a_connection(tenant, environment))
    name = f"new_holdfast_{new_id()[:8]}"

    reference = await operator.make_reference(environment, name, "holdfast/p1-1", SQL, connection.id)
    flow = await operator.make_flow(environment, "holdfast/p1-1 sales", a_definition(name), "Keeps alive")
    await operator.switch(environment, flow, True)
    on = await operator.flow(environment, flow)
    await operator.bind(environment, reference, other.id)
    bound = await operator.reference(environment, reference)
    found = [one.id async for one in operator.labelled_flows(environment, "holdfast/p1-1")]
    references = [one.id async for one in operator.labelled_references(environment, "holdfast/p1-1")]
    await operator.switch(environment, flow, False)
    await operator.redefine(environment, flow, a_definition(name).replace("SELECT 1", "SELECT 2"))
    off = await operator.flow(environment, flow)
    await operator.delete_flow(environment, flow)
    await operator.delete_flow(environment, flow)
    await operator.delete_reference(environment, reference)

    assert (on.is_on, on.owner) == (True, await operator.user(environment))
    assert bound.connection == other.id
    assert (found, references) == ([flow], [reference])
    assert not off.is_on
    assert "SELECT 2" in off.clientdata
    with pytest.raises(MissingError):
        await operator.flow(environment, flow)


async def test_a_flow_is_shared_with_whoever_owned_it(tenant: Tenant):
    operator, environment = tenant.access("operator").operator, await a_place(tenant)
    account = tenant.ready["accounts"][0]["object_id"]
    user = await operator.user(environment, account)
    assert user is not None
    name = f"new_holdfast_{new_id()[:8]}"
    await operator.make_reference(environment, name, "holdfast/p1-1", SQL, None)
    flow = await operator.make_flow(environment, "holdfast/p1-1 shared", a_definition(name), "Shared")

    for _ in range(2):
        await operator.share_flow(environment, flow, user)
    shared = await operator.flow_shares(environment, flow)
    await operator.hand_over(environment, flow, user)
    owned = await operator.flow(environment, flow)
    for _ in range(2):
        await operator.unshare_flow(environment, flow, user)
    alone = await operator.flow_shares(environment, flow)

    assert shared == {user}
    assert not alone
    assert owned.owner == user


async def test_a_solution_of_ours_lives_and_dies(tenant: Tenant):
    operator, environment = tenant.access("operator").operator, await a_place(tenant)
    name = f"new_holdfast_{new_id()[:8]}"

    await operator.make_solution(environment, "holdfast/p1-1 keep-alive flows")
    await operator.make_solution(environment, "holdfast/p1-2 keep-alive flows")
    reference = await operator.make_reference(environment, name, "holdfast/p1-1", SQL, None, in_solution=True)
    flow = await operator.make_flow(
        environment, "holdfast/p1-1 sales", a_definition(name), "Keeps alive", in_solution=True
    )
    await operator.delete_solution(environment)
    await operator.delete_solution(environment)
    left = await operator.flow(environment, flow)
    await operator.delete_flow(environment, flow)
    await operator.delete_reference(environment, reference)

    assert left.display_name == "holdfast/p1-1 sales"


async def test_nothing_is_placed_in_a_solution_that_is_not_there(tenant: Tenant):
    operator, environment = tenant.access("operator").operator, await a_place(tenant)

    with pytest.raises(CloudError, match="solution"):
        await operator.make_reference(
            environment, "new_holdfast_x", "holdfast/p1", SQL, None, in_solution=True
        )


async def test_somebody_elses_connection_cannot_be_bound_until_it_is_shared(tenant: Tenant):
    access, environment = tenant.access("operator"), await a_place(tenant)
    theirs = ConnectionId(tenant.control("/truth")["connections"][0]["id"])
    name = f"new_holdfast_{new_id()[:8]}"

    with pytest.raises(RefusedError) as caught:
        await access.operator.make_reference(environment, name, "holdfast/p1-2", SQL, theirs)

    assert "ConnectionAuthorizationFailed" in str(caught.value)


async def test_a_person_is_found_among_the_users(tenant: Tenant):
    operator, environment = tenant.access("operator").operator, await a_place(tenant)

    assert await operator.user(environment, tenant.ready["accounts"][0]["object_id"])
    assert await operator.user(environment, "00000000-0000-0000-0000-000000000000") is None


# --- the ledger ------------------------------------------------------------------------------------------

A_BODY = {
    "properties": {
        "displayName": "a",
        "environment": {},
        "connectionParametersSet": {"name": "oauthSP", "values": {}},
    }
}
NOWHERE = "00000000-0000-0000-0000-000000000000"


def values(tenant: Tenant, environment: Environment) -> Mapping[str, str]:
    truth = tenant.control("/truth")
    app = next(app for app in tenant.ready["apps"] if app["sql_databases"])
    return {
        "environment": environment.id,
        "connector": "shared_sql",
        "connection": truth["connections"][0]["id"],
        "application": app["object_id"],
        "flow": next(one["workflow"] for one in truth["flows"] if one["workflow"]),
        "reference": NOWHERE,
        "solution": NOWHERE,
        "publisher": NOWHERE,
        "name": "holdfast",
        "label": "holdfast/",
        "account": NOWHERE,
        "user": NOWHERE,
        "client": app["client_id"],
        "server": "s",
        "database": "d",
    }


@pytest.mark.parametrize("call", [call for call in MAKING if call is not CONNECTOR], ids=lambda call: call.id)
async def test_an_identity_without_rights_is_refused(tenant: Tenant, call: Call):
    """The connector's description is told to every maker; all else is refused, or is not there for the identity."""
    access: Access = tenant.access("sql_admin")
    environment = await a_place(tenant)
    known = values(tenant, environment)
    at = {name: known[name] for name in call.names}
    base = environment.dataverse_url if call.host is HostKind.DATAVERSE else None

    bodies: Mapping[str, Shape] = {
        NEW_PRINCIPAL.id: graph.NewPrincipal(app_id=known["client"]),
        PUT_CONNECTION.id: powerplatform.WantedConnection.model_validate(A_BODY),
    }

    with pytest.raises((RefusedError, MissingError)):
        await access.transport.do(call, at=at, base=base, body=bodies.get(call.id))


async def test_a_stranger_reaches_nothing(tenant: Tenant):
    access = tenant.connect(Credential(tenant.ready["apps"][0]["client_id"], secret=lambda: Secret("wrong")))

    with pytest.raises(RefusedError):
        await access.registry.register("holdfast/p1-1")
