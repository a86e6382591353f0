"""A policy wants a compliant, joined or app-protected device, and a connection has none.

What you see: "Device is not in required device state", or a demand for an approved or Intune-protected app.
Why: the sign-in was made on a device that has since been removed, disabled or become non-compliant; or the policy was
    switched on later. A connection in the cloud is no device and cannot become one.
How we know: AADSTS53000, 53001, 53002, 53005, 53009, 50097, 50131, 700003 (device removed), 135011 (device disabled).
What to do: sign in again from a device that satisfies the policy, if it looks at the device only then; otherwise exclude
    the account from the policy, or move the flows to a service principal.
What will not help: a keep-alive flow; enrolling the machine on which nobody signs in.
Source: learn.microsoft.com/troubleshoot/power-platform/power-automate/connections/troubleshoot-broken-connections, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import EXCLUDE_ACCOUNT, FIND_POLICY, MOVE_TO_SERVICE_PRINCIPAL
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("device_not_compliant", "Device not accepted")
REMEDIES = (FIND_POLICY, EXCLUDE_ACCOUNT, MOVE_TO_SERVICE_PRINCIPAL)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
