"""Calls that make, share, lend and prove connections."""

from __future__ import annotations

from typing import Any, Final

from holdfast.wire.call import Audience, Call, HostKind

_CONNECTION: Final = "/providers/Microsoft.PowerApps/apis/{connector}/connections/{connection}"
_ENVIRONMENT: Final = {"api-version": "2021-02-01", "$filter": "environment eq '{environment}'"}
_MAKER: Final = "a service principal that is an application user of the environment with a maker's role"
_MAKER_NEEDS: Final = "the Environment Maker role in the environment"
_OWNER: Final = "the connection's owner, and whom it is shared with for changing"
_OWNER_NEEDS: Final = "the connection itself: it belongs to somebody else"


def _connection(id: str, method: str, path: str, does: str, **more: Any) -> Call:
    about: dict[str, Any] = {
        "who": _OWNER,
        "needs": _OWNER_NEEDS,
        "unlocks": "migrate, rotate",
        "roles": ("operator",),
        "query": _ENVIRONMENT,
        "support": "code",
        "writes": True,
    } | more
    return Call(id, method, HostKind.POWERAPPS, path, Audience.POWERAPPS, does, **about)


PUT_CONNECTION: Final = _connection(
    "powerapps.connections.put",
    "PUT",
    _CONNECTION,
    "make or change a connection of holdfast's own",
    who=_MAKER,
    needs=_MAKER_NEEDS,
    permission="environment/Environment Maker",
    source="fredrikhr/powerplatform-sdk-extensions scripts/connection; terraform-provider-power-platform internal/services/connection",
)
DELETE_CONNECTION: Final = _connection(
    "powerapps.connections.delete",
    "DELETE",
    _CONNECTION,
    "remove a connection that holdfast made",
    source="terraform-provider-power-platform internal/services/connection; Microsoft.PowerApps.PowerShell 1.0.9",
)
CONNECTION_SHARES: Final = _connection(
    "powerapps.connections.permissions",
    "GET",
    f"{_CONNECTION}/permissions",
    "read whom a connection is shared with",
    writes=False,
    source="terraform-provider-power-platform internal/services/connection; Microsoft.PowerApps.PowerShell 1.0.9",
)
SHARE_CONNECTION: Final = _connection(
    "powerapps.connections.modify_permissions",
    "POST",
    f"{_CONNECTION}/modifyPermissions",
    "share a connection of holdfast's own, or take a share back",
    source="terraform-provider-power-platform internal/services/connection",
)
LEND_CONNECTION: Final = _connection(
    "powerapps.connections.admin_modify_permissions",
    "POST",
    "/providers/Microsoft.PowerApps/scopes/admin/environments/{environment}/apis/{connector}/connections/{connection}/modifyPermissions",
    "share somebody's connection with holdfast for a moment, so that a flow can be bound to it again",
    query={"api-version": "2017-06-01"},
    who="Power Platform, Dynamics 365 or Global administrator; a service principal registered as management application",
    needs="registration as Power Platform management application, or a Power Platform administrator",
    permission="power-platform/management-application",
    unlocks="undoing migrate and rotate",
    source="Microsoft.PowerApps.Administration.PowerShell 2.0.64, Set-AdminPowerAppConnectionRoleAssignment",
)
CONNECTOR: Final = _connection(
    "powerapps.connectors.get",
    "GET",
    "/providers/Microsoft.PowerApps/apis/{connector}",
    "read how connections of a connector can sign in",
    query={"api-version": "2019-05-01", "$filter": "environment eq '{environment}'"},
    who="a maker; a service principal that is an application user of the environment",
    needs=_MAKER_NEEDS,
    permission="environment/Environment Maker",
    writes=False,
    source="AdamCoulterOz/powerplatform-apis powerapps/oas; no recorded metadata of shared_sql was found",
)
PROOF_QUERY: Final = Call(
    id="apihub.query",
    method="POST",
    host=HostKind.APIHUB,
    path="/apim/{connector}/{connection}/v2/datasets/{server},{database}/query/sql",
    audience=Audience.APIHUB,
    does="run a query through a connection",
    who="the connection's owner, and whom it is shared with",
    needs="the connection, or a share of it",
    unlocks="proof that a connection works before anything is bound to it",
    roles=("operator",),
    support="assumed",
    source="paths of learn.microsoft.com/connectors/sql; that an application may call them is not witnessed",
    writes=True,
)

CONNECTIONS: Final[tuple[Call, ...]] = (
    PUT_CONNECTION,
    DELETE_CONNECTION,
    CONNECTION_SHARES,
    SHARE_CONNECTION,
    LEND_CONNECTION,
    CONNECTOR,
    PROOF_QUERY,
)
