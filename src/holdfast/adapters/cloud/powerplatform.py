"""Power Platform over its door: what its answers say, in our words."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel

from holdfast.adapters.cloud.flows import connector_of, flow, flow_run, reference
from holdfast.adapters.cloud.policies import data_policy
from holdfast.adapters.cloud.transport import Transport
from holdfast.core.identity import Owner
from holdfast.core.inventory import (
    EVERY_CONNECTOR,
    CanvasApp,
    Connection,
    ConnectionId,
    ConnectionReference,
    ConnectorId,
    Environment,
    EnvironmentId,
    Fault,
    Flow,
    FlowId,
    FlowRun,
    SignIn,
)
from holdfast.core.policies import DataPolicy
from holdfast.wire import dataverse, environments, policies, powerplatform
from holdfast.wire.ledger import (
    CANVAS_APPS,
    CONNECTION_REFERENCES,
    CONNECTIONS,
    CONNECTIONS_OF_CONNECTOR,
    CONSENT_LINK,
    DATA_POLICIES,
    DATA_POLICY,
    ENVIRONMENTS,
    FAILED_RUNS,
    FLOW_RUNS,
    OWN_CONNECTIONS,
    OWN_ENVIRONMENTS,
    WORKFLOWS,
    Call,
)
from holdfast.wire.shape import instant, zulu

# Names of the parameter sets of shared_sql, lower case: learn.microsoft.com/connectors/sql, read 2025-08-19.
SIGN_INS = {
    "oauth": SignIn.USER,
    "oauthcom": SignIn.USER,
    "oauthsp": SignIn.SERVICE_PRINCIPAL,
    "certoauth": SignIn.CERTIFICATE,
    "sqlauthentication": SignIn.SQL_LOGIN,
    "windowsauthentication": SignIn.WINDOWS,
    "windowsauthenticationnonshared": SignIn.WINDOWS,
}


AFTER_CONSENT = "https://make.powerautomate.com/"
"""Where the browser lands after a sign-in for a connection."""

Row = TypeVar("Row", bound=BaseModel)


class CloudPlatform:
    """`ports.Platform` over the cloud's APIs."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def environments(self) -> AsyncIterator[Environment]:
        """Every environment the identity may list."""
        async for told in self._transport.items(ENVIRONMENTS, environments.Environment):
            count_strangers(self._transport.traffic.strangers, "environment", told, told.properties)
            yield environment(told)

    async def connections(
        self, environment: Environment, connector: ConnectorId
    ) -> AsyncIterator[Connection]:
        """The connections of one connector, or of every one, in one environment, whoever made them."""
        at = {"environment": environment.id, "connector": connector}
        call = CONNECTIONS if connector == EVERY_CONNECTOR else CONNECTIONS_OF_CONNECTOR
        async for told in self._transport.items(call, powerplatform.Connection, at=at):
            count_strangers(self._transport.traffic.strangers, "connection", told, told.properties)
            yield connection(told, environment.id)

    async def flows(self, environment: Environment) -> AsyncIterator[Flow]:
        """The flows of its solutions; none where it has no Dataverse."""
        async for told in self._rows(environment, WORKFLOWS, dataverse.Workflow):
            yield flow(told, environment.id)

    async def references(self, environment: Environment) -> AsyncIterator[ConnectionReference]:
        """Its connection references; none where it has no Dataverse."""
        async for told in self._rows(environment, CONNECTION_REFERENCES, dataverse.ConnectionReference):
            yield reference(told, environment.id)

    async def runs(self, environment: Environment, flow: FlowId, since: datetime) -> AsyncIterator[FlowRun]:
        """The runs of one flow in a solution, newest first; stop taking, and no further page is asked for."""
        at = {"flow": flow, "since": zulu(since)}
        async for told in self._rows(environment, FLOW_RUNS, dataverse.FlowRun, at):
            yield flow_run(told, flow)

    async def failed_runs(self, environment: Environment, since: datetime) -> AsyncIterator[FlowRun]:
        """Failed runs of all flows in its solutions, newest first; stop taking, and no further page is asked for."""
        async for told in self._rows(environment, FAILED_RUNS, dataverse.FlowRun, {"since": zulu(since)}):
            if told.workflow_value:
                yield flow_run(told, FlowId(told.workflow_value))

    async def canvas_apps(self, environment: Environment) -> AsyncIterator[CanvasApp]:
        """Its canvas apps, whoever made them."""
        at = {"environment": environment.id}
        async for told in self._transport.items(CANVAS_APPS, powerplatform.CanvasApp, at=at):
            yield canvas_app(told, environment.id)

    async def data_policies(self) -> AsyncIterator[DataPolicy]:
        """Every data policy of the tenant; each is read alone, as the list does not tell its connectors."""
        async for listed in self._transport.items(DATA_POLICIES, policies.Policy):
            at = {"policy": listed.policy_definition.name}
            yield data_policy(await self._transport.read(DATA_POLICY, policies.Policy, at=at))

    async def _rows(
        self, environment: Environment, call: Call, shape: type[Row], at: Mapping[str, str] | None = None
    ) -> AsyncIterator[Row]:
        if environment.dataverse_url is None:
            return
        at = {"environment": environment.id, **(at or {})}
        async for told in self._transport.items(call, shape, at=at, base=environment.dataverse_url):
            yield told

    def cloud_now(self) -> datetime | None:
        """The cloud's time by the last `Date` header seen, None before the first answer."""
        return self._transport.cloud_now()


class MakerPlatform(CloudPlatform):
    """`ports.Platform` as a maker sees it: the own connections, and those shared with him."""

    async def environments(self) -> AsyncIterator[Environment]:
        """Every environment the person may enter."""
        async for told in self._transport.items(OWN_ENVIRONMENTS, environments.Environment):
            count_strangers(self._transport.traffic.strangers, "environment", told, told.properties)
            yield environment(told)

    async def connections(
        self, environment: Environment, connector: ConnectorId
    ) -> AsyncIterator[Connection]:
        """The person's connections of one connector, or of every one, in one environment."""
        at = {"environment": environment.id}
        async for told in self._transport.items(OWN_CONNECTIONS, powerplatform.Connection, at=at):
            found = connection(told, environment.id)
            if connector in (found.connector, EVERY_CONNECTOR):
                count_strangers(self._transport.traffic.strangers, "connection", told, told.properties)
                yield found

    async def consent_link(self, connection: Connection) -> str | None:
        """Where its owner signs in for it; None where the environment offers no such link."""
        at = {
            "environment": connection.environment,
            "connector": connection.connector,
            "connection": connection.id,
        }
        body = powerplatform.ConsentRequest(redirect_url=AFTER_CONSENT)
        told = await self._transport.read(CONSENT_LINK, powerplatform.ConsentLink, at=at, body=body)
        return told.consent_link


def environment(told: environments.Environment) -> Environment:
    """An environment in our words."""
    properties = told.properties
    dataverse = properties.linked_environment_metadata
    url = (dataverse.instance_api_url or dataverse.instance_url) if dataverse else None
    return Environment(
        id=EnvironmentId(told.name),
        display_name=properties.display_name or told.name,
        kind=properties.environment_sku or "",
        is_default=bool(properties.is_default),
        region=properties.azure_region or told.location or "",
        dataverse_url=url.rstrip("/") if url else None,
    )


def connection(told: powerplatform.Connection, environment: EnvironmentId) -> Connection:
    """A connection in our words; `environment` is the one it was asked of."""
    properties = told.properties
    values = _values(properties)
    status = properties.statuses[0] if properties.statuses else None
    fault = status.error if status else None
    gateway = values.get("gateway")
    return Connection(
        id=ConnectionId(told.name),
        environment=environment,
        connector=connector_of(properties.api_id or told.id),
        display_name=properties.display_name or told.name,
        sign_in=sign_in(properties),
        status=status.status if status else "",
        fault=Fault(fault.code or "", fault.message or "", (status.target if status else None) or "")
        if fault
        else None,
        owner=owner(properties.created_by),
        created_at=instant(properties.created_time),
        modified_at=instant(properties.last_modified_time),
        token_expires_at=instant(properties.expiration_time),
        account_name=properties.account_name,
        client_id=_text(values.get("token:clientId")),
        server=_text(values.get("server")),
        database=_text(values.get("database")),
        gateway=_text(gateway.get("id") if isinstance(gateway, dict) else gateway),
    )


def canvas_app(told: powerplatform.CanvasApp, environment: EnvironmentId) -> CanvasApp:
    """A canvas app in our words."""
    references = (told.properties.connection_references or {}).values()
    return CanvasApp(
        id=told.name,
        environment=environment,
        display_name=told.properties.display_name or told.name,
        owner=owner(told.properties.owner),
        connectors=frozenset(connector_of(_text(entry.get("id"))) for entry in references) - {""},
    )


def sign_in(properties: powerplatform.ConnectionProperties) -> SignIn:
    """How the connection signs in, by its parameter set; the nameless old form by its `authType`.

    That an old connection with a user name is a SQL login, and one with `windows` a Windows one, is assumed.
    """
    chosen = properties.connection_parameters_set
    if chosen is not None:
        return SIGN_INS.get(chosen.name.casefold(), SignIn.UNKNOWN)
    plain = properties.connection_parameters or {}
    if str(plain.get("authType", "")).casefold() == "windows":
        return SignIn.WINDOWS
    if "username" in plain or "server" in plain:
        return SignIn.SQL_LOGIN
    return SignIn.UNKNOWN


def owner(told: powerplatform.Principal | None) -> Owner | None:
    """Whose sign-in it is: whoever created it."""
    if told is None or not told.id:
        return None
    return Owner(
        id=told.id,
        display_name=told.display_name or "",
        user_principal_name=told.user_principal_name or told.email or "",
        kind=told.type or "User",
    )


def count_strangers(strangers: Counter[str], name: str, *told: BaseModel) -> None:
    """Note the fields that no shape names."""
    for part in told:
        for field in part.model_extra or ():
            strangers[f"{name}.{field}"] += 1


def _values(properties: powerplatform.ConnectionProperties) -> dict[str, object]:
    """The parameters, in either form: those of a set are wrapped in `{"value": ...}`."""
    chosen = properties.connection_parameters_set
    wrapped = {key: part.value for key, part in (chosen.values or {}).items()} if chosen else {}
    return {**(properties.connection_parameters or {}), **wrapped}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
