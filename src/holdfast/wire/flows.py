"""Power Automate as its own API tells it: flows, runs, and what an action did.

Recorded: fixtures/power-platform/flow*.json. The recorder masked `properties.state` as "mc"; Started, Stopped
and Suspended are known from documents and from the maker's recording.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from holdfast.wire.powerplatform import EnvironmentPointer
from holdfast.wire.shape import Hidden, Page, Shape


class FlowEnvironment(EnvironmentPointer):
    """The environment that a flow lies in."""

    type: str | None = None


class FlowCreator(Shape):
    """Who made it. `userType` tells a person (ActiveDirectory) from a row of Dataverse."""

    tenant_id: str | None = None
    object_id: str | None = None
    user_id: str | None = None
    user_type: str | None = None


class FlowOwner(Shape):
    """Who owns its row in Dataverse."""

    id: str | None = None
    azure_active_directory_object_id: str | None = None


class FlowConnection(Shape):
    """One entry of a flow's connection map; its key is arbitrary. `source` is Embedded or Invoker."""

    connection_name: str | None = None
    connection_reference_logical_name: str | None = None
    api_definition: dict[str, Any] | None = None
    source: str | None = None
    id: str | None = None
    display_name: str | None = None
    icon_uri: str | None = None
    brand_color: str | None = None
    swagger: Any = None
    tier: str | None = None
    api_name: str | None = None
    is_process_simple_api_reference_conversion_already_done: bool | None = None
    impersonation: dict[str, Any] | None = None


class TriggerProperties(Shape):
    """Whether it starts anything now."""

    state: str | None = None
    provisioning_state: str | None = None


class Trigger(Shape):
    """What starts a flow. Its name is that in the definition; known from clients, not recorded."""

    name: str
    id: str | None = None
    type: str | None = None
    properties: TriggerProperties | None = None


class FlowProperties(Shape):
    """All that is told about a flow; the list as administrator holds the first half only.

    `workflowEntityId` is the id of its row in Dataverse, absent for a flow outside solutions.
    """

    api_id: str | None = None
    display_name: str | None = None
    state: str | None = None
    created_time: str | None = None
    last_modified_time: str | None = None
    flow_suspension_reason: str | None = None
    flow_suspension_time: str | None = None
    environment: FlowEnvironment | None = None
    creator: FlowCreator | None = None
    flow_failure_alert_subscribed: bool | None = None
    workflow_entity_id: str | None = None
    workflow_unique_id: str | None = None
    is_managed: bool | None = None
    user_type: str | None = None
    definition: dict[str, Any] | None = None
    trigger_schema: Any = None
    sharing_type: str | None = None
    connection_references: dict[str, FlowConnection] | None = None
    installed_connection_references: dict[str, FlowConnection] | None = None
    definition_summary: dict[str, Any] | None = None
    owning_user: FlowOwner | None = None
    provisioning_method: str | None = None
    resource_id: str | None = None
    component_state: str | None = None
    is_customizable: dict[str, Any] | None = None
    plan: str | None = None
    installation_status: str | None = None
    flow_trigger_uri: str | None = None
    referenced_resources: tuple[Any, ...] | None = None
    license_data: dict[str, Any] | None = None
    machine_description_data: dict[str, Any] | None = None
    flow_open_ai_data: dict[str, Any] | None = None


class Flow(Shape):
    """One flow. `name` is its id here; the maker's command adds a summary beside the properties."""

    name: str
    id: str | None = None
    type: str | None = None
    properties: FlowProperties
    display_name: str | None = None
    description: str | None = None
    triggers: str | None = None
    actions: str | None = None


class ContentHash(Shape):
    """What the content behind a link must hash to."""

    algorithm: str | None = None
    value: str | None = None


class ContentLink(Shape):
    """Where inputs or outputs lie. The address is signed: it is a secret, and is asked without a token."""

    uri: Hidden | None = None
    content_version: str | None = None
    content_size: int | None = None
    content_hash: ContentHash | None = None


class Correlation(Shape):
    """Ids for the platform's support."""

    client_tracking_id: str | None = None
    action_tracking_id: str | None = None
    client_keywords: tuple[str, ...] | None = None


class RunError(Shape):
    """Why a run or an action failed; of a run it is always the same general sentence."""

    code: str | None = None
    message: str | None = None
    message_template: str | None = None


class RunPart(Shape):
    """The trigger or the response of a run."""

    name: str | None = None
    inputs_link: ContentLink | None = None
    outputs_link: ContentLink | None = None
    start_time: str | None = None
    end_time: str | None = None
    scheduled_time: str | None = None
    origin_history_name: str | None = None
    correlation: Correlation | None = None
    code: str | None = None
    status: str | None = None
    error: RunError | None = None


class RunProperties(Shape):
    """What a run did. Statuses: Succeeded, Failed, Running, Cancelled, Waiting, Suspended, TimedOut, Skipped."""

    start_time: str | None = None
    end_time: str | None = None
    status: str | None = None
    code: str | None = None
    error: RunError | None = None
    correlation: Correlation | None = None
    trigger: RunPart | None = None
    response: RunPart | None = None
    actions: dict[str, Any] | None = None
    is_aborted: bool | None = None


class Run(Shape):
    """One run of a flow; names sort by time, newest first."""

    name: str
    id: str | None = None
    type: str | None = None
    properties: RunProperties
    is_migration_source: bool | None = None


class ActionProperties(Shape):
    """What an action did. A connector's own error most often lies behind `outputsLink` only."""

    start_time: str | None = None
    end_time: str | None = None
    status: str | None = None
    code: str | None = None
    error: RunError | None = None
    correlation: Correlation | None = None
    inputs_link: ContentLink | None = None
    outputs_link: ContentLink | None = None
    retry_history: tuple[Any, ...] | None = None
    can_resubmit: bool | None = None
    repetition_count: int | None = None


class RunAction(Shape):
    """One action of a run."""

    name: str
    run_name: str | None = None
    id: str | None = None
    type: str | None = None
    properties: ActionProperties


class ActionOutputs(Shape):
    """What lies behind an outputs link: the connector's answer. The status is a number or its text."""

    status_code: int | str | None = None
    headers: dict[str, Any] | None = None
    body: Any = None


class CallbackQueries(Shape):
    """Parts of a signed address."""

    api_version: str | None = Field(default=None, alias="api-version")
    sp: str | None = None
    sv: str | None = None
    sig: Hidden | None = None


class CallbackAddress(Shape):
    """Where a manual trigger is called. The address is signed: it is a secret."""

    value: Hidden
    method: str | None = None
    base_path: str | None = None
    queries: CallbackQueries | None = None


class Callback(Shape):
    """`listCallbackUrl`."""

    response: CallbackAddress
    http_status_code: str | None = None


FlowPage = Page[Flow]
RunPage = Page[Run]
RunActionPage = Page[RunAction]
