"""The flow, or the child flow that it calls, is turned off or suspended.

What you see: no runs at all, or a parent flow fails with "trigger is not enabled".
Why: somebody turned it off; it failed for 14 days; it was not triggered for 90; its licence is missing; a data policy suspended it.
How we know: WorkflowTriggerIsNotEnabled, or a state of Suspended, Stopped or Disabled in the text.
What to do: find and remove the reason, then turn it on. Who turns it on must own or be granted every connection that it uses.
What will not help: fixing the connection while the reason stands. A policy's suspension does not end by itself when the policy is
    changed.
Source: learn.microsoft.com/power-automate/limits-and-config, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import TURN_ON_FLOW
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("flow_suspended", "Flow turned off or suspended")
REMEDIES = (TURN_ON_FLOW,)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
