"""A Power Platform data policy blocks the connector, the connection or the flow.

What you see: the flow is suspended, cannot be saved or turned on; the app says that it does not comply with the latest data loss prevention policies.
Why: a policy puts two of the flow's connectors into different groups, blocks one, one of its actions, or the server it talks to.
    Policies are checked on saving, within a day of a policy change, and weekly.
How we know: CompanyDlpViolation, or the text names the policy or its groups.
What to do: a Power Platform administrator moves the connectors into one group, exempts the environment, or the maker takes the
    blocked connector out. Then turn the flow on by hand: it does not come back by itself.
What will not help: fixing the connection; another account.
Source: learn.microsoft.com/power-automate/prevent-data-loss, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import CHANGE_POLICY_OR_CONNECTOR, TURN_ON_FLOW
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("dlp_blocked", "Blocked by a data policy")
REMEDIES = (CHANGE_POLICY_OR_CONNECTOR, TURN_ON_FLOW)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
