"""What the sandbox consists of, one line per part. The order is the order in which the cloud would answer."""

from __future__ import annotations

from holdfast.sandbox import dataverse, entra, graph, licences, powerplatform
from holdfast.sandbox.flows import part as flows
from holdfast.sandbox.frame import Part

PARTS: tuple[Part, ...] = (
    entra.PART,
    graph.PART,
    powerplatform.PART,
    dataverse.PART,
    flows.PART,
    licences.PART,
)
