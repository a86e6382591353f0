"""The keep-alive flows of a plan as a solution zip that people import by hand. The same plan gives the same bytes.

Members and their elements as real exports have them (fixtures power-platform/solution_*, flows/solutions); the Workflow
element as five public generators write it.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID
from xml.sax import saxutils

from holdfast.core.plan import Plan, PlannedStep
from holdfast.keepalive.plan import clientdata_of

UNIQUE_NAME: Final = "holdfast"
"""Of the solution, and of its publisher."""

PREFIX: Final = "new"
OPTION_PREFIX: Final = 76871
LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
CONNECTORS: Final = "/providers/Microsoft.PowerApps/apis"

_CONTENT_TYPES: Final = (
    '<?xml version="1.0" encoding="utf-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/octet-stream" />'
    '<Default Extension="json" ContentType="application/octet-stream" /></Types>'
)
_XSI: Final = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def environments_of(plan: Plan) -> tuple[str, ...]:
    """Ids of the environments in which the plan makes flows, in its order."""
    return tuple(dict.fromkeys(step.environment or "" for step in _flows(plan.steps)))


def solution_zip(plan: Plan, environment: str) -> bytes:
    """The flows of one environment; they arrive on where the importer may use their connections, else off."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name, text in members(plan, environment).items():
            member = zipfile.ZipInfo(name, LONG_AGO)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system = 0  # else the bytes would tell on which system they were made
            file.writestr(member, text.encode("utf-8", "replace"))
    return packed.getvalue()


def deployment_settings(plan: Plan, environment: str) -> dict[str, Any]:
    """Which connection each reference is to be bound to, in the form that `pac solution import` reads."""
    return {
        "EnvironmentVariables": [],
        "ConnectionReferences": [
            {
                "LogicalName": step.arguments["logical_name"],
                "ConnectionId": step.connection,
                "ConnectorId": f"{CONNECTORS}/{step.arguments['connector']}",
            }
            for step in _references(plan, environment)
        ],
    }


def component_parameters(plan: Plan, environment: str) -> list[dict[str, Any]]:
    """The same in the form that ImportSolutionAsync takes."""
    return [
        {
            "@odata.type": "Microsoft.Dynamics.CRM.connectionreference",
            "connectionreferencelogicalname": each["LogicalName"],
            "connectionreferencedisplayname": "",
            "description": "",
            "connectorid": each["ConnectorId"],
            "connectionid": each["ConnectionId"],
        }
        for each in deployment_settings(plan, environment)["ConnectionReferences"]
    ]


def members(plan: Plan, environment: str) -> dict[str, str]:
    """What the zip holds: name → text."""
    flows = [step for step in _flows(plan.steps) if step.environment == environment]
    return {
        "[Content_Types].xml": _CONTENT_TYPES,
        "solution.xml": _manifest(plan, flows),
        "customizations.xml": _customizations(flows, _references(plan, environment)),
        **{_file(step): clientdata_of(step.arguments, indent=2) for step in flows},
    }


def workflow_id(saga: str) -> str:
    """The id that a saga's flow has in every zip."""
    return str(UUID(bytes=hashlib.sha256(f"holdfast/{saga}".encode()).digest()[:16], version=4))


_NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, however they are written."""


def escape(text: str) -> str:
    """A text between tags."""
    return saxutils.escape(_NOT_IN_XML.sub("\ufffd", text))


def quoteattr(text: str) -> str:
    """An attribute with its quotes."""
    return saxutils.quoteattr(_NOT_IN_XML.sub("\ufffd", text))


def _flows(steps: Iterable[PlannedStep]) -> list[PlannedStep]:
    return [step for step in steps if step.name == "flow"]


def _references(plan: Plan, environment: str) -> list[PlannedStep]:
    return [
        step for step in plan.steps if step.name.startswith("reference:") and step.environment == environment
    ]


def _file(step: PlannedStep) -> str:
    name = re.sub(r"[^A-Za-z0-9]", "", str(step.arguments["name"]))[:40]
    return f"Workflows/{name}-{workflow_id(step.saga).upper()}.json"


def _manifest(plan: Plan, flows: Sequence[PlannedStep]) -> str:
    roots = "\n".join(
        f'      <RootComponent type="29" id="{{{workflow_id(step.saga)}}}" behavior="0" />' for step in flows
    )
    says = f"Flows that keep connections alive: plan {plan.id} of {plan.made_at:%Y-%m-%d}, made by holdfast."
    return f"""<?xml version="1.0" encoding="utf-8"?>
<ImportExportXml version="9.2.0.0" SolutionPackageVersion="9.2" languagecode="1033" generatedBy="holdfast" {_XSI}>
  <SolutionManifest>
    <UniqueName>{UNIQUE_NAME}</UniqueName>
    <LocalizedNames>
      <LocalizedName description="holdfast/{escape(plan.id)} keep-alive" languagecode="1033" />
    </LocalizedNames>
    <Descriptions>
      <Description description={quoteattr(says)} languagecode="1033" />
    </Descriptions>
    <Version>1.0.0.0</Version>
    <Managed>0</Managed>
    <Publisher>
      <UniqueName>{UNIQUE_NAME}</UniqueName>
      <LocalizedNames>
        <LocalizedName description="holdfast" languagecode="1033" />
      </LocalizedNames>
      <Descriptions />
      <EMailAddress xsi:nil="true"></EMailAddress>
      <SupportingWebsiteUrl xsi:nil="true"></SupportingWebsiteUrl>
      <CustomizationPrefix>{PREFIX}</CustomizationPrefix>
      <CustomizationOptionValuePrefix>{OPTION_PREFIX}</CustomizationOptionValuePrefix>
      <Addresses />
    </Publisher>
    <RootComponents>
{roots}
    </RootComponents>
    <MissingDependencies />
  </SolutionManifest>
</ImportExportXml>
"""


def _customizations(flows: Sequence[PlannedStep], references: Sequence[PlannedStep]) -> str:
    workflows = "".join(_workflow(step) for step in flows)
    named = "".join(_reference(step.arguments) for step in references)
    return f"""<?xml version="1.0" encoding="utf-8"?>
<ImportExportXml {_XSI}>
  <Entities />
  <Roles />
  <Workflows>
{workflows}  </Workflows>
  <FieldSecurityProfiles />
  <Templates />
  <EntityMaps />
  <EntityRelationships />
  <OrganizationSettings />
  <optionsets />
  <CustomControls />
  <EntityDataProviders />
  <connectionreferences>
{named}  </connectionreferences>
  <Languages>
    <Language>1033</Language>
  </Languages>
</ImportExportXml>
"""


def _workflow(step: PlannedStep) -> str:
    name = quoteattr(str(step.arguments["name"]))
    return f"""    <Workflow WorkflowId="{{{workflow_id(step.saga)}}}" Name={name}>
      <JsonFileName>/{_file(step)}</JsonFileName>
      <Type>1</Type>
      <Subprocess>0</Subprocess>
      <Category>5</Category>
      <Mode>0</Mode>
      <Scope>4</Scope>
      <OnDemand>0</OnDemand>
      <TriggerOnCreate>0</TriggerOnCreate>
      <TriggerOnDelete>0</TriggerOnDelete>
      <AsyncAutodelete>0</AsyncAutodelete>
      <SyncWorkflowLogOnFailure>0</SyncWorkflowLogOnFailure>
      <StateCode>1</StateCode>
      <StatusCode>2</StatusCode>
      <RunAs>1</RunAs>
      <IsTransacted>1</IsTransacted>
      <IntroducedVersion>1.0.0.0</IntroducedVersion>
      <IsCustomizable>1</IsCustomizable>
      <BusinessProcessType>0</BusinessProcessType>
      <IsCustomProcessingStepAllowedForOtherPublishers>1</IsCustomProcessingStepAllowedForOtherPublishers>
      <ModernFlowType>0</ModernFlowType>
      <PrimaryEntity>none</PrimaryEntity>
      <LocalizedNames>
        <LocalizedName languagecode="1033" description={name} />
      </LocalizedNames>
    </Workflow>
"""


def _reference(arguments: Mapping[str, Any]) -> str:
    return f"""    <connectionreference connectionreferencelogicalname={quoteattr(str(arguments["logical_name"]))}>
      <connectionreferencedisplayname>{escape(str(arguments["display_name"]))}</connectionreferencedisplayname>
      <connectorid>{CONNECTORS}/{escape(str(arguments["connector"]))}</connectorid>
      <iscustomizable>1</iscustomizable>
      <promptingbehavior>0</promptingbehavior>
      <statecode>0</statecode>
      <statuscode>1</statuscode>
    </connectionreference>
"""


def settings_text(plan: Plan, environment: str) -> str:
    """The deployment settings as their file holds them."""
    return json.dumps(deployment_settings(plan, environment), indent=2) + "\n"
