"""A cloud service has a passing fault of its own.

What you see: 500, 502, 503 or 504, or "temporarily unavailable", from services that worked before and work again later.
Why: an outage, a deployment, an overload, a time-out inside the service.
How we know: AADSTS90033, 90006, 50033 and their like; HTTP 503; ServiceUnavailable. A 502 or 504 may also hide an offline gateway.
What to do: wait and run again. If it lasts, look at the service health page and keep the request id for support.
What will not help: fixing the connection; new credentials.
Source: learn.microsoft.com/entra/identity-platform/reference-error-codes, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import WAIT_FOR_SERVICE
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("service_transient", "Passing fault of a cloud service")
REMEDIES = (WAIT_FOR_SERVICE,)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
