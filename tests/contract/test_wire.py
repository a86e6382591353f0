"""Every recorded answer passes through its shape with nothing lost and nothing unnamed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from holdfast.wire import (
    dataverse,
    entra,
    environments,
    flows,
    graph,
    policies,
    powerplatform,
    problems,
    signins,
)

WHOLE: dict[str, type[BaseModel]] = {
    "power-platform/connections_admin_list.json": powerplatform.ConnectionPage,
    "power-platform/connections_connectivity_list.json": powerplatform.ConnectionPage,
    "power-platform/connection_put_response_201.json": powerplatform.Connection,
    "power-platform/connection_permissions_list.json": powerplatform.PermissionPage,
    "power-platform/connectors_list.json": powerplatform.ConnectorPage,
    "power-platform/environments_bap_admin_list.json": environments.EnvironmentPage,
    "power-platform/environments_bap_admin_list_2026.json": environments.EnvironmentPage,
    "power-platform/environment_bap_admin_get.json": environments.Environment,
    "power-platform/error_404_bap_environment_not_found.json": problems.Problem,
    "power-platform/error_404_service_to_service_environment_not_found.json": problems.Problem,
    "power-platform/flows_admin_v2_list.json": flows.FlowPage,
    "power-platform/flow_admin_get.json": flows.Flow,
    "power-platform/flow_get_maker.json": flows.Flow,
    "power-platform/flow_runs_list.json": flows.RunPage,
    "power-platform/flow_run_get.json": flows.Run,
    "power-platform/flow_run_actions_list.json": flows.RunActionPage,
    "power-platform/flow_run_action_outputs.json": flows.ActionOutputs,
    "power-platform/flow_trigger_listcallbackurl.json": flows.Callback,
    "power-platform/dataverse_workflows_query.json": dataverse.WorkflowPage,
    "power-platform/dataverse_workflow_create_request.json": dataverse.NewWorkflow,
    "power-platform/dataverse_workflow_create_response_201.json": dataverse.Workflow,
    "power-platform/dataverse_connectionreferences_list.json": dataverse.ConnectionReferencePage,
    "power-platform/dlp_policies_list.json": policies.PolicyPage,
    "power-platform/dlp_policy_get.json": policies.Policy,
    "power-platform/dlp_policy_get_sql_action_and_endpoint_rules.json": policies.Policy,
    "entra/graph-signins-page.json": signins.SignInPage,
    "entra/graph-directoryaudits.json": signins.DirectoryAuditPage,
    "entra/graph-ca-policy-workload.json": signins.ConditionalAccessPolicy,
    "entra/graph-authentication-requirements.json": signins.AuthenticationRequirements,
    "entra/graph-addpassword.json": graph.PasswordCredential,
    "entra/graph-batch-errors.json": graph.BatchAnswers,
    "entra/graph-revokesigninsessions.json": graph.Truth,
    "entra/jwks-excerpt.json": entra.SigningKeys,
    "entra/openid-configuration-excerpt.json": entra.OpenIdConfiguration,
    "entra/token-success-client-credentials.json": entra.TokenGrant,
    "entra/token-success-refresh.json": entra.TokenGrant,
    "entra/token-error-50057.json": entra.TokenError,
    "entra/token-error-50076-claims.json": entra.TokenError,
    "entra/token-error-50173.json": entra.TokenError,
    "entra/token-error-70002-70008-nested.json": entra.TokenError,
    "entra/token-error-7000215.json": entra.TokenError,
    "entra/token-error-7000222.json": entra.TokenError,
    "entra/token-error-70043.json": entra.TokenError,
    "entra/token-error-70043-interaction-required.json": entra.TokenError,
}

# Rows of Dataverse come with every column of the table unless some are selected; we name those that we select. In
# the list the recorder masked the name of a field.
COLUMNS_OPEN = frozenset(
    {
        "power-platform/dataverse_workflow_create_response_201.json",
        "power-platform/dataverse_connectionreferences_list.json",
    }
)

# Files that hold several answers, each under a name of the collector's.
COLLECTED: dict[str, type[BaseModel]] = {
    "power-platform/errors_flow_api.json": problems.Problem,
    "power-platform/connection_statuses_examples.json": powerplatform.ConnectionStatus,
}


def unnamed(value: Any, path: str = "") -> list[str]:
    """Paths of fields that no shape names."""
    if isinstance(value, BaseModel):
        found = [f"{path}.{key}" for key in value.model_extra or {}]
        named = [(name, getattr(value, name)) for name in type(value).model_fields]
        return found + [hit for name, part in named for hit in unnamed(part, f"{path}.{name}")]
    if isinstance(value, list | tuple):
        return [hit for part in value for hit in unnamed(part, f"{path}[]")]
    if isinstance(value, dict):
        return [hit for key, part in value.items() for hit in unnamed(part, f"{path}.{key}")]
    return []


def passed_through(shape: type[BaseModel], raw: bytes, columns_open: bool = False) -> Any:
    read = shape.model_validate_json(raw)
    assert columns_open or unnamed(read) == []
    return json.loads(read.model_dump_json(by_alias=True, exclude_unset=True))


@pytest.mark.parametrize(("file", "shape"), WHOLE.items(), ids=WHOLE.keys())
def test_a_recorded_answer_loses_nothing(fixtures: Path, file: str, shape: type[BaseModel]):
    raw = (fixtures / file).read_bytes()

    assert passed_through(shape, raw, file in COLUMNS_OPEN) == json.loads(raw)


@pytest.mark.parametrize(("file", "shape"), COLLECTED.items(), ids=COLLECTED.keys())
def test_collected_answers_lose_nothing(fixtures: Path, file: str, shape: type[BaseModel]):
    collected = json.loads((fixtures / file).read_bytes())
    answers = [a for part in collected.values() for a in (part if isinstance(part, list) else [part])]

    assert answers
    for answer in answers:
        assert passed_through(shape, json.dumps(answer).encode()) == answer


@pytest.mark.parametrize("shape", [entra.TokenGrant, graph.PasswordCredential])
def test_a_shape_never_shows_its_secrets(fixtures: Path, shape: type[BaseModel]):
    file = {v: k for k, v in WHOLE.items()}[shape]
    raw = json.loads((fixtures / file).read_bytes())
    secrets = [raw[key] for key in ("access_token", "refresh_token", "id_token", "secretText") if key in raw]

    read = shape.model_validate(raw)

    assert secrets
    assert not any(secret in f"{read!r} {read} {read.model_dump()}" for secret in secrets)
