"""The on-premises data gateway or self-hosted runtime is offline or cannot be reached.

What you see: everything behind one gateway fails at the same time with 502 or 504 and "gateway ... could not be reached".
Why: the machine is off or restarted, the service is stopped, its account's password changed, outbound traffic is blocked, or
    the gateway is too old.
How we know: codes GatewayNotReachable, DM_GWPipeline_Client_GatewayUnreachable; or the gateway's status.
What to do: on the gateway's machine restart its service, as an administrator:
        net stop PBIEgwService
        net start PBIEgwService
    Then look at its status in the Power Platform admin center, update it, and add a second member to the cluster so that one
    machine may fail.
What will not help: fixing the connection. If the gateway is online and the error stays, the fault lies between gateway and server.
Source: learn.microsoft.com/data-integration/gateway/service-gateway-restart, read 2026-11-24.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import START_GATEWAY
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("gateway_offline", "Gateway offline")
REMEDIES = (START_GATEWAY,)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
