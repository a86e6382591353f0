"""Connections are made, changed, shared, consented and deleted: on Power Apps, on the connectivity API, as administrator."""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from starlette.responses import Response

from holdfast.sandbox import connection_use
from holdfast.sandbox.entra.bearer import Caller
from holdfast.sandbox.entra.first_party import SQL, SQL_CONNECTOR_CLIENT
from holdfast.sandbox.frame import Call, CallRefusedError, answer
from holdfast.sandbox.powerplatform import shapes
from holdfast.sandbox.powerplatform.access import admin, environment_named, maker, refusal, role_on
from holdfast.sandbox.powerplatform.connector_metadata import (
    OLD_PARAMETERS,
    Parameter,
    ParameterSet,
    set_named,
)
from holdfast.sandbox.powerplatform.inventory import any_environment, connection_for
from holdfast.sandbox.records.platform import Connection, Environment, Fault
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.tenant import Host
from holdfast.sandbox.world import World

ID = re.compile(r"[A-Za-z0-9-]{1,100}")

VALIDATED_ON_PUT = Rule(
    "put_fetches_a_token_at_once",
    "Making or changing a connection of a service principal fetches a token with the new secret at once.",
    Mark.ASSUMED,
    "whether an update validates at once or on the next use is open",
    flipped="The new secret is used from the next token fetch on.",
)
UNAUTHENTICATED = Rule(
    "oauth_shell_is_unauthenticated",
    "A connection of type oauth that the API made is in the state Error, Unauthenticated, until its owner consents.",
    Mark.RECORDED,
    "ESS flightcheck_pp_admin.yaml; powerplatform-sdk-extensions scripts/connection",
)
MISSING_VALUE = Rule(
    "missing_parameter_is_configuration_needed",
    "A connection made without a required value is in the state Error, ConfigurationNeeded.",
    Mark.SECONDARY,
    "ESS comment: seen live, not recorded",
)
RULES = (VALIDATED_ON_PUT, UNAUTHENTICATED, MISSING_VALUE)

PROPERTIES = frozenset(
    [
        "displayName",
        "environment",
        "connectionParametersSet",
        "connectionParameters",
        "apiId",
        "iconUri",
        "statuses",
        "keywordsRemaining",
        "isSsoConnection",
        "createdBy",
        "createdTime",
        "lastModifiedTime",
        "expirationTime",
        "testLinks",
        "accountName",
        "allowSharing",
        "permissions",
    ]
)
"""Properties of a connection's body: those that can be set, and those that a client sends back as it read them."""


class Wanted(NamedTuple):
    """What a body asks a connection to be."""

    display_name: str
    set_name: str | None
    parameters: dict[str, Any]
    secrets: dict[str, str]
    missing: str | None


# --- make and change -------------------------------------------------------------------------------------


def put_connection(call: Call) -> Response:
    """Make the connection of that id, or change it: 201 or 200 with it, secrets taken off."""
    caller = maker(call)
    environment = any_environment(call)
    if call.params["connector"].lower() != "shared_sql":
        raise refusal(404, "ApiResourceNotFound", f"Could not find API '{call.params['connector']}'.")
    wanted = _wanted(call, environment)
    known = call.world.connections.get(call.params["connection"])
    if known is not None and known.deleted_at is None:
        connection = editable(call, caller, environment)
        _change(call, connection, wanted)
        return answer(_shown(call, connection))
    _need_maker(call, caller, environment)
    return answer(_shown(call, _make(call, caller, environment, wanted)), 201)


def _shown(call: Call, connection: Connection) -> dict[str, Any]:
    show = (
        shapes.connection_in_connectivity if call.host is Host.POWERPLATFORM else shapes.connection_as_maker
    )
    return show(call.tenant, connection)


def _need_maker(call: Call, caller: Caller, environment: Environment) -> None:
    """An application makes connections only where it is a user with a maker's role."""
    if caller.account is not None or environment.org is None:
        return
    for one in call.world.org_users.values():
        is_here = one.environment_id == environment.id and one.principal_id == caller.object_id
        if is_here and {"Environment Maker", "System Customizer", "System Administrator"} & set(one.roles):
            return
    message = f"The caller with object id '{caller.object_id}' is not authorized to create connections in environment '{environment.id}'."
    raise refusal(403, "ConnectionAuthorizationFailed", message)


def editable(call: Call, caller: Caller, environment: Environment) -> Connection:
    """The connection that the path names, which the caller may edit; 404 or 403 otherwise."""
    connection = connection_for(call, caller, environment)
    if role_on(connection, caller) not in ("Owner", "CanEdit"):
        message = f"The caller with object id '{caller.object_id}' does not have permission for connection '{connection.id}' under Api '{connection.connector}'."
        raise refusal(403, "ConnectionAuthorizationFailed", message)
    return connection


def bad_body(message: str) -> CallRefusedError:
    """400 InvalidRequestContent."""
    return refusal(400, "InvalidRequestContent", message)


def _wanted(call: Call, environment: Environment) -> Wanted:
    properties = _properties(call)
    place = properties.get("environment")
    if place is not None and not (
        isinstance(place, dict)
        and str(place.get("name", environment.id)).casefold() == environment.id.casefold()
    ):
        raise bad_body("The environment of the body is not the environment of the request.")
    name = properties.get("displayName", "SQL Server")
    if not isinstance(name, str) or not 0 < len(name) <= 300:
        raise bad_body("The displayName must be a text.")
    chosen, plain = properties.get("connectionParametersSet"), properties.get("connectionParameters")
    if chosen is not None and plain is not None:
        raise bad_body("Either connectionParametersSet or connectionParameters can be given.")
    if plain is not None or chosen is None:
        return _sorted(name, None, plain or {}, OLD_PARAMETERS)
    return _of_set(name, chosen)


def _properties(call: Call) -> dict[str, Any]:
    body = call.json()
    properties = body.get("properties") if isinstance(body, dict) else None
    if not isinstance(properties, dict) or set(body) - {"properties", "name", "id", "type"}:
        raise bad_body("The request content must be an object with properties.")
    if unknown := sorted(set(properties) - PROPERTIES):
        raise bad_body(f"Could not find member '{unknown[0]}' on object of type 'ConnectionProperties'.")
    if not ID.fullmatch(call.params["connection"]):
        raise bad_body("The connection's name is not valid.")
    return properties


def _of_set(name: str, chosen: Any) -> Wanted:
    if (
        not isinstance(chosen, dict)
        or set(chosen) - {"name", "values"}
        or not isinstance(chosen.get("values", {}), dict)
    ):
        raise bad_body("connectionParametersSet must have a name and values.")
    found = set_named(str(chosen.get("name")))
    if found is None:
        raise refusal(
            400,
            "InvalidConnectionParametersSet",
            f"The connection parameter set '{chosen.get('name')}' does not exist.",
        )
    values: dict[str, Any] = {}
    for key, wrapped in (chosen.get("values") or {}).items():
        # The shape differs from that of plain parameters: a value is wrapped.
        if not isinstance(wrapped, dict) or set(wrapped) != {"value"}:
            raise bad_body(f"The value of '{key}' must be an object with 'value'.")
        values[key] = wrapped["value"]
    return _sorted(name, found, values, found.parameters)


def _sorted(name: str, found: ParameterSet | None, values: Any, known: tuple[Parameter, ...]) -> Wanted:
    if not isinstance(values, dict):
        raise bad_body("The connection parameters must be an object.")
    by_key = {parameter.key.casefold(): parameter for parameter in known}
    shown: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    for key, value in values.items():
        parameter = by_key.get(key.casefold())
        if parameter is None:
            raise refusal(
                400, "InvalidConnectionParameter", f"The connection parameter '{key}' is not defined."
            )
        if parameter.is_secret:
            secrets[parameter.key] = _secret(parameter, value)
        elif parameter.type != "oauthSetting":
            shown[parameter.key] = value
    given = {**shown, **secrets}
    missing = next((one.key for one in known if one.required and not given.get(one.key)), None)
    return Wanted(name, found.name if found else None, shown, secrets, missing)


def _secret(parameter: Parameter, value: Any) -> str:
    if parameter.type == "clientCertificate":
        from holdfast.sandbox.powerplatform.certificates_sent import thumbprint_of

        try:
            return thumbprint_of(value)
        except ValueError as error:
            raise bad_body(f"The client certificate cannot be read: {error}") from None
    if not isinstance(value, str):
        raise bad_body(f"The value of '{parameter.key}' must be a text.")
    return value


def _make(call: Call, caller: Caller, environment: Environment, wanted: Wanted) -> Connection:
    connection = Connection(
        id=call.params["connection"],
        environment_id=environment.id,
        connector="shared_sql",
        display_name=wanted.display_name,
        owner_id=caller.object_id,
        owner_type=caller.kind,
        created_at=call.now,
        modified_at=call.now,
    )
    call.world.connections[connection.id] = connection
    _apply(call, connection, wanted)
    if wanted.set_name == "oauth":
        connection.status = "Error"
        connection.fault = Fault(code="Unauthenticated", message="This connection is not authenticated.")
    return connection


def _change(call: Call, connection: Connection, wanted: Wanted) -> None:
    if (
        wanted.set_name != connection.parameter_set
        and (connection.parameter_set or wanted.set_name) is not None
    ):
        raise bad_body("The connection parameter set of a connection cannot be changed.")
    connection.display_name = wanted.display_name
    connection.modified_at = call.now
    if connection.parameter_set != "oauth":
        _apply(call, connection, wanted)


def _apply(call: Call, connection: Connection, wanted: Wanted) -> None:
    connection.parameter_set = wanted.set_name
    connection.parameters, connection.secrets = wanted.parameters, wanted.secrets
    connection.gateway_id = _gateway(call.world, wanted.parameters.get("gateway"))
    connection.status, connection.fault = "Connected", None
    if wanted.missing is not None:
        message = f"Parameter value missing: {wanted.missing}."
        connection.status, connection.fault = (
            "Error",
            Fault(code="ConfigurationNeeded", message=message, target=wanted.missing),
        )
    elif wanted.set_name in ("oauthSP", "certOauth") and call.world.holds(VALIDATED_ON_PUT):
        connection.token_expires_at = None
        connection_use.use(call.world, connection, call.now)


def _gateway(world: World, value: Any) -> str | None:
    if value is None:
        return None
    gateway_id = str(value.get("id", "") if isinstance(value, dict) else value).rpartition("/")[2]
    if gateway_id not in world.gateways:
        raise refusal(404, "GatewayNotFound", f"The gateway '{gateway_id}' could not be found.")
    return gateway_id


def rename_connection(call: Call) -> Response:
    """Change the display name only."""
    caller = maker(call)
    connection = editable(call, caller, any_environment(call))
    body = call.json()
    properties = body.get("properties") if isinstance(body, dict) else None
    if (
        not isinstance(properties, dict)
        or set(properties) != {"displayName"}
        or not isinstance(properties["displayName"], str)
    ):
        raise bad_body("Only the displayName can be changed.")
    connection.display_name, connection.modified_at = properties["displayName"], call.now
    return answer(_shown(call, connection))


def delete_connection(call: Call) -> Response:
    """Delete one's own connection. What is bound to it keeps the id."""
    caller = maker(call)
    connection = editable(call, caller, any_environment(call))
    connection.deleted_at = call.now
    return Response(status_code=200)


def connection_as_admin_named(call: Call) -> Connection:
    """Anybody's connection, for an administrator; 404 where it is not."""
    admin(call)
    environment = environment_named(call, call.params["environment"])
    connection = call.world.connections.get(call.params["connection"])
    if connection is None or connection.deleted_at is not None or connection.environment_id != environment.id:
        raise refusal(
            404,
            "ConnectionNotFound",
            f"Could not find connection '{call.params['connection']}' for API '{call.params['connector']}'.",
        )
    return connection


def delete_as_admin(call: Call) -> Response:
    """Delete anybody's connection."""
    connection_as_admin_named(call).deleted_at = call.now
    return Response(status_code=200)


# --- consent ---------------------------------------------------------------------------------------------


def consent_link(call: Call) -> Response:
    """Where the owner signs in for the connection."""
    caller = maker(call)
    connection = editable(call, caller, any_environment(call))
    body = call.json()
    if not isinstance(body, dict) or set(body) - {"redirectUrl"} or not _is_address(body.get("redirectUrl")):
        raise bad_body("The redirectUrl must be an absolute address.")
    if connection.parameter_set not in ("oauth", "oauthCom"):
        raise refusal(400, "ConsentNotSupported", "The connection does not sign in as a person.")
    address = f"{call.tenant.urls[Host.APIHUB]}/redirect/sql"
    client = call.world.applications[SQL_CONNECTOR_CLIENT]
    if address not in client.redirect_uris:
        client.redirect_uris.append(address)
    back = quote(address, safe="")
    scope = quote(f"{SQL.uris[0]}//.default offline_access", safe="")
    state = quote(f"{connection.id} {body['redirectUrl']}", safe="")
    link = (
        f"{call.tenant.urls[Host.AUTHORITY]}/{call.world.tenant_id}/oauth2/v2.0/authorize?client_id={SQL_CONNECTOR_CLIENT}"
        f"&response_type=code&response_mode=query&redirect_uri={back}&scope={scope}&state={state}&prompt=select_account"
    )
    return answer({"consentLink": link})


def _is_address(text: Any) -> bool:
    try:
        return (
            isinstance(text, str)
            and urlsplit(text).scheme in ("https", "http")
            and bool(urlsplit(text).netloc)
        )
    except ValueError:
        return False
