"""The client against a tenant that answers over HTTPS: every call of the ledger, and the recorded shapes."""

from __future__ import annotations

import asyncio
import json
import ssl
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel

from holdfast.adapters.cloud.connect import Access, connect
from holdfast.adapters.cloud.credentials import Credential
from holdfast.adapters.system import SystemClock
from holdfast.core.errors import CloudError, MissingError, RefusedError, UnreachableError
from holdfast.core.identity import Role
from holdfast.core.inventory import SQL_CONNECTORS, Environment
from holdfast.core.probe import Answered, Probe
from holdfast.core.secret import Secret
from holdfast.sandbox import embedded
from holdfast.wire import dataverse, environments, flows, graph, policies, powerplatform, signins
from holdfast.wire.ledger import (
    CALLS,
    FAILED_RUNS,
    OPENID_CONFIGURATION,
    OWN_CONNECTION,
    OWN_CONNECTIONS,
    TOKEN,
    Call,
    HostKind,
)
from holdfast.wire.making import MAKING
from holdfast.wire.shape import zulu
from tests.contract.test_wire import unnamed
from tests.sandbox.rooms import paths
from tests.unit.adapters.cloud.test_tokens import key_pair

pytestmark = pytest.mark.usefixtures("impatient")

KINDS = ("authority", "graph", "bap", "powerapps", "flow", "powerplatform", "apihub")


class Trial(NamedTuple):
    """How a call is tried: its shape, and the roles that may and may not make it; None where nobody is refused."""

    shape: type[BaseModel]
    may: str = "reader"
    may_not: str | None = "app_admin"
    is_list: bool = True


TRIALS: Mapping[str, Trial] = {
    "bap.environments.admin_list": Trial(environments.Environment),
    "powerapps.environments.list": Trial(environments.Environment, may_not=None),
    "bap.environments.admin_get": Trial(environments.Environment, is_list=False),
    "powerapps.connections.admin_list": Trial(powerplatform.Connection),
    "powerapps.connections.admin_list_by_connector": Trial(powerplatform.Connection),
    # A maker is refused nothing by these two; he only does not see what is not his.
    "powerapps.connections.list": Trial(powerplatform.Connection, may_not=None),
    "powerapps.connections.get": Trial(powerplatform.Connection, may_not=None, is_list=False),
    "powerapps.connections.consent_link": Trial(powerplatform.ConsentLink, is_list=False),
    "graph.applications.list": Trial(graph.Application, may_not="sql_admin"),
    "graph.service_principals.list": Trial(graph.ServicePrincipal, may_not="sql_admin"),
    "graph.users.list": Trial(graph.User, may_not="sql_admin"),
    "dataverse.workflows.list": Trial(dataverse.Workflow),
    "dataverse.connection_references.list": Trial(dataverse.ConnectionReference),
    "dataverse.flow_runs.list": Trial(dataverse.FlowRun),
    "dataverse.failed_runs.list": Trial(dataverse.FlowRun),
    "flow.flows.list": Trial(flows.Flow),
    "flow.flows.get": Trial(flows.Flow, is_list=False),
    "flow.triggers.list": Trial(flows.Trigger),
    "flow.triggers.run": Trial(flows.Trigger),
    "bap.data_policies.list": Trial(policies.Policy),
    "bap.data_policies.get": Trial(policies.Policy, is_list=False),
    "powerapps.apps.admin_list": Trial(powerplatform.CanvasApp),
    "flow.flows.admin_list": Trial(flows.Flow),
    "flow.flows.admin_get": Trial(flows.Flow, is_list=False),
    "flow.runs.list": Trial(flows.Run),
    "flow.run_actions.list": Trial(flows.RunAction),
    "flow.run_content.get": Trial(flows.ActionOutputs, is_list=False),
    "graph.domains.list": Trial(signins.Domain, may_not="sql_admin"),
    "graph.conditional_access_policies.list": Trial(signins.ConditionalAccessPolicy, may_not="sql_admin"),
    "graph.users.mfa_state": Trial(graph.AuthenticationRequirements, may_not="sql_admin", is_list=False),
    "graph.sign_ins.of_account": Trial(signins.SignIn, may_not="sql_admin"),
    "graph.sign_ins.of_application": Trial(signins.SignIn, may_not="sql_admin"),
    "graph.directory_audits.list": Trial(signins.DirectoryAudit, may_not="sql_admin"),
}


# Only people may ask these: see test_person_on_sandbox.
NO_ROOM = frozenset(
    {
        "flow.flows.admin_list",
        "flow.flows.admin_get",
        "flow.runs.list",
        "flow.run_actions.list",
        "flow.run_content.get",
        "powerapps.connections.consent_link",
        "flow.flows.list",
        "flow.flows.get",
        "flow.triggers.list",
        "flow.triggers.run",
    }
)


@pytest.fixture(scope="module")
def ready() -> Iterator[dict[str, Any]]:
    with embedded("story", frozen=True) as mapping:
        yield mapping


class Tenant:
    """The running sandbox and ways into it."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.ready = ready
        self.opened: list[Access] = []

    def access(self, role: str, **changes: Any) -> Access:
        app = next(a for a in self.ready["apps"] if a["name"] == self.ready["roles"][role])
        return self.connect(Credential(app["client_id"], secret=lambda: Secret(app["secret"])), **changes)

    def connect(self, credential: Credential, **changes: Any) -> Access:
        given: dict[str, Any] = {
            "hosts": {kind: self.ready[kind] for kind in KINDS},
            "dataverse": list(self.ready["dataverse"].values()),
            "allow_custom_hosts": True,
            "ca_file": Path(self.ready["ca_file"]),
        }
        tenant = changes.pop("tenant", self.ready["tenant_id"])
        access = connect(tenant, credential, SystemClock(), **given | changes)
        self.opened.append(access)
        return access

    def refresh(self, account: dict[str, Any]) -> None:
        """Redeem the account's refresh token, so that there is a sign-in to read about."""
        form = {name: account[name] for name in ("client_id", "refresh_token")} | {
            "grant_type": "refresh_token"
        }
        with urllib.request.urlopen(
            f"{self.ready['authority']}/{self.ready['tenant_id']}/oauth2/v2.0/token",
            urllib.parse.urlencode(form).encode(),
            timeout=20,
            context=ssl.create_default_context(cafile=self.ready["ca_file"]),
        ) as answer:
            assert answer.status == 200

    def control(self, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            self.ready["control"] + path, headers={"content-type": "application/json"}
        )
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(request, data, timeout=20) as answer:
            return json.loads(answer.read())


@pytest.fixture
async def tenant(ready: dict[str, Any]) -> AsyncIterator[Tenant]:
    running = Tenant(ready)
    # Some calls may be made once a second only: what one test asked must not throttle the next.
    running.control("/clock/advance", {"seconds": 5})
    yield running
    for access in running.opened:
        await access.close()


async def told(access: Access, call: Call, at: Mapping[str, str]) -> list[BaseModel]:
    """What the call gives, as its shape."""
    trial = TRIALS[call.id]
    needed = {name: value for name, value in at.items() if "{" + name + "}" in call.path + str(call.query)}
    base = at["dataverse"] if call.host is HostKind.DATAVERSE else None
    if trial.is_list:
        return [one async for one in access.transport.items(call, trial.shape, at=needed, base=base)]
    return [await access.transport.read(call, trial.shape, at=needed, base=base)]


async def a_place(tenant: Tenant) -> dict[str, str]:
    """Values for every name in the ledger's paths, of a connection that is there."""
    world = tenant.control("/truth")
    truth = world["connections"][0]
    dataverse = tenant.ready["dataverse"][truth["environment"]]
    workflow = next(one["workflow"] for one in world["flows"] if one["workflow"] and one["last_run_at"])
    account = tenant.ready["accounts"][0]
    tenant.refresh(account)
    tenant.control(
        "/events", {"event": "revoke_sessions", "target": tenant.ready["accounts"][-1]["object_id"]}
    )
    tenant.control("/events", {"event": "add_policy", "kind": "mfa", "report_only": True})
    return {
        "tenant": tenant.ready["tenant_id"],
        "environment": truth["environment"],
        "connector": "shared_sql",
        "connection": truth["id"],
        "dataverse": dataverse,
        "flow": workflow,
        "policy": world["data_policies"][0]["id"],
        "account": account["object_id"],
        "client": next(app["client_id"] for app in tenant.ready["apps"]),
        "since": zulu(SystemClock().now() - timedelta(days=20)),
    }


TRIED = [
    call for call in CALLS if call not in (OPENID_CONFIGURATION, TOKEN, *MAKING) and call.id not in NO_ROOM
]


@pytest.mark.parametrize(
    "call", [call for call in TRIED if call is not OWN_CONNECTION], ids=lambda call: call.id
)
async def test_an_allowed_identity_is_answered_in_a_known_shape(tenant: Tenant, call: Call):
    answers = await told(tenant.access(TRIALS[call.id].may), call, await a_place(tenant))

    assert [path for one in answers for path in unnamed(one)] == []
    # The identities of the sandbox own none, and every flow of the story in a solution runs well.
    assert answers or call in (OWN_CONNECTIONS, FAILED_RUNS)


async def test_a_connection_of_somebody_else_is_missing(tenant: Tenant):
    with pytest.raises(MissingError) as caught:
        await told(tenant.access("operator"), OWN_CONNECTION, await a_place(tenant))

    assert caught.value.code == "ConnectionNotFound"


@pytest.mark.parametrize(
    "call", [call for call in TRIED if TRIALS[call.id].may_not], ids=lambda call: call.id
)
async def test_another_identity_is_refused_and_told_what_it_lacks(tenant: Tenant, call: Call):
    access = tenant.access(TRIALS[call.id].may_not or "")

    with pytest.raises(RefusedError) as caught:
        await told(access, call, await a_place(tenant))

    assert caught.value.lacks == call.needs
    assert caught.value.operation == call.id


def test_every_call_of_the_ledger_is_tried():
    # What makes and changes is tried in test_making_on_sandbox.
    elsewhere = {call.id for call in (OPENID_CONFIGURATION, TOKEN, *MAKING)}
    assert {call.id for call in CALLS} == set(TRIALS) | elsewhere


async def test_the_inventory_is_the_tenants_own(tenant: Tenant):
    access = tenant.access("reader")
    truth = tenant.control("/truth")["connections"]

    found = [
        (environment.id, connection.id)
        async for environment in access.platform.environments()
        for connector in SQL_CONNECTORS
        async for connection in access.platform.connections(environment, connector)
    ]

    assert sorted(found) == sorted((one["environment"], one["id"]) for one in truth)


async def test_the_directory_is_the_tenants_own(tenant: Tenant):
    secrets = {app["client_id"]: app["secrets"] for app in tenant.control("/truth")["apps"]}

    found = {app.client_id: app async for app in tenant.access("reader").directory.service_principals()}

    assert set(found) == set(secrets)
    for client_id, app in found.items():
        assert {secret.key_id for secret in app.secrets} == {one["key_id"] for one in secrets[client_id]}
        assert all(secret.expires_at and secret.starts_at for secret in app.secrets)


RECORDED = {
    "bap.environments.admin_list": (
        "environments_bap_admin_list_2026.json",
        "environments_bap_admin_list.json",
    ),
    "powerapps.connections.admin_list": ("connections_admin_list.json",),
}


@pytest.mark.parametrize(("call_id", "files"), RECORDED.items(), ids=RECORDED.keys())
async def test_an_answer_has_the_recorded_fields(
    tenant: Tenant, fixtures: Path, call_id: str, files: tuple[str, ...]
):
    answered = [json.loads((fixtures / "power-platform" / file).read_bytes()) for file in files]
    recorded = [one for answer in answered for one in answer["value"]]
    call = next(call for call in CALLS if call.id == call_id)
    # Maps: their keys differ from connector to connector, and with what a tenant serves.
    opaque = ("connectionParameters", "values", "runtimeEndpoints")

    answers = await told(tenant.access("reader"), call, await a_place(tenant))

    ever = {path for one in recorded for path in paths(one, opaque)}
    always = set.intersection(*(set(paths(one, opaque)) for one in recorded))
    for one in answers:
        written = set(paths(json.loads(one.model_dump_json(by_alias=True, exclude_unset=True)), opaque))
        assert written <= ever
        assert always <= written


# --- probes --------------------------------------------------------------------------------------------


async def probes(tenant: Tenant, identity: str, role: Role) -> dict[str, Probe]:
    return {one.call: one async for one in tenant.access(identity).probe(role)}


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.FLOW_READER])  # who is a person
async def test_the_identity_of_a_role_may_do_all_that_the_role_does(tenant: Tenant, role: Role):
    found = await probes(tenant, role, role)

    writing = {call.id for call in CALLS if call.writes}
    asked = {one.answered for call, one in found.items() if call not in NO_ROOM | writing}
    assert asked == {Answered.ALLOWED}
    # A security role is read by its name; all else that writes is not asked.
    assert {found[call].answered for call in writing & set(found)} <= {Answered.NOT_ASKED, Answered.ALLOWED}
    assert list(found) == [call.id for call in CALLS if role in call.roles]


async def test_another_identity_lacks_exactly_what_the_ledger_names(tenant: Tenant):
    before = tenant.control("/truth")["counters"]["writes"]

    found = await probes(tenant, "sql_admin", Role.READER)

    lacking = {one.call: one.lacks for one in found.values() if one.answered is Answered.REFUSED}
    needing = {
        call.id: call.needs
        for call in CALLS
        if call.id in found and call.permission and call.id not in NO_ROOM
    }
    unasked = {call for call in needing if found[call].answered is Answered.NOT_ASKED}
    assert lacking == {call: needs for call, needs in needing.items() if call not in unasked}
    # Where no environment is told, nothing inside one can be asked.
    inside = [call for call in CALLS if "{environment}" in call.path or call.host is HostKind.DATAVERSE]
    assert unasked <= {call.id for call in inside} | NO_ROOM
    assert tenant.control("/truth")["counters"]["writes"] == before


async def test_nothing_is_asked_without_a_sign_in(tenant: Tenant):
    app = tenant.ready["apps"][0]
    access = tenant.connect(Credential(app["client_id"], secret=lambda: Secret("not-the-secret-of-it")))

    found = {one.call: one async for one in access.probe(Role.READER)}

    assert found.pop(OPENID_CONFIGURATION.id).answered is Answered.ALLOWED
    assert found.pop(TOKEN.id).answered is Answered.REFUSED
    assert {one.answered for one in found.values()} == {Answered.NOT_ASKED}


# --- what goes wrong -----------------------------------------------------------------------------------


async def error_of(access: Access) -> CloudError:
    with pytest.raises(CloudError) as caught:
        [_ async for _ in access.platform.environments()]
    return caught.value


async def test_a_wrong_secret_is_told_as_such(tenant: Tenant):
    app = tenant.ready["apps"][0]

    error = await error_of(
        tenant.connect(Credential(app["client_id"], secret=lambda: Secret("not-the-secret-of-it")))
    )

    assert (type(error), error.code) == (RefusedError, "AADSTS7000215")


async def test_a_certificate_of_nobody_is_told_as_such(tenant: Tenant):
    pem = key_pair()
    credential = Credential(tenant.ready["apps"][0]["client_id"], certificate=lambda: Secret(pem))

    error = await error_of(tenant.connect(credential))

    assert (type(error), error.code) == (RefusedError, "AADSTS700027")
    assert "has expired: upload its public part" in str(error)


async def test_an_unknown_tenant_is_told_as_such(tenant: Tenant):
    app = tenant.ready["apps"][0]
    credential = Credential(app["client_id"], secret=lambda: Secret(app["secret"]))

    error = await error_of(tenant.connect(credential, tenant="99999999-0000-0000-0000-000000000000"))

    assert (type(error), error.code) == (RefusedError, "AADSTS90002")


async def test_a_certificate_authority_that_is_not_trusted_is_told_as_such(tenant: Tenant):
    error = await error_of(tenant.access("reader", ca_file=None))

    assert type(error) is UnreachableError
    assert "certificate" in str(error)
    assert "ca_file" in str(error)


async def test_a_sandbox_that_is_gone_is_unreachable(tenant: Tenant):
    gone = dict.fromkeys(KINDS, "https://localhost:9")

    error = await error_of(tenant.access("reader", hosts=gone))

    assert type(error) is UnreachableError
    assert "localhost:9 cannot be reached" in str(error)


async def test_no_setting_of_the_machine_stands_between_us_and_this_machine(tenant: Tenant, monkeypatch):
    for name in ("HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, "/nowhere.pem")

    access = tenant.access("reader")

    assert [environment async for environment in access.platform.environments()]


@pytest.mark.parametrize("answer", [b"HTTP/1.1 403 Forbidden", b"HTTP/1.1 407 Proxy Authentication Required"])
async def test_a_proxy_that_refuses_is_told_as_such(tenant: Tenant, monkeypatch, answer: bytes):
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as proxy:
        port = proxy.sockets[0].getsockname()[1]
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")

        error = await error_of(tenant.access("reader", hosts={}, dataverse=(), ca_file=None))

    assert type(error) is UnreachableError
    assert "proxy does not let holdfast through to login.microsoftonline.com" in str(error)


async def test_an_unknown_environment_is_missing(tenant: Tenant):
    access = tenant.access("reader")
    nowhere = Environment(id="00000000-0000-0000-0000-00000000dead", display_name="Nowhere")  # type: ignore[arg-type]

    with pytest.raises(MissingError) as caught:
        [_ async for _ in access.platform.connections(nowhere, SQL_CONNECTORS[0])]

    assert caught.value.code in ("EnvironmentNotFound", "ServiceToServiceEnvironmentNotFound")


# Last, as it moves the clock of the tenant that all share.
async def test_a_token_that_the_cloud_holds_for_expired_is_replaced(tenant: Tenant):
    access = tenant.access("reader")
    before = [environment async for environment in access.platform.environments()]
    tenant.control("/clock/advance", {"hours": 3})

    after = [environment async for environment in access.platform.environments()]

    assert after == before
    now = access.platform.cloud_now()
    assert now is not None
    assert abs((now - SystemClock().now()).total_seconds() - 3 * 3600) < 600  # each test moves it a little
