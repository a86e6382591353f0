"""How every Dataverse call is answered: who is a user of the organisation and with which roles, errors, rows, pages."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from starlette.responses import Response

from holdfast.sandbox.chance import guid
from holdfast.sandbox.entra.bearer import Caller, TokenRefusedError, caller_of
from holdfast.sandbox.entra.first_party import DATAVERSE
from holdfast.sandbox.frame import Call, CallRefusedError, answer
from holdfast.sandbox.memo import memo_of
from holdfast.sandbox.odata import QueryError, Row, ordered, parse_filter, selected, whole_number
from holdfast.sandbox.powerplatform.access import ADMIN_ROLES
from holdfast.sandbox.records.directory import Account, Application
from holdfast.sandbox.records.platform import Environment, OrgUser
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.tenant import Host
from holdfast.sandbox.world import World

READ_ALL = frozenset({"System Administrator", "System Customizer", "Service Reader"})
WRITE_ALL = frozenset({"System Administrator", "System Customizer"})
MAKER_ROLES = ("Basic User", "Environment Maker")
FORMATTED = "@OData.Community.Display.V1.FormattedValue"
LARGEST_PAGE = 5000

NO_MEMBER = Rule(
    "application_must_be_user_of_the_organisation",
    "An application that is no application user of the environment is refused with 0x80072560.",
    Mark.DOCUMENTED,
    "power-platform manage-application-users; the code is the one that public issue threads quote",
)
NO_ROLE = Rule(
    "user_without_a_role_is_refused",
    "A user of the organisation to whom no security role is assigned is refused, whatever the table.",
    Mark.SECONDARY,
    "microsoft/coe-starter-kit#678 quotes the text; status and code are assumed",
)
MISSING_PRIVILEGE = Rule(
    "missing_privilege_is_403",
    "A user without the privilege for a table is refused with 403 and 0x80040220, naming it.",
    Mark.SECONDARY,
    "public issue threads; no recording",
)
AUTHORIZATION_STATUS = Rule(
    "authorization_failure_is_403",
    "ConnectionAuthorizationFailed comes through Dataverse as 403 with 0x80060467.",
    Mark.SECONDARY,
    "two public projects quote text and number; they differ on 400 or 403",
    flipped="It comes as 400.",
)
RULES = (NO_MEMBER, NO_ROLE, MISSING_PRIVILEGE, AUTHORIZATION_STATUS)


class User(NamedTuple):
    """The caller as Dataverse knows him.

    Attributes:
        id: the ``systemuserid``.
        principal_id: the object id behind it.
    """

    id: str
    principal_id: str
    roles: frozenset[str]
    environment: Environment

    @property
    def reads_all(self) -> bool:
        """Whether rows of others can be read."""
        return not READ_ALL.isdisjoint(self.roles)

    @property
    def writes_all(self) -> bool:
        """Whether rows of others can be changed."""
        return not WRITE_ALL.isdisjoint(self.roles)


def refusal(status: int, code: str, message: str) -> CallRefusedError:
    """The envelope of Dataverse: a number in hex as code."""
    return CallRefusedError(
        answer({"error": {"code": code, "message": message}}, status, {"OData-Version": "4.0"})
    )


def bad_request(message: str, code: str = "0x0") -> CallRefusedError:
    """400."""
    return refusal(400, code, message)


def no_row(entity: str, row_id: str) -> CallRefusedError:
    """404 as Dataverse words it."""
    return refusal(404, "0x80040217", f"Entity '{entity}' With Id = {row_id} Does Not Exist")


def user(call: Call) -> User:
    """Whoever calls.

    Raises:
        CallRefusedError: 401 without a token for this organisation; 404 for an organisation that is not there; 403 for
            an application that is no user of it.
    """
    try:
        caller = caller_of(call, DATAVERSE)
    except TokenRefusedError:
        challenge = f"Bearer authorization_uri={call.tenant.urls[Host.AUTHORITY]}/{call.world.tenant_id}/oauth2/authorize"
        raise CallRefusedError(Response(status_code=401, headers={"WWW-Authenticate": challenge})) from None
    environment = next(
        (one for one in call.world.environments.values() if one.org == call.params["org"]), None
    )
    if environment is None:
        raise CallRefusedError(Response(status_code=404))
    return _user(call.world, environment, caller)


def _user(world: World, environment: Environment, caller: Caller) -> User:
    own = _member(world, environment, caller.object_id)
    roles = list(own.roles) if own else []
    if caller.account is not None:
        roles += MAKER_ROLES
        if not ADMIN_ROLES.isdisjoint(caller.account.directory_roles):
            roles.append("System Administrator")
    elif own is None:
        raise refusal(403, "0x80072560", "The user is not a member of the organization.")
    elif not roles:
        says = f"The user with id {own.id} has not been assigned any roles. They need a role with the prvReadUser privilege."
        raise refusal(403, "0x80042f09", says)
    return User(
        systemuser_id(world, environment, caller.object_id), caller.object_id, frozenset(roles), environment
    )


def _member(world: World, environment: Environment, principal_id: str) -> OrgUser | None:
    """The identity's own entry among the users of an environment; looked up often, by every row there is."""
    kept = memo_of(world).get("members")
    if kept is None or kept[0] != (world.changes, len(world.org_users)):
        by_key = {(one.environment_id, one.principal_id): one for one in reversed(world.org_users.values())}
        kept = memo_of(world)["members"] = ((world.changes, len(world.org_users)), by_key)
    found: OrgUser | None = kept[1].get((environment.id, principal_id))
    return found


def systemuser_id(world: World, environment: Environment, principal_id: str) -> str:
    """The id under which an identity is a user of an environment."""
    if (own := _member(world, environment, principal_id)) is not None:
        return own.id
    return guid(world.seed, "system user", environment.id, principal_id)


def principal_of(world: World, environment: Environment, user_id: str) -> str | None:
    """The object id behind a ``systemuserid``; None for an unknown one."""
    for one in world.org_users.values():
        if one.environment_id == environment.id and one.id == user_id:
            return one.principal_id
    return next((one for one in world.accounts if systemuser_id(world, environment, one) == user_id), None)


def identities(world: World, environment: Environment) -> Iterable[Account | Application]:
    """Everybody who is a user of the environment."""
    yield from world.accounts.values()
    members = {one.principal_id for one in world.org_users.values() if one.environment_id == environment.id}
    yield from (app for app in world.applications.values() if app.principal_id in members)


def need(is_allowed: bool, caller: User, privilege: str) -> None:
    """Raise 403 unless it is allowed."""
    if not is_allowed:
        raise refusal(
            403,
            "0x80040220",
            f"Principal user (Id={caller.id}, type=8, roleCount={len(caller.roles)}, privilegeCount=0, accessMode=0), is "
            f"missing {privilege} privilege on OTC=4703 for entity 'workflow'.",
        )


def client_error(status: int, word: str, details: dict[str, Any]) -> CallRefusedError:
    """What Dataverse says when the flow service behind it refuses."""
    inner = json.dumps(details, ensure_ascii=False, separators=(",", ":"))
    message = f'Flow client error returned with status code "{word}" and details "{inner}".'
    return refusal(status, "0x80060467", message)


def not_allowed(call: Call, details: dict[str, Any]) -> CallRefusedError:
    """The flow service's ConnectionAuthorizationFailed, as it comes through Dataverse."""
    status = 403 if call.world.holds(AUTHORIZATION_STATUS) else 400
    return client_error(status, "Forbidden", details)


# --- rows ------------------------------------------------------------------------------------------------


class Lead(NamedTuple):
    """Where a navigation property leads.

    Attributes:
        find: the row there, by the row that points at it; None where there is none.
    """

    columns: frozenset[str]
    find: Callable[[Call, Row], Row | None]


class TableShape(NamedTuple):
    """One table.

    Attributes:
        entity_set: its name in addresses; `entity` in errors.
        key: the column that every answer has.
        labels: what coded values are called.
        columns: all of them.
        leads: by navigation property, the single row that can be asked for along.
    """

    entity_set: str
    entity: str
    key: str
    columns: frozenset[str]
    labels: Mapping[str, Mapping[Any, str]] = {}
    leads: Mapping[str, Lead] = {}


def one(call: Call, shape: TableShape, row: Row, status: int = 200) -> Response:
    """A single row."""
    names = _names(call, shape)
    told = _shown(call, shape, row, names)
    fragment = f"{shape.entity_set}{_chosen(names)}/$entity"
    return answer({"@odata.context": _context(call, fragment), **told}, status, {"OData-Version": "4.0"})


def many(call: Call, shape: TableShape, rows: Iterable[Row]) -> Response:
    """A page of rows by the query options; pages as the client prefers, up to 5,000 rows."""
    try:
        return _page(call, shape, list(rows))
    except QueryError as error:
        raise bad_request(str(error), "0x80060888") from None


def _page(call: Call, shape: TableShape, rows: list[Row]) -> Response:
    query = call.query
    if unknown := [name for name in query if name.startswith("$") and name not in OPTIONS]:
        raise QueryError(f"The query parameter '{unknown[0]}' is not supported.")
    if "$filter" in query:
        test = parse_filter(query["$filter"])
        rows = [row for row in rows if test(row)]
    if "$orderby" in query:
        rows = ordered(rows, query["$orderby"])
    count = len(rows)
    if "$top" in query:
        rows = rows[: whole_number(query["$top"], "$top", LARGEST_PAGE)]
    size = _preferred_size(call)
    start = _start(query.get("$skiptoken"))
    names = _names(call, shape)
    told: dict[str, Any] = {"@odata.context": _context(call, f"{shape.entity_set}{_chosen(names)}")}
    if query.get("$count", "").lower() == "true":
        told["@odata.count"] = count
    if '"*"' in _preferences(call):
        told |= {
            "@Microsoft.Dynamics.CRM.totalrecordcount": count if "@odata.count" in told else -1,
            "@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded": False,
            "@Microsoft.Dynamics.CRM.globalmetadataversion": "4185914",
        }
    told["value"] = [_shown(call, shape, row, names) for row in rows[start : start + size]]
    if start + size < len(rows):
        told["@odata.nextLink"] = _next_link(call, start + size)
    return answer(told, 200, {"OData-Version": "4.0"})


OPTIONS = frozenset({"$filter", "$select", "$orderby", "$top", "$count", "$skiptoken", "$expand"})


def _preferences(call: Call) -> str:
    return call.headers.get("prefer", "")


def _preferred_size(call: Call) -> int:
    for part in _preferences(call).split(","):
        name, _, value = part.strip().partition("=")
        if name.lower() == "odata.maxpagesize" and value.isdecimal() and len(value) < 9:
            return min(max(int(value), 1), LARGEST_PAGE)
    return LARGEST_PAGE


def _shown(call: Call, shape: TableShape, row: Row, names: list[str] | None) -> dict[str, Any]:
    chosen = dict(row) if names is None else selected(row, [*names, shape.key])
    chosen |= _expanded(call, shape, row)
    if "odata.include-annotations" not in _preferences(call):
        return chosen
    labels = {
        f"{name}{FORMATTED}": shape.labels[name][value]
        for name, value in chosen.items()
        if name in shape.labels and value in shape.labels[name]
    }
    return {**chosen, **labels}


def _expanded(call: Call, shape: TableShape, row: Row) -> Row:
    """The rows that the caller asked for along, each with the columns that it named."""
    told: dict[str, Any] = {}
    for name, columns in _expansions(call, shape):
        there = shape.leads[name].find(call, row)
        told[name] = there and (there if columns is None else selected(there, [*columns, "systemuserid"]))
    return told


def _expansions(call: Call, shape: TableShape) -> list[tuple[str, list[str] | None]]:
    asked = call.query.get("$expand", "")
    found: list[tuple[str, list[str] | None]] = []
    for name, options in re.findall(r"(\w+)(?:\(([^()]*)\))?", asked):
        columns = [one.strip() for one in options.removeprefix("$select=").split(",")] if options else None
        lead = shape.leads.get(name)
        unknown = next((one for one in columns or () if lead is None or one not in lead.columns), None)
        if lead is None or unknown is not None:
            message = f"Could not find a property named '{unknown or name}' on type 'Microsoft.Dynamics.CRM.{shape.entity}'."
            raise bad_request(message, "0x80060888")
        found.append((name, columns))
    return found


def _names(call: Call, shape: TableShape) -> list[str] | None:
    if "$select" not in call.query:
        return None
    names = [name.strip() for name in call.query["$select"].split(",") if name.strip()]
    for name in names:
        if name not in shape.columns:
            message = (
                f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{shape.entity}'."
            )
            raise bad_request(message, "0x80060888")
    return names


def _chosen(names: list[str] | None) -> str:
    return f"({','.join(names)})" if names else ""


def _context(call: Call, fragment: str) -> str:
    return f"{call.tenant.dataverse_url(call.params['org'])}/api/data/{call.params['version']}/$metadata#{fragment}"


def _start(token: str | None) -> int:
    if token is None:
        return 0
    try:
        word, _, place = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().partition(":")
        if word == "cookie":
            return max(0, int(place))
    except ValueError:
        pass
    raise QueryError("Malformed XML in the Paging Cookie")


def _next_link(call: Call, start: int) -> str:
    token = urlsafe_b64encode(f"cookie:{start}".encode()).decode().rstrip("=")
    query = {**call.query, "$skiptoken": token}
    return f"{call.url}?" + "&".join(
        f"{quote(name, safe='$')}={quote(value)}" for name, value in query.items()
    )


def body_of(call: Call, shape: TableShape, known: Mapping[str, Callable[[Any], bool]]) -> dict[str, Any]:
    """The body: an object with known columns of the right kind only.

    Raises:
        CallRefusedError: 400 otherwise.
    """
    body = call.json()
    if not isinstance(body, dict):
        raise bad_request("The request body must be a JSON object.", "0x80048d19")
    for name, value in body.items():
        if name not in known:
            message = (
                f"Error identified in Payload provided by the user for Entity :'{shape.entity_set}', "
                f"The property '{name}' does not exist on type 'Microsoft.Dynamics.CRM.{shape.entity}'."
            )
            raise bad_request(message, "0x80048d19")
        if not known[name](value):
            raise bad_request(f"Cannot convert the value of '{name}' to the expected type.", "0x80048d19")
    return body


def is_text(value: Any) -> bool:
    """A text, or null."""
    return value is None or isinstance(value, str)


def is_number(value: Any) -> bool:
    """A whole number."""
    return isinstance(value, int) and not isinstance(value, bool)


def created(call: Call, shape: TableShape, row: Row) -> Response:
    """201 with the row if the client prefers so, else 204 with its address."""
    if "return=representation" in _preferences(call):
        return one(call, shape, row, 201)
    address = f"{call.tenant.dataverse_url(call.params['org'])}/api/data/{call.params['version']}/{shape.entity_set}"
    return Response(
        status_code=204, headers={"OData-EntityId": f"{address}({row[shape.key]})", "OData-Version": "4.0"}
    )


def nothing() -> Response:
    """204."""
    return Response(status_code=204, headers={"OData-Version": "4.0"})
