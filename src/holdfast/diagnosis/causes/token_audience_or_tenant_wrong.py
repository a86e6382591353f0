"""The token or the request is meant for another tenant, cloud, resource or kind of account.

What you see: the sign-in itself may succeed, and the resource says "invalid audience", "wrong issuer" or "tenant not found".
Why: a wrong tenant id, a server in another tenant, a token for Graph sent to SQL, a sovereign cloud's address, a personal Microsoft
    account where a work account is needed.
How we know: AADSTS90002, 50059, 50194, 500207, 500011 and 700016 (which may also mean a missing application); InvalidAudience; Azure SQL
    "Incorrect or invalid token".
What to do: compare tenant id, cloud and resource. For Azure SQL the token must come from the server's own tenant and be for
    https://database.windows.net/.
What will not help: more permissions.
Source: learn.microsoft.com/entra/identity-platform/reference-error-codes, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import USE_RIGHT_TENANT
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("token_audience_or_tenant_wrong", "Wrong tenant, cloud or audience")
REMEDIES = (USE_RIGHT_TENANT,)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
