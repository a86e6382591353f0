"""What the operator makes, changes and removes over the cloud's APIs."""

from __future__ import annotations

from holdfast.adapters.cloud.dataverse import DataverseRows
from holdfast.adapters.cloud.made_connections import MadeConnections


class CloudOperator(MadeConnections, DataverseRows):
    """`ports.Operator` over the cloud's APIs."""
