"""Microsoft Graph: which path is answered by what."""

from __future__ import annotations

from starlette.responses import Response

from holdfast.sandbox.entra import spreading
from holdfast.sandbox.frame import Call, Door, Endpoint, Part, Room, Route, at
from holdfast.sandbox.graph import app_policies
from holdfast.sandbox.graph import applications as graph_applications
from holdfast.sandbox.graph import credentials as graph_credentials
from holdfast.sandbox.graph import deleted as graph_deleted
from holdfast.sandbox.graph import grants as graph_grants
from holdfast.sandbox.graph import limits as graph_limits
from holdfast.sandbox.graph import logs as graph_logs
from holdfast.sandbox.graph import policies as graph_policies
from holdfast.sandbox.graph.batch import batch
from holdfast.sandbox.graph.frame import failure
from holdfast.sandbox.graph.policies import nothing
from holdfast.sandbox.graph.users import (
    change_user,
    delete_user,
    get_me,
    get_organization,
    get_requirements,
    get_user,
    list_domains,
    list_methods,
    list_registrations,
    list_skus,
    list_users,
    revoke_sessions,
)
from holdfast.sandbox.tenant import Host

CA = "/identity/conditionalAccess/policies"
DEFAULTS = "/policies/identitySecurityDefaultsEnforcementPolicy"


def both(method: str, path: str, endpoint: Endpoint, *, reads: bool = False) -> tuple[Route, ...]:
    """The same under v1.0 and beta."""
    return tuple(at(method, f"/{version}{path}", endpoint, reads=reads) for version in ("v1.0", "beta"))


def no_such_segment(call: Call) -> Response:
    """400 as Graph answers a path that it does not know."""
    segment = call.path.rpartition("/")[2]
    return failure(call, 400, "BadRequest", f"Resource not found for the segment '{segment}'.")


def wrong_method(call: Call) -> Response:
    """405 (recorded)."""
    return failure(
        call, 405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target."
    )


def _of_application(method: str, path: str, endpoint: Endpoint) -> tuple[Route, ...]:
    """A path below an application, addressed either way."""
    return (
        *both(method, f"/applications/{{id}}{path}", endpoint),
        *both(method, f"/applications(appId='{{app_id}}'){path}", endpoint),
    )


def _of_principal(method: str, path: str, endpoint: Endpoint) -> tuple[Route, ...]:
    return (
        *both(method, f"/servicePrincipals/{{id}}{path}", endpoint),
        *both(method, f"/servicePrincipals(appId='{{app_id}}'){path}", endpoint),
    )


def batched(call: Call) -> Response:
    """POST /$batch."""
    return batch(call, DOOR.find)


ROUTES: tuple[Route, ...] = (
    *both("GET", "/users", list_users),
    *both("GET", "/users/{id}", get_user),
    *both("PATCH", "/users/{id}", change_user),
    *both("DELETE", "/users/{id}", delete_user),
    *both("POST", "/users/{id}/revokeSignInSessions", revoke_sessions),
    *both("GET", "/users/{id}/authentication/methods", list_methods),
    at("GET", "/beta/users/{id}/authentication/requirements", get_requirements),
    *both("GET", "/domains", list_domains),
    *both("GET", "/subscribedSkus", list_skus),
    *both("GET", "/applications", graph_applications.list_applications),
    *both("POST", "/applications", graph_applications.create_application),
    *_of_application("GET", "", graph_applications.get_application),
    *_of_application("PATCH", "", graph_applications.change_application),
    *_of_application("DELETE", "", graph_applications.delete_application),
    *_of_application("GET", "/appManagementPolicies", graph_applications.list_app_policies),
    *_of_application("GET", "/owners", graph_applications.list_owners),
    *_of_application("POST", "/owners/$ref", graph_applications.add_owner),
    *_of_application("POST", "/addPassword", graph_credentials.add_password),
    *_of_application("POST", "/removePassword", graph_credentials.remove_password),
    *_of_application("POST", "/addKey", graph_credentials.add_key),
    *_of_application("POST", "/removeKey", graph_credentials.remove_key),
    *_of_application("GET", "/federatedIdentityCredentials", graph_credentials.list_federated),
    *_of_application("POST", "/federatedIdentityCredentials", graph_credentials.add_federated),
    *_of_application(
        "DELETE", "/federatedIdentityCredentials/{credential}", graph_credentials.delete_federated
    ),
    *both("GET", "/servicePrincipals", graph_applications.list_principals),
    *both("POST", "/servicePrincipals", graph_applications.create_principal),
    *_of_principal("GET", "", graph_applications.get_principal),
    *_of_principal("PATCH", "", graph_applications.change_principal),
    *_of_principal("DELETE", "", graph_applications.delete_principal),
    *_of_principal("GET", "/owners", graph_applications.list_principal_owners),
    *_of_principal("GET", "/appRoleAssignments", graph_grants.list_assignments),
    *_of_principal("POST", "/appRoleAssignments", graph_grants.add_assignment),
    *_of_principal("DELETE", "/appRoleAssignments/{assignment}", graph_grants.delete_assignment),
    *_of_principal("GET", "/appRoleAssignedTo", graph_grants.list_assigned_to),
    *both("GET", "/oauth2PermissionGrants", graph_grants.list_consents),
    *both("GET", "/directory/deletedItems/{kind}", graph_deleted.list_deleted),
    *both("POST", "/directory/deletedItems/{id}/restore", graph_deleted.restore),
    *both("DELETE", "/directory/deletedItems/{id}", graph_deleted.delete_for_good),
    *both("GET", CA, graph_policies.list_policies),
    *both("POST", CA, graph_policies.create_policy),
    *both("GET", f"{CA}/{{id}}", graph_policies.get_policy),
    *both("PATCH", f"{CA}/{{id}}", graph_policies.change_policy),
    *both("DELETE", f"{CA}/{{id}}", graph_policies.delete_policy),
    *both("GET", "/identity/conditionalAccess/namedLocations", graph_policies.list_locations),
    *both("GET", DEFAULTS, graph_policies.get_security_defaults),
    *both("PATCH", DEFAULTS, graph_policies.change_security_defaults),
    *both(
        "GET", "/policies/tokenLifetimePolicies", nothing("policies/tokenLifetimePolicies", "Policy.Read.All")
    ),
    *both(
        "GET",
        "/identityProtection/riskyUsers",
        nothing("identityProtection/riskyUsers", "IdentityRiskyUser.Read.All"),
    ),
    *both("GET", "/reports/authenticationMethods/userRegistrationDetails", list_registrations),
    *both("GET", "/organization", get_organization),
    *both("GET", "/me", get_me),
    *both("POST", "/$batch", batched, reads=True),
    *both("GET", "/policies/defaultAppManagementPolicy", app_policies.app_policy),
    *both("GET", "/policies/appManagementPolicies", app_policies.list_own_policies),
    *both("GET", "/auditLogs/signIns", graph_logs.list_sign_ins),
    *both("GET", "/auditLogs/directoryAudits", graph_logs.list_audits),
)

ROOM = Room(Host.GRAPH, ROUTES, missing=no_such_segment, wrong_method=wrong_method)
DOOR = Door((ROOM,))

PART = Part(
    "graph",
    rooms=(ROOM,),
    rules=graph_applications.RULES
    + graph_credentials.RULES
    + app_policies.RULES
    + graph_logs.RULES
    + graph_limits.RULES
    + spreading.RULES,
    events={"set_app_policy": app_policies.set_app_policy, "slow_directory": spreading.slow_directory},
)
