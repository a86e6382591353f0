"""The client secret that is sent is wrong or missing.

What you see: a service principal connection is refused from the moment its secret was entered or removed.
Why: the secret's id was entered instead of its value, it was cut off or mistyped, it was deleted from the application, or it
    belongs to another application. A secret made seconds ago may be refused for a short while until all of Entra knows it.
How we know: AADSTS7000215, 7000218 (none was sent), 7000216; older texts nest 70002 and 50012.
What to do: enter the value of a secret that exists. The value is shown once, when the secret is made; nobody can read it later.
What will not help: extending the end date; granting more permissions.
Source: learn.microsoft.com/entra/identity-platform/reference-error-codes, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import ENTER_SECRET_VALUE, RENEW_SECRET
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("secret_invalid", "Client secret wrong")
REMEDIES = (ENTER_SECRET_VALUE, RENEW_SECRET)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
