"""Who may do what on the Power Platform's own APIs, and how they say no."""

from __future__ import annotations

from typing import Any

from holdfast.sandbox.entra.bearer import Caller, TokenRefusedError, caller_of
from holdfast.sandbox.entra.first_party import POWERAPPS, POWERPLATFORM, Resource
from holdfast.sandbox.frame import Call, CallRefusedError, answer
from holdfast.sandbox.records.platform import Connection, Environment
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.tenant import Host

ADMIN_ROLES = frozenset(
    {"Power Platform Administrator", "Dynamics 365 Administrator", "Global Administrator"}
)

API_VERSIONS = [
    "2015-02-01-preview",
    "2016-11-01",
    "2017-02-01",
    "2017-04-01",
    "2017-05-01",
    "2017-06-01",
    "2017-07-01",
    "2017-08-01",
    "2018-10-01",
    "2019-05-01",
    "2020-02-01",
    "2020-06-01",
    "2020-07-01",
    "2020-08-01",
    "2020-10-01",
    "2021-02-01",
    "2021-04-01",
    "2022-11-01",
    "2023-06-01",
    "2025-03-01",
    "2025-04-01",
]
"""What Power Apps listed in its own refusal, and BAP's versions that clients use (power-platform-api.md, 1.3 and 4.2)."""

CONNECTIVITY_VERSIONS = ("1", "2024-10-01", "2022-03-01-preview")

PRINCIPAL_ADMIN = Rule(
    "registered_principals_list_all_connections",
    "An application that is registered as management application sees every connection through the admin scope.",
    Mark.DOCUMENTED,
    "power-platform powerplatform-api-create-service-principal (by category; no recording)",
)
MISSING_VERSION = Rule(
    "missing_api_version_is_invalid",
    "A call without api-version is refused with InvalidApiVersion, like one with an unknown version.",
    Mark.ASSUMED,
    "only the refusal of an unknown version is known",
    flipped="a call without api-version is answered",
)
RULES = (PRINCIPAL_ADMIN, MISSING_VERSION)


def refusal(status: int, code: str, message: str, **more: Any) -> CallRefusedError:
    """The envelope ``{"error": {"code", "message"}}`` (recorded) with a status."""
    return CallRefusedError(answer({"error": {"code": code, "message": message, **more}}, status))


def authenticated(call: Call) -> Caller:
    """Whoever calls.

    Raises:
        CallRefusedError: 401 InvalidAuthenticationToken, without a token or with a wrong one.
    """
    wanted: tuple[Resource, ...] = (POWERPLATFORM,) if call.host is Host.POWERPLATFORM else (POWERAPPS,)
    try:
        return caller_of(call, *wanted)
    except TokenRefusedError as error:
        raise refusal(401, "InvalidAuthenticationToken", str(error)) from None


def versioned(call: Call) -> None:
    """Check ``api-version``.

    Raises:
        CallRefusedError: 400 InvalidApiVersion, naming the versions that there are.
    """
    known = CONNECTIVITY_VERSIONS if call.host is Host.POWERPLATFORM else API_VERSIONS
    asked = call.query.get("api-version")
    if asked in known or (asked is None and not call.world.holds(MISSING_VERSION)):
        return
    raise refusal(
        400,
        "InvalidApiVersion",
        f"The api-version '{asked or ''}' is invalid. The supported versions are '{','.join(known)}'.",
    )


def is_admin(caller: Caller) -> bool:
    """Whether the admin scope answers this identity."""
    if caller.account:
        return not ADMIN_ROLES.isdisjoint(caller.account.directory_roles)
    return caller.application is not None and caller.application.is_platform_admin


def admin(call: Call, *, is_versioned: bool = True) -> Caller:
    """The caller, who may use the admin scope; newer addresses have no api-version.

    Raises:
        CallRefusedError: 401, 400 for the api-version, or 403 Forbidden.
    """
    caller = authenticated(call)
    if is_versioned:
        versioned(call)
    if not is_admin(caller):
        who = "user with object id" if caller.account else "service principal with id"
        raise refusal(
            403,
            "Forbidden",
            f"The {who} '{caller.object_id}' does not have permission to access the path "
            f"'{call.path}' in tenant {call.world.tenant_id}.",
        )
    return caller


def maker(call: Call) -> Caller:
    """The caller, with whatever rights he has on single things.

    Raises:
        CallRefusedError: 401, or 400 for the api-version.
    """
    caller = authenticated(call)
    versioned(call)
    return caller


def environment_named(call: Call, environment_id: str) -> Environment:
    """The environment by its id in any case; ``~Default`` is the tenant's default one.

    Raises:
        CallRefusedError: 404 as recorded: EnvironmentNotFound by BAP, ServiceToServiceEnvironmentNotFound by the others.
    """
    if (known := call.world.environments.get(environment_id)) is not None:
        return known
    wanted = environment_id.casefold()
    for environment in call.world.environments.values():
        if environment.id.casefold() == wanted or (wanted == "~default" and environment.is_default):
            return environment
    if call.host is Host.BAP:
        message = f"The environment '{environment_id}' could not be found in the tenant."
        raise refusal(404, "EnvironmentNotFound", message, detailUrlType="NotSpecified")
    raise refusal(
        404,
        "ServiceToServiceEnvironmentNotFound",
        f"The environment '{environment_id}' could not be found in the tenant '{call.world.tenant_id}'.",
    )


def role_on(connection: Connection, caller: Caller) -> str | None:
    """Owner, CanEdit, CanViewWithShare or CanView; None for no right at all."""
    return role_of(connection, caller.object_id)


def role_of(connection: Connection, principal_id: str) -> str | None:
    """The same for any identity."""
    if connection.owner_id == principal_id:
        return "Owner"
    return next((share.role for share in connection.shares if share.principal_id == principal_id), None)
