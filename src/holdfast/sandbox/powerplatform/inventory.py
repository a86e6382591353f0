"""Power Platform: environments on BAP, connections on Power Apps and on the connectivity API."""

from __future__ import annotations

import re
from itertools import chain

from starlette.responses import Response

from holdfast.sandbox import crowd
from holdfast.sandbox.entra.bearer import Caller
from holdfast.sandbox.frame import Call, answer, streamed
from holdfast.sandbox.powerplatform import shapes
from holdfast.sandbox.powerplatform.access import admin, environment_named, maker, refusal, role_on
from holdfast.sandbox.powerplatform.connector_metadata import connector
from holdfast.sandbox.records.platform import Connection, Environment
from holdfast.sandbox.tenant import Host

FILTER = re.compile(r"\s*environment\s+eq\s+'([^']+)'\s*(?:and\s.*)?", re.IGNORECASE)
ENVIRONMENT_HOST = re.compile(
    r"([0-9a-z]+)\.([0-9a-f]{2})\.environment\.api\.powerplatform\.[a-z.]+", re.IGNORECASE
)


# --- environments ----------------------------------------------------------------------------------------


def list_environments(call: Call) -> Response:
    """Every environment of the tenant; one page, as recorded."""
    admin(call)
    shown = [
        shapes.environment_as_admin(call.tenant, one, call.now) for one in call.world.environments.values()
    ]
    return answer({"value": shown})


def get_environment(call: Call) -> Response:
    """One environment of the tenant."""
    admin(call)
    environment = environment_named(call, call.params["environment"])
    return answer(shapes.environment_as_admin(call.tenant, environment, call.now))


def list_environments_as_maker(call: Call) -> Response:
    """The environments that the caller may see: all of them here, the rights inside differ."""
    maker(call)
    return answer(
        {"value": [shapes.environment_as_maker(call.tenant, one) for one in call.world.environments.values()]}
    )


def get_environment_as_maker(call: Call) -> Response:
    """One environment in the projection of Power Apps."""
    maker(call)
    environment = environment_named(call, call.params["environment"])
    return answer(shapes.environment_as_maker(call.tenant, environment))


def list_apps(call: Call) -> Response:
    """The canvas apps of an environment; each names the connectors it uses, not the connections."""
    admin(call)
    environment = environment_named(call, call.params["environment"])
    listed = [
        shapes.canvas_app(call.tenant, app)
        for app in call.world.apps.values()
        if app.environment_id == environment.id
    ]
    return answer({"value": listed})


# --- connectors ------------------------------------------------------------------------------------------


def list_connectors(call: Call) -> Response:
    """The connectors of an environment: SQL only, here."""
    maker(call)
    any_environment(call)
    return answer({"value": [connector(call.tenant)]})


def get_connector(call: Call) -> Response:
    """One connector with its ways to sign in."""
    maker(call)
    any_environment(call)
    if call.params["connector"].lower() != "shared_sql":
        raise refusal(404, "ApiResourceNotFound", f"Could not find API '{call.params['connector']}'.")
    return answer(connector(call.tenant))


def list_gateways(call: Call) -> Response:
    """The on-premises gateways."""
    maker(call)
    filtered_environment(call)
    return answer({"value": [shapes.gateway(one) for one in call.world.gateways.values()]})


# --- connections -----------------------------------------------------------------------------------------


def list_connections_as_admin(call: Call) -> Response:
    """Every connection of an environment, whoever made it, or those of one connector; never a second page."""
    admin(call)
    environment = environment_named(call, call.params["environment"])
    there = chain(
        call.world.connections_in(environment.id), crowd.connections_in(call.world, environment.id, call.now)
    )
    listed = (
        shapes.connection_as_admin(call.tenant, connection)
        for connection in there
        if _of_connector(connection, call.params.get("connector"))
    )
    return streamed({"value": listed}) if call.world.crowd else answer({"value": list(listed)})


def list_connections(call: Call) -> Response:
    """The caller's own connections and those shared with him, in the environment that ``$filter`` names."""
    caller = maker(call)
    environment = filtered_environment(call)
    listed = [shapes.connection_as_maker(call.tenant, one) for one in _visible(call, caller, environment)]
    return answer({"value": listed})


def list_connectivity(call: Call) -> Response:
    """The same on the Power Platform API, with permissions."""
    caller = maker(call)
    environment = _connectivity_environment(call)
    listed = [
        shapes.connection_in_connectivity(call.tenant, one) for one in _visible(call, caller, environment)
    ]
    return answer({"value": listed})


def get_connection(call: Call) -> Response:
    """One of the caller's own or shared connections."""
    caller = maker(call)
    environment = (
        filtered_environment(call) if call.host is Host.POWERAPPS else _connectivity_environment(call)
    )
    connection = connection_for(call, caller, environment)
    show = shapes.connection_as_maker if call.host is Host.POWERAPPS else shapes.connection_in_connectivity
    return answer(show(call.tenant, connection))


def _of_connector(connection: Connection, connector: str | None) -> bool:
    return connector is None or connection.connector.casefold() == connector.casefold()


def _visible(call: Call, caller: Caller, environment: Environment) -> list[Connection]:
    return [
        connection
        for connection in call.world.connections_in(environment.id)
        if role_on(connection, caller) and _of_connector(connection, call.params.get("connector"))
    ]


def connection_for(call: Call, caller: Caller, environment: Environment) -> Connection:
    """The connection that the path names, if the caller has any right on it.

    Raises:
        CallRefusedError: 404 ConnectionNotFound, also for one that exists and is not his.
    """
    connection = call.world.connections.get(call.params["connection"])
    if (
        connection is None
        or connection.deleted_at is not None
        or connection.environment_id != environment.id
        or not _of_connector(connection, call.params["connector"])
        or role_on(connection, caller) is None
    ):
        raise refusal(
            404,
            "ConnectionNotFound",
            f"Could not find connection '{call.params['connection']}' for API '{call.params['connector']}'.",
        )
    return connection


def filtered_environment(call: Call) -> Environment:
    """The environment that ``$filter=environment eq '...'`` names.

    Raises:
        CallRefusedError: 400 MissingEnvironmentFilter without one; 404 for an unknown one.
    """
    found = FILTER.fullmatch(call.query.get("$filter", ""))
    if found is None:
        raise refusal(
            400,
            "MissingEnvironmentFilter",
            "The environment filter is missing in the request. Specify $filter=environment eq '{environmentName}'.",
        )
    return environment_named(call, found[1])


def any_environment(call: Call) -> Environment:
    """The environment of a call about one connection, on either API."""
    return filtered_environment(call) if call.host is Host.POWERAPPS else _connectivity_environment(call)


def _connectivity_environment(call: Call) -> Environment:
    """By the path, by the host's own name (``<id>.environment.api.powerplatform.com``), or by the filter."""
    if "environment" in call.params:
        return environment_named(call, call.params["environment"])
    if by_host := ENVIRONMENT_HOST.fullmatch(call.headers.get("host", "").partition(":")[0]):
        squeezed = (by_host[1] + by_host[2]).lower()
        for environment in call.world.environments.values():
            if environment.id.replace("-", "").lower() == squeezed:
                return environment
    return filtered_environment(call)
