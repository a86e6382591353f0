"""Nobody has consented that the application may have the permission it asks for.

What you see: "Need admin approval", or a refusal right after an application, a scope or the tenant's consent settings were changed.
Why: a permission needs consent by the user or by an administrator; it was never given, was withdrawn, or a new permission was
    added since.
How we know: AADSTS65001, 65004 (declined), 90094 (administrator's consent needed), 650056, 650057, 65002
    (preauthorisation between Microsoft's own applications).
What to do: an administrator grants consent in Enterprise applications, or the owner signs in again and accepts.
What will not help: another password or secret; a keep-alive flow.
Source: learn.microsoft.com/entra/identity-platform/reference-error-codes, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import GRANT_CONSENT
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("consent_missing", "Consent missing")
REMEDIES = (GRANT_CONSENT,)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
