"""After a move: what pipelines and infrastructure code have to say about the new connections. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from holdfast.core.plan import Plan, PlannedStep
from holdfast.migration.names import HELD, connection_id


def deployment_settings(plan: Plan, sagas: Sequence[str]) -> dict[str, Any]:
    """By environment, the settings file of a deployment that binds the references as the plan did.

    The shape is that of `pac solution create-settings`.

    Args:
        sagas: those that came as far as binding.
    """
    found: dict[str, list[dict[str, str]]] = {}
    for step in plan.steps:
        if step.saga not in sagas or step.name.partition(":")[0] not in ("bind", "reference"):
            continue
        name = step.arguments["name"] if step.name.startswith("bind:") else step.arguments["logical_name"]
        found.setdefault(step.environment or "", []).append(
            {
                "LogicalName": name,
                "ConnectionId": connection_id(step.saga, step.connection or ""),
                "ConnectorId": f"/providers/Microsoft.PowerApps/apis/{step.arguments['connector']}",
            }
        )
    return {
        environment: {"EnvironmentVariables": [], "ConnectionReferences": references}
        for environment, references in found.items()
    }


def terraform(plan: Plan, clients: Mapping[str, str]) -> str:
    """Resources of microsoft/power-platform for the connections made; secrets are variables.

    Args:
        clients: the client id of each saga's application.
    """
    blocks = [_block(step, clients[step.saga]) for step in _made(plan, clients)]
    return "\n".join(blocks)


def _made(plan: Plan, clients: Mapping[str, str]) -> Iterator[PlannedStep]:
    return (step for step in plan.steps if step.name.startswith("connection:") and step.saga in clients)


def _block(step: PlannedStep, client_id: str) -> str:
    id = connection_id(step.saga, step.connection or "")
    sign_in = step.arguments.get("sign_in", "oauthSP")
    name = re.sub(r"[^a-z0-9_]", "_", f"holdfast_{step.saga}_{id[:8]}".lower())
    # A certificate is an object: {"pfx": …, "password": …} as JSON.
    held = f"var.{name}_secret" if sign_in == "oauthSP" else f"jsondecode(var.{name}_secret)"
    return f"""variable "{name}_secret" {{
  type      = string
  sensitive = true
}}

# Made by holdfast as connection {id}.
resource "powerplatform_connection" "{name}" {{
  environment_id = {_text(step.environment or "")}
  name           = {_text(step.arguments["connector"])}
  display_name   = {_text(step.arguments["display_name"])}
  connection_parameters_set = jsonencode({{
    "name" : {_text(sign_in)},
    "values" : {{
      "token" : {{ "value" : "https://global.consent.azure-apim.net/redirect/sql" }},
      "token:TenantId" : {{ "value" : {_text(step.arguments["tenant_id"])} }},
      "token:clientId" : {{ "value" : {_text(client_id)} }},
      {_text(HELD[sign_in])} : {{ "value" : {held} }}
    }}
  }})

  # The platform never tells secrets back.
  lifecycle {{
    ignore_changes = [connection_parameters_set]
  }}
}}
"""


def _text(value: str) -> str:
    """A string of HCL: JSON's escapes, and none of HCL's templates."""
    return json.dumps(value).replace("${", "$${").replace("%{", "%%{")
