"""The server cannot be reached, or its certificate is not trusted.

What you see: a long wait and a time-out; a name that does not resolve; "the certificate chain was issued by an authority that is
    not trusted"; "target principal name is incorrect".
Why: a wrong server name, a private DNS zone that is missing, a closed port, a proxy that breaks TLS, a self-signed or outdated server
    certificate, or a TLS version that one side refuses.
How we know: errors 53, 26, 40, 10060, 10061, 11001, 258, -2; or the words of the client's runtime.
What to do: from where the connection runs (the gateway's machine, if there is one):
        Resolve-DnsName server.example
        Test-NetConnection server.example -Port 1433
    Redirected Azure SQL connections also need 11000 to 11999. For certificates, give the server one that clients trust for the
    name they use.
What will not help: new credentials. Switching certificate checks off only hides the fault.
Source: learn.microsoft.com/azure/azure-sql/database/troubleshoot-common-errors-issues, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import FIX_NETWORK, RETRY, TRUST_CERTIFICATE
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("network_or_tls", "Network or TLS")
REMEDIES = (FIX_NETWORK, TRUST_CERTIFICATE, RETRY)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
