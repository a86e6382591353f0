"""The application, its service principal, or the connector's definition is disabled, deleted or not in this tenant.

What you see: every connection that uses the application stops at the same time; or a new one never works.
Why: somebody disabled or deleted the application or the resource it asks for, a subscription lapsed, or the application was never
    installed in the tenant that is asked.
How we know: AADSTS7000112 and 500014 (disabled), 700016 and 70001 (not found), 500011 (resource not found), 650052.
What to do: check in Enterprise applications that it exists and that "Enabled for users to sign in" is on; a deleted
    application can be restored for 30 days. If it exists elsewhere, the tenant id in the connection is wrong.
What will not help: a new secret.
Source: learn.microsoft.com/entra/identity-platform/reference-error-codes, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import ENABLE_APPLICATION, USE_RIGHT_TENANT
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("app_disabled_or_missing", "Application disabled or missing")
REMEDIES = (ENABLE_APPLICATION, USE_RIGHT_TENANT)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
