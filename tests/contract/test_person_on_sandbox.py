"""What only a person may ask: the flow API of the sandbox, by our client and a signed-in person."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import msal
import pytest

from holdfast.adapters.cloud.connect import Access, connect
from holdfast.adapters.cloud.credentials import AnyCredential, Credential, Person
from holdfast.adapters.cloud.door import EntraDoor
from holdfast.adapters.cloud.hosts import host_table
from holdfast.adapters.system import SystemClock
from holdfast.core.errors import MissingError, RefusedError
from holdfast.core.identity import Cloud, Role
from holdfast.core.probe import Answered
from holdfast.core.secret import Secret
from holdfast.sandbox import embedded
from holdfast.sandbox.steering import Steering
from holdfast.wire import flows
from holdfast.wire.ledger import (
    FLOW_AS_ADMIN,
    FLOW_TRIGGERS,
    FLOWS_AS_ADMIN,
    OWN_FLOW,
    OWN_FLOW_RUNS,
    OWN_FLOWS,
    OWN_RUN_ACTIONS,
    RUN_CONTENT,
)
from tests.contract.test_wire import unnamed

KINDS = ("authority", "graph", "bap", "powerapps", "flow", "powerplatform", "apihub")
Connect = Callable[[str], Access]


@pytest.fixture(scope="module")
def ready() -> Iterator[dict[str, Any]]:
    with embedded("story", frozen=True) as mapping:
        yield mapping


@pytest.fixture
async def as_person(ready: dict[str, Any]) -> AsyncIterator[Connect]:
    """The way in of an account, by the beginning of its name."""
    opened: list[Access] = []

    def signed_in(name: str) -> Access:
        account = next(one for one in ready["accounts"] if one["username"].startswith(name))
        kept = tokens_of(account, ready)
        opened.append(way_in(ready, Person(account["client_id"], lambda: kept, lambda _: None)))
        return opened[-1]

    yield signed_in
    for access in opened:
        await access.close()


def way_in(ready: dict[str, Any], credential: AnyCredential) -> Access:
    hosts = {kind: ready[kind] for kind in KINDS}
    where: dict[str, Any] = {"hosts": hosts, "allow_custom_hosts": True, "ca_file": Path(ready["ca_file"])}
    return connect(
        ready["tenant_id"], credential, SystemClock(), dataverse=ready["dataverse"].values(), **where
    )


def tokens_of(account: dict[str, Any], ready: dict[str, Any]) -> Secret:
    """What a sign-in leaves behind."""
    hosts = host_table(Cloud.PUBLIC, {kind: ready[kind] for kind in KINDS}, allow_custom_hosts=True)
    door = EntraDoor(hosts, SystemClock(), Path(ready["ca_file"]), None)
    cache = msal.SerializableTokenCache()
    app = msal.PublicClientApplication(
        account["client_id"],
        authority=f"{ready['authority']}/{ready['tenant_id']}",
        instance_discovery=False,
        http_client=door,
        token_cache=cache,
    )
    app.acquire_token_by_refresh_token(
        account["refresh_token"], ["https://service.flow.microsoft.com/.default"]
    )
    door.close()
    return Secret(cache.serialize())


@pytest.fixture
def finance(ready: dict[str, Any]) -> str:
    return next(iter(ready["dataverse"]))


def flow_named(ready: dict[str, Any], connection: str) -> str:
    """A flow on the connection whose name begins so."""
    told = Steering(ready["control"]).truth()
    wanted = next(one["id"] for one in told["connections"] if one["name"].startswith(connection))
    return next(one["id"] for one in told["flows"] if wanted in one["connections"])


async def test_an_administrator_reads_every_flow_in_a_known_shape(as_person, ready, finance):
    access = as_person("lee")
    at = {"environment": finance}
    listed = [one async for one in access.transport.items(FLOWS_AS_ADMIN, flows.Flow, at=at)]
    assert len(listed) == 6
    assert [path for one in listed for path in unnamed(one)] == []
    whole = await access.transport.read(FLOW_AS_ADMIN, flows.Flow, at={**at, "flow": listed[0].name})
    assert unnamed(whole) == []


async def test_an_owner_reads_runs_and_what_failed_in_a_known_shape(as_person, ready, finance):
    access = as_person("sam")
    at = {"environment": finance, "flow": flow_named(ready, "Invoices")}
    runs = [one async for one in access.transport.items(OWN_FLOW_RUNS, flows.Run, at=at)]
    assert len(runs) == 30
    assert [path for one in runs for path in unnamed(one)] == []
    inside = {**at, "run": runs[0].name}
    actions = [one async for one in access.transport.items(OWN_RUN_ACTIONS, flows.RunAction, at=inside)]
    assert [path for one in actions for path in unnamed(one)] == []
    link = actions[0].properties.outputs_link
    assert link is not None
    assert link.uri is not None
    outputs = await access.transport.content(RUN_CONTENT, link.uri.get_secret_value(), flows.ActionOutputs)
    assert "AADSTS50173" in str(outputs.body)


async def test_no_application_is_answered(ready, finance):
    app = next(one for one in ready["apps"] if one["name"] == ready["roles"]["reader"])
    access = way_in(ready, Credential(app["client_id"], secret=lambda: Secret(app["secret"])))
    with pytest.raises(RefusedError):
        [one async for one in access.transport.items(FLOWS_AS_ADMIN, flows.Flow, at={"environment": finance})]
    await access.close()


async def test_a_person_who_is_no_administrator_is_refused_the_list(as_person, finance):
    at = {"environment": finance}
    with pytest.raises(RefusedError):
        [one async for one in as_person("dana").transport.items(FLOWS_AS_ADMIN, flows.Flow, at=at)]


async def test_another_persons_runs_are_refused(as_person, ready, finance):
    at = {"environment": finance, "flow": flow_named(ready, "Invoices")}
    with pytest.raises(RefusedError):
        [one async for one in as_person("dana").transport.items(OWN_FLOW_RUNS, flows.Run, at=at)]


async def test_an_owner_reads_triggers_in_a_known_shape(as_person, ready, finance):
    at = {"environment": finance, "flow": flow_named(ready, "Invoices")}
    triggers = [one async for one in as_person("sam").transport.items(FLOW_TRIGGERS, flows.Trigger, at=at)]
    assert [one.name for one in triggers] == ["Recurrence"]
    assert [path for one in triggers for path in unnamed(one)] == []


async def test_an_owner_starts_a_run(as_person, ready, finance):
    access, flow = as_person("dana"), flow_named(ready, "ERP orders")
    before = [one.id async for one in access.flows.runs(finance, flow)]
    await access.flows.start(finance, flow)
    after = [one.id async for one in access.flows.runs(finance, flow)]
    assert len(set(after) - set(before)) == 1


async def test_another_persons_flow_is_not_started(as_person, ready, finance):
    with pytest.raises(RefusedError):
        await as_person("dana").flows.start(finance, flow_named(ready, "Invoices"))


async def test_an_owner_reads_the_own_flows_in_a_known_shape(as_person, finance):
    access, at = as_person("dana"), {"environment": finance}
    listed = [one async for one in access.transport.items(OWN_FLOWS, flows.Flow, at=at)]
    whole = await access.transport.read(OWN_FLOW, flows.Flow, at={**at, "flow": listed[0].name})
    assert [path for one in (*listed, whole) for path in unnamed(one)] == []


async def test_the_own_flows_tell_which_connections_they_hold(as_person, ready, finance):
    from holdfast.core.inventory import Environment, EnvironmentId

    own = [one async for one in as_person("dana").flows.own(Environment(EnvironmentId(finance), "Finance"))]
    told = {one["id"]: one["connections"] for one in Steering(ready["control"]).truth()["flows"]}
    assert own
    assert {flow.id: list(flow.connections) for flow in own} == {flow.id: told[flow.id] for flow in own}


async def test_an_owner_is_given_the_link_to_sign_in_by(as_person, ready, finance):
    from holdfast.adapters.cloud.powerplatform import MakerPlatform
    from holdfast.core.inventory import SQL_CONNECTORS, Environment, EnvironmentId

    platform = MakerPlatform(as_person("dana").transport)
    place = Environment(EnvironmentId(finance), "Finance")
    own = [one async for one in platform.connections(place, SQL_CONNECTORS[0])]
    connection = next(one for one in own if one.sign_in.has_refresh_token)

    link = await platform.consent_link(connection)

    assert link is not None
    assert link.startswith(ready["authority"])
    with pytest.raises(MissingError):
        await MakerPlatform(as_person("sam").transport).consent_link(connection)


async def test_an_administrator_may_all_that_the_flow_reader_does(as_person):
    found = [one async for one in as_person("lee").probe(Role.FLOW_READER)]

    assert {"flow.flows.admin_list", "flow.flows.admin_get"} <= {one.call for one in found}
    assert {one.answered for one in found} == {Answered.ALLOWED}
