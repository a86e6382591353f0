"""Which calls of the ledger one identity may make: each is asked once, and nothing is written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from typing import Final, NamedTuple

from holdfast.adapters.cloud.powerplatform import environment
from holdfast.adapters.cloud.transport import Transport
from holdfast.core.errors import CloudError, MissingError, RefusedError
from holdfast.core.identity import Role
from holdfast.core.inventory import SQL_CONNECTORS
from holdfast.core.probe import Answered, Probe
from holdfast.wire.dataverse import SecurityRole, WhoAmI
from holdfast.wire.environments import Environment
from holdfast.wire.ledger import (
    CALLS,
    ENVIRONMENTS,
    OPENID_CONFIGURATION,
    OWN_ENVIRONMENTS,
    TOKEN,
    Audience,
    Call,
    HostKind,
)
from holdfast.wire.making.dataverse import SECURITY_ROLES, WHO_AM_I
from holdfast.wire.shape import zulu

# Things that cannot be there: who may ask for one is told that it is missing, or given an empty list.
_NOTHING: Final = {
    "connection": "0" * 32,
    "label": "holdfast/nothing",
    "name": "holdfast",
    **dict.fromkeys(
        ("account", "application", "client", "flow", "policy", "reference", "run", "user"),
        "00000000-0000-0000-0000-000000000000",
    ),
}


async def probe(
    transport: Transport, role: Role, *, as_maker: bool = False, is_person: bool = False
) -> AsyncIterator[Probe]:
    """Every call of the ledger that holdfast makes as `role`, in the ledger's order.

    Args:
        transport: speaks as that role's identity.
        as_maker: only what a reader asks who sees the own connections only.
        is_person: that identity is somebody who signed in.
    """
    calls = [call for call in CALLS if ("maker" if as_maker else role) in call.roles]
    signed_in = await _sign_in(transport, calls)
    place = await _a_place(transport, calls) if signed_in is None else _Place({}, None)
    held = await _security_roles(transport, place) if role is Role.OPERATOR else None
    for call in calls:
        if call.is_for_people and not is_person:
            yield _told(role, call, "only a person may ask it")
        else:
            answer = await _answer(transport, call, place, signed_in)
            yield _told(role, call, _by_security_role(call, answer, held))


class _Place(NamedTuple):
    """What to ask about.

    Attributes:
        at: values for the names in the calls' addresses.
        dataverse: address of an environment's Dataverse; None where none is known.
    """

    at: dict[str, str]
    dataverse: str | None


async def _answer(
    transport: Transport, call: Call, place: _Place, signed_in: CloudError | None
) -> CloudError | str | None:
    """None where it is allowed, the error where it is not, words where it was not asked."""
    if signed_in is not None and signed_in.operation == call.id:
        return signed_in
    if call is OPENID_CONFIGURATION or (call is TOKEN and signed_in is None):
        return None
    if signed_in is not None:
        return "the identity cannot sign in"
    if call.writes:
        return "it would write"
    if call.host is HostKind.LINKS:
        return "its address is known only once an answer has named it"
    missing = [name for name in call.names if name not in place.at]
    if missing:
        return f"no {missing[0]} is known to ask about"
    if call.host is HostKind.DATAVERSE and place.dataverse is None:
        return "no environment with Dataverse is known to ask about"
    at = {name: place.at[name] for name in call.names}
    is_odata = call.host in (HostKind.GRAPH, HostKind.DATAVERSE)
    base = place.dataverse if call.host is HostKind.DATAVERSE else None
    try:
        await transport.ask(call, at=at, query={"$top": "1"} if is_odata else None, base=base)
    except MissingError as error:
        # With a code it is the thing that is missing; without, the address itself.
        return None if error.code else error
    except CloudError as error:
        return error
    return None


# The roles that every environment has, and that lack what they are not named after (power-platform-docs
# admin/database-security.md @00bbee3). A role of the tenant's own may hold anything.
_STANDARD_ROLES: Final = frozenset(
    {
        "Basic User",
        "Environment Maker",
        "Service Reader",
        "Service Writer",
        "System Customizer",
        "Support User",
    }
)


def _by_security_role(
    call: Call, answer: CloudError | str | None, held: frozenset[str] | None
) -> CloudError | str | None:
    """The answer, corrected by the security roles that are held: Dataverse shortens lists where it could refuse.

    Args:
        held: None where they could not be read.
    """
    kind, _, name = call.permission.partition("/")
    if kind != "environment" or held is None or isinstance(answer, CloudError):
        return answer
    if name in held or "System Administrator" in held:
        return None if call.writes else answer
    own = held - _STANDARD_ROLES
    if own:
        return f"whether the role {', '.join(sorted(own))} is enough for it is not known"
    return RefusedError(
        f"The identity has no security role {name} in the environment that was looked at.",
        call.host.value,
        call.id,
        lacks=call.needs,
    )


async def _security_roles(transport: Transport, place: _Place) -> frozenset[str] | None:
    if place.dataverse is None:
        return None
    try:
        me = await transport.read(WHO_AM_I, WhoAmI, base=place.dataverse)
        roles = transport.items(SECURITY_ROLES, SecurityRole, at={"user": me.user}, base=place.dataverse)
        return frozenset([role.name async for role in roles])
    except CloudError:
        return None


def _told(role: Role, call: Call, answer: CloudError | str | None) -> Probe:
    if answer is None:
        return Probe(role, call.id, call.unlocks, Answered.ALLOWED)
    if isinstance(answer, str):
        return Probe(role, call.id, call.unlocks, Answered.NOT_ASKED, detail=answer)
    if isinstance(answer, RefusedError):
        return Probe(role, call.id, call.unlocks, Answered.REFUSED, answer.lacks or call.needs, str(answer))
    return Probe(role, call.id, call.unlocks, Answered.NO_ANSWER, detail=str(answer))


async def _sign_in(transport: Transport, calls: Iterable[Call]) -> CloudError | None:
    """What keeps the identity from signing in, for the first audience that it needs; None where nothing does."""
    audience = next((call.audience for call in calls if call.audience is not Audience.NONE), Audience.GRAPH)
    try:
        await transport.sign_in(audience)
    except CloudError as error:
        return error
    return None


async def _a_place(transport: Transport, calls: Iterable[Call]) -> _Place:
    """An environment, and one that has Dataverse; neither where none may be listed.

    The default one, whose lists are by far the longest, is taken only where there is no other.
    """
    at: dict[str, str] = {
        "connector": SQL_CONNECTORS[0],
        "since": zulu(transport.now() - timedelta(days=1)),
        **_NOTHING,
    }
    dataverse = None
    listing = next((call for call in calls if call in (ENVIRONMENTS, OWN_ENVIRONMENTS)), None)
    if listing is not None:
        try:
            async for told in transport.items(listing, Environment):
                if "environment" not in at or not told.properties.is_default:
                    at["environment"] = told.name
                dataverse = dataverse or environment(told).dataverse_url
        except CloudError:
            pass
    return _Place(at, dataverse)
