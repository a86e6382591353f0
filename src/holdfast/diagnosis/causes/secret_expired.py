"""The client secret of the application has expired.

What you see: all flows on a service principal connection stop on the same day.
Why: a client secret ends on the date that was chosen when it was made; Entra then refuses the application's sign-in.
How we know: AADSTS7000222; or the directory shows that the secret's end date has passed.
What to do: add a new secret, put its value into the connection, prove it, then remove the old one. Two secrets may overlap, so
    with a date in the calendar nothing needs to stop.
What will not help: extending the old one. A secret's end date cannot be changed.
Source: learn.microsoft.com/entra/identity-platform/reference-error-codes, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from holdfast.core.evidence import Evidence
from holdfast.core.horizon import Condition, Horizon
from holdfast.core.identity import ClientSecret
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.expiry import last_of
from holdfast.diagnosis.remedies import RENEW_SECRET
from holdfast.diagnosis.weighing import weigh

if TYPE_CHECKING:
    from holdfast.core.inventory import Connection

CAUSE = Cause("secret_expired", "Client secret expired")
REMEDIES = (RENEW_SECRET,)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)


def horizon(connection: Connection, secrets: Sequence[ClientSecret]) -> Horizon | None:
    """When the secrets that the connection's application has will have expired; None if this cannot break it.

    Args:
        secrets: all credentials of the application whose id the connection holds.
    """
    if connection.sign_in.credential != "secret":
        return None
    return last_of([s for s in secrets if s.kind == "secret"], CAUSE.id, Condition.EXPECTED)
