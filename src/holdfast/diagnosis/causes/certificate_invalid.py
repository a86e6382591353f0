"""The certificate or the signed assertion with which an application proves itself is refused.

What you see: a certificate connection stops on one day, or a new deployment is refused from the start.
Why: the certificate expired, is not registered with the application, or another key signed; the assertion is too old or for another
    audience; a federated credential's issuer, subject or audience does not match.
How we know: AADSTS700027, 700024, 700021, 700026, 70021 and 700213 (federated), 50012 and 50013, 500183 (revoked).
What to do: compare the thumbprint in the error with Certificates & secrets of the application; register the new one before the
    old one ends. For a federated credential compare the three values in the error, letter by letter.
What will not help: a client secret beside it; signing in again.
Source: learn.microsoft.com/entra/identity-platform/certificate-credentials, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from holdfast.core.evidence import Evidence
from holdfast.core.horizon import Condition, Horizon
from holdfast.core.identity import ClientSecret
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.expiry import last_of
from holdfast.diagnosis.remedies import RENEW_CERTIFICATE
from holdfast.diagnosis.weighing import weigh

if TYPE_CHECKING:
    from holdfast.core.inventory import Connection

CAUSE = Cause("certificate_invalid", "Certificate or assertion refused")
REMEDIES = (RENEW_CERTIFICATE,)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)


def horizon(connection: Connection, secrets: Sequence[ClientSecret]) -> Horizon | None:
    """When the application's certificates will have expired; None if this cannot break the connection.

    Args:
        secrets: all credentials of the application whose id the connection holds.
    """
    if connection.sign_in.credential != "certificate":
        return None
    return last_of([s for s in secrets if s.kind == "certificate"], CAUSE.id, Condition.EXPECTED)
