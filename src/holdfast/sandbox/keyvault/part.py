"""The vault: which path is answered by what."""

from __future__ import annotations

from starlette.responses import Response

from holdfast.sandbox.frame import Call, Part, Room, at
from holdfast.sandbox.keyvault import access, secrets
from holdfast.sandbox.keyvault.access import refusal
from holdfast.sandbox.tenant import Host


def missing(call: Call) -> Response:
    """404; what the cloud says of a path that it does not know was not found recorded."""
    raise refusal(404, "NotFound", f"No such resource: {call.path}")


def wrong_method(call: Call) -> Response:
    """405 (recorded)."""
    raise refusal(405, "MethodNotAllowed", f"HTTP {call.method} not allowed")


PART = Part(
    "key vault",
    rooms=(
        Room(
            Host.KEYVAULT,
            (
                at("GET", "/secrets", secrets.list_secrets),
                at("GET", "/secrets/{name}/versions", secrets.list_versions),
                # Azure's own client leaves a slash where no version is wanted.
                *(
                    at("GET", f"/secrets/{{name}}{end}", secrets.get_secret)
                    for end in ("", "/", "/{version}")
                ),
                *(
                    at("PATCH", f"/secrets/{{name}}{end}", secrets.change_secret)
                    for end in ("", "/", "/{version}")
                ),
                at("PUT", "/secrets/{name}", secrets.set_secret),
                at("DELETE", "/secrets/{name}", secrets.delete_secret),
                at("GET", "/deletedsecrets", secrets.list_deleted),
                at("GET", "/deletedsecrets/{name}", secrets.get_deleted),
                at("POST", "/deletedsecrets/{name}/recover", secrets.recover),
                at("DELETE", "/deletedsecrets/{name}", secrets.purge),
            ),
            missing=missing,
            wrong_method=wrong_method,
        ),
    ),
    rules=access.RULES + secrets.RULES,
    events={"set_vault_role": access.set_vault_role},
)
