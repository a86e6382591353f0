"""The tenant's terms of use have not been accepted by the account.

What you see: the connection is refused after terms were published, changed, or came up for renewed acceptance.
Why: Conditional Access can demand that terms are accepted. A connection cannot show the page that asks for it.
How we know: the text speaks of terms of use, or AADSTS50158 where the challenge is the terms page. The code alone does
    not tell terms from another provider's second factor.
What to do: sign in once in a browser as the owner, accept, then fix the connection. Terms can be accepted interactively
    only, and are asked again when they change or their acceptance expires. For a service account without a person, exclude it
    from the policy or use a service principal.
What will not help: a keep-alive flow; fixing the connection before the terms are accepted.
Source: learn.microsoft.com/entra/identity/conditional-access/terms-of-use, read 2026-11-24.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import ACCEPT_TERMS, EXCLUDE_ACCOUNT, MOVE_TO_SERVICE_PRINCIPAL
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("terms_of_use", "Terms of use not accepted")
REMEDIES = (ACCEPT_TERMS, EXCLUDE_ACCOUNT, MOVE_TO_SERVICE_PRINCIPAL)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
