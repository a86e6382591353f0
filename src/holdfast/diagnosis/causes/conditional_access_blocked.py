"""A Conditional Access or risk policy refuses the sign-in.

What you see: "Access has been blocked by Conditional Access policies", although name and password are right.
Why: a policy blocks this account, application, client, place or risk level. Connections refresh from Microsoft's own
    addresses, so a policy by location meets them even when the owner sits in the office.
How we know: AADSTS53003, 530031, 530032, 530035 (security defaults), 53011 (user risk), or a continuous access
    evaluation challenge that names the location condition.
What to do: let an Entra administrator open the failed entry in the sign-in log; its Conditional Access tab names the
    policy. Then exclude the account, allow the connector's addresses, or use a service principal (which may be blocked by a
    policy for workload identities too).
What will not help: signing in again from the same place; a keep-alive flow.
Source: learn.microsoft.com/entra/identity-platform/reference-error-codes, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import EXCLUDE_ACCOUNT, FIND_POLICY, MOVE_TO_SERVICE_PRINCIPAL
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("conditional_access_blocked", "Blocked by Conditional Access")
REMEDIES = (FIND_POLICY, EXCLUDE_ACCOUNT, MOVE_TO_SERVICE_PRINCIPAL)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
