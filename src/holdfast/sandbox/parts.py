"""What the sandbox consists of, one line per part. The order is the order in which the cloud would answer."""

from __future__ import annotations

from holdfast.sandbox import (
    api_hub,
    dataverse,
    entra,
    flow_api,
    flow_part,
    graph,
    licences,
    powerplatform_part,
    powerplatform_policies,
    signed_links,
)
from holdfast.sandbox.frame import Part

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
)
