"""How every Graph call is answered: who may, the error envelope, one row, a page of rows."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from starlette.responses import Response

from holdfast.sandbox.entra.bearer import Caller, TokenRefusedError, caller_of
from holdfast.sandbox.entra.first_party import GRAPH
from holdfast.sandbox.frame import Call, CallRefusedError, answer
from holdfast.sandbox.memo import memo_of
from holdfast.sandbox.odata import (
    QueryError,
    Row,
    names_in_filter,
    names_in_order,
    ordered,
    parse_filter,
    selected,
    whole_number,
)

INCLUDES = {
    "User.Read.All": ("User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"),
    "User.ReadBasic.All": (
        "User.Read.All",
        "User.ReadWrite.All",
        "Directory.Read.All",
        "Directory.ReadWrite.All",
    ),
    "User.ReadWrite.All": ("Directory.ReadWrite.All",),
    "User.RevokeSessions.All": ("User.ReadWrite.All", "Directory.ReadWrite.All"),
    "Application.Read.All": ("Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"),
    "Application.ReadWrite.OwnedBy": ("Application.ReadWrite.All",),
    "AppRegistration.Create": ("Application.ReadWrite.OwnedBy", "Application.ReadWrite.All"),
    "Application.ReadWrite.All": ("Directory.ReadWrite.All",),
    "Policy.Read.All": ("Policy.ReadWrite.ConditionalAccess",),
    "Domain.Read.All": ("Domain.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"),
    "LicenseAssignment.Read.All": ("Organization.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"),
    "UserAuthenticationMethod.Read.All": ("UserAuthenticationMethod.ReadWrite.All",),
}
"""Which greater permissions carry a smaller one (microsoft-graph-devx-content permissions.json @6cbd6bb)."""


def failure(call: Call, status: int, code: str, message: str) -> Response:
    """The error envelope, as recorded in ``graph-batch-errors.json``."""
    request_id = call.world.fresh("graph request")
    client_id = call.headers.get("client-request-id") or request_id
    inner = {
        "date": f"{call.now:%Y-%m-%dT%H:%M:%S}",
        "request-id": request_id,
        "client-request-id": client_id,
    }
    error = {"code": code, "message": message, "innerError": inner}
    return answer({"error": error}, status, {"request-id": request_id, "client-request-id": client_id})


def refuse(call: Call, status: int, code: str, message: str) -> CallRefusedError:
    """The same, to be raised."""
    return CallRefusedError(failure(call, status, code, message))


def bad_request(call: Call, message: str) -> CallRefusedError:
    """400 Request_BadRequest."""
    return refuse(call, 400, "Request_BadRequest", message)


def not_found(call: Call, thing: str) -> CallRefusedError:
    """404 Request_ResourceNotFound."""
    return refuse(
        call,
        404,
        "Request_ResourceNotFound",
        f"Resource '{thing}' does not exist or one of its queried reference-property objects are not present.",
    )


def denied(call: Call) -> CallRefusedError:
    """403 Authorization_RequestDenied (recorded)."""
    return refuse(
        call, 403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
    )


def authenticated(call: Call) -> Caller:
    """Whoever calls; 401 without a token for Graph."""
    try:
        return caller_of(call, GRAPH)
    except TokenRefusedError as error:
        raise refuse(call, 401, "InvalidAuthenticationToken", str(error)) from None


def holds(caller: Caller, permission: str) -> bool:
    """Whether the token carries this permission or a greater one."""
    granted = caller.roles | caller.scopes
    return any(name in granted for name in (permission, *INCLUDES.get(permission, ())))


def permitted(call: Call, *any_of: str) -> Caller:
    """The caller, who carries one of these permissions; 401 or 403 otherwise."""
    caller = authenticated(call)
    if not any(holds(caller, permission) for permission in any_of):
        raise denied(call)
    return caller


def instant(value: datetime | None) -> str | None:
    """An instant as Graph prints it."""
    return value.isoformat()[:19] + "Z" if value is not None else None


def context(call: Call, entity: str) -> str:
    """The context link; it names the real Graph, as recorded answers do, whatever host was asked."""
    version = "beta" if call.path.startswith("/beta") else "v1.0"
    return f"https://graph.microsoft.com/{version}/$metadata#{entity}"


Source = TypeVar("Source")

MOST_LISTINGS = 8
"""So many are kept for their following pages; whoever asks on after that meets the list as it is by then."""


class Shape(NamedTuple):
    """One kind of row.

    Attributes:
        entity: its name in the context link.
        default: properties given without ``$select``; None gives all.
        page: rows per page unless ``$top`` says otherwise; `most` is the largest ``$top``.
    """

    entity: str
    default: tuple[str, ...] | None = None
    page: int = 100
    most: int = 999


def one(call: Call, shape: Shape, row: Row) -> Response:
    """A single row."""
    try:
        _refuse_unplayed(call)
    except QueryError as error:
        raise bad_request(call, str(error)) from None
    names = _names(call, shape, row)
    chosen = selected(row, names) if names else dict(row)
    return answer({"@odata.context": f"{context(call, shape.entity)}/$entity", **chosen})


def many(call: Call, shape: Shape, rows: Iterable[Row]) -> Response:
    """A page of rows by the query options; the next link is to be followed as it is."""
    try:
        _refuse_unplayed(call)
        chosen: Sequence[Row] = _filtered(call, shape, list(rows), lambda row: row)
        if "$orderby" in call.query:
            _check_known(shape, chosen, names_in_order(call.query["$orderby"]))
            chosen = ordered(chosen, call.query["$orderby"])
        return _page(call, shape, chosen, lambda row: row)
    except QueryError as error:
        raise bad_request(call, str(error)) from None


def many_of_log(
    call: Call, shape: Shape, sources: Iterable[Source], lay_out: Callable[[Source], Row]
) -> Response:
    """The same of a long list: what its first page chose is kept for the pages after it, and laid out page by page.

    Args:
        sources: what each row is laid out from.
    """
    if "$orderby" in call.query:
        return many(call, shape, map(lay_out, sources))
    kept: dict[Any, Sequence[Source]] = memo_of(call.world).setdefault("listings", {})
    asked = (call.path, *sorted(pair for pair in call.query.items() if pair[0] != "$skiptoken"))
    try:
        _refuse_unplayed(call)
        chosen = kept.pop(asked, None) if "$skiptoken" in call.query else None
        if chosen is None:
            chosen = _filtered(call, shape, list(sources), lay_out)
        while len(kept) >= MOST_LISTINGS:
            del kept[next(iter(kept))]
        kept[asked] = chosen
        return _page(call, shape, chosen, lay_out)
    except QueryError as error:
        raise bad_request(call, str(error)) from None


PLAYED = frozenset({"$filter", "$select", "$orderby", "$top", "$count", "$skiptoken", "$skip", "$format"})
"""Query options that are looked at; any other would have changed the answer."""


def _refuse_unplayed(call: Call) -> None:
    for name in call.query:
        if name.startswith("$") and name not in PLAYED:
            raise QueryError(f"The query option '{name}' is not there in the sandbox.")


def _filtered(
    call: Call, shape: Shape, sources: list[Source], lay_out: Callable[[Source], Row]
) -> list[Source]:
    if "$skip" in call.query:
        raise QueryError("'$skip' is not supported by the service.")
    if "$filter" not in call.query:
        return sources
    test = parse_filter(call.query["$filter"])
    _check_known(shape, [lay_out(one) for one in sources[:1]], names_in_filter(call.query["$filter"]))
    return [one for one in sources if test(lay_out(one))]


def _page(call: Call, shape: Shape, rows: Sequence[Source], lay_out: Callable[[Source], Row]) -> Response:
    query = call.query
    size = whole_number(query["$top"], "$top", shape.most) if "$top" in query else shape.page
    start = _start(query.get("$skiptoken"), shape)
    page = [lay_out(one) for one in rows[start : start + size]]
    names = _names(call, shape, page[0] if page else None)
    told: dict[str, Any] = {"@odata.context": context(call, shape.entity)}
    if query.get("$count", "").lower() == "true":
        told["@odata.count"] = len(rows)
    if start + size < len(rows):
        told["@odata.nextLink"] = _next_link(call, start + size, shape)
    told["value"] = [selected(row, names) if names else dict(row) for row in page]
    return answer(told)


def _check_known(shape: Shape, rows: Sequence[Row], names: set[str]) -> None:
    for name in sorted(names):
        if rows and name not in rows[0]:
            raise QueryError(
                f"Could not find a property named '{name}' on type 'microsoft.graph.{shape.entity}'."
            )


def _names(call: Call, shape: Shape, sample: Row | None) -> Sequence[str] | None:
    if "$select" not in call.query:
        return shape.default
    names = [name.strip() for name in call.query["$select"].split(",") if name.strip()]
    for name in names:
        if sample is not None and name not in sample and name != "*":
            raise bad_request(
                call, f"Could not find a property named '{name}' on type 'microsoft.graph.{shape.entity}'."
            )
    return None if "*" in names else names


def _start(token: str | None, shape: Shape) -> int:
    if token is None:
        return 0
    try:
        entity, _, place = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().partition(":")
        if entity == shape.entity:
            return max(0, int(place))
    except ValueError:
        pass
    raise QueryError("The skip token is not valid.")


def _next_link(call: Call, start: int, shape: Shape) -> str:
    token = urlsafe_b64encode(f"{shape.entity}:{start}".encode()).decode().rstrip("=")
    query = {**call.query, "$skiptoken": token}
    return f"{call.url}?" + "&".join(
        f"{quote(name, safe='$')}={quote(value)}" for name, value in query.items()
    )


def fields(call: Call, known: Mapping[str, Callable[[Any], bool]], entity: str) -> dict[str, Any]:
    """The body: an object with known properties of the right kind only; 400 otherwise."""
    body = call.json()
    if not isinstance(body, dict):
        raise bad_request(call, "A JSON object is expected in the request body.")
    for name, value in body.items():
        if name.startswith("@odata"):
            continue
        if name not in known:
            raise bad_request(call, f"Invalid property '{name}' on type 'microsoft.graph.{entity}'.")
        if not known[name](value):
            raise bad_request(call, f"Invalid value specified for property '{name}' of resource '{entity}'.")
    return {name: value for name, value in body.items() if not name.startswith("@odata")}


def is_text(value: Any) -> bool:
    """A text, or null."""
    return value is None or isinstance(value, str)


def is_list(value: Any) -> bool:
    """A list."""
    return isinstance(value, list)


def is_object(value: Any) -> bool:
    """An object, or null."""
    return value is None or isinstance(value, dict)


def is_bool(value: Any) -> bool:
    """True or false."""
    return isinstance(value, bool)
