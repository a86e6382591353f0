"""The SQL server's firewall does not let the client in.

What you see: "Client with IP address ... is not allowed to access the server", or "Deny Public Network Access".
Why: no firewall rule covers the address, public access is switched off, or a virtual network rule is missing. The connector comes
    from Microsoft's addresses, which differ by region and change.
How we know: errors 40615, 40914, 47073, 42101.
What to do: in the server's Networking page, or in master as the server's administrator, allow the connector's outbound
    addresses of your region:
        EXECUTE sp_set_firewall_rule @name = N'Power Platform, my region',
            @start_ip_address = '<first>', @end_ip_address = '<last>';
    Or link the environment to a virtual network that reaches a private endpoint. Rules take up to five minutes. "Allow Azure
    services" is the quick way; it lets in every Azure customer's connections, so that only the logins stand between.
What will not help: signing in again; allowing your own computer's address.
Source: learn.microsoft.com/azure/azure-sql/database/firewall-configure, read 2026-11-24.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import OPEN_FIREWALL
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("sql_firewall", "SQL firewall refuses the address")
REMEDIES = (OPEN_FIREWALL,)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
