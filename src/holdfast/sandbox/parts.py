"""What the sandbox consists of, one line per part. The order is the order in which the cloud would answer."""

from __future__ import annotations

from holdfast.sandbox.dataverse import part as dataverse
from holdfast.sandbox.entra import part as entra
from holdfast.sandbox.frame import Part
from holdfast.sandbox.graph import part as graph
from holdfast.sandbox.keyvault import part as keyvault
from holdfast.sandbox.powerautomate import flow_api, signed_links
from holdfast.sandbox.powerautomate import part as flow_part
from holdfast.sandbox.powerplatform import api_hub, licences
from holdfast.sandbox.powerplatform import part as powerplatform_part
from holdfast.sandbox.powerplatform import policies as powerplatform_policies
from holdfast.sandbox.tds import part as tds

PARTS: tuple[Part, ...] = (
    entra.PART,
    graph.PART,
    powerplatform_part.PART,
    powerplatform_policies.PART,
    dataverse.PART,
    flow_api.PART,
    signed_links.PART,
    api_hub.PART,
    flow_part.PART,
    licences.PART,
    keyvault.PART,
    tds.PART,
)
