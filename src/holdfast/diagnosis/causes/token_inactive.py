"""The sign-in behind the connection lay unused too long.

What you see: the flow stops at its first SQL action; the connection says it must be fixed.
Why: the connection holds a refresh token. Entra drops one that is not redeemed for 90 days, and no policy can lengthen that.
    Each use gives a new token with fresh 90 days, so a connection that is used at least every quarter never meets the limit.
How we know: AADSTS700082 (older: 70008), which names the day the token was issued; 700084 (24 hours, for single page
    applications); 700081 (too old by another limit).
What to do: sign in again now. Then keep it touched, or move it to a service principal, which has no refresh token.
    The break comes 90 days after the issue date in the text, not after the connection was made.
What will not help: your own query with your own login; a flow on another connection of the same account. Only a use of this
    connection renews its token.
Source: learn.microsoft.com/entra/identity-platform/refresh-tokens, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from holdfast.core.evidence import Evidence
from holdfast.core.facts import REFRESH_TOKEN_IDLE_LIMIT
from holdfast.core.horizon import Condition, Horizon, Interval
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import KEEP_ALIVE, MOVE_TO_SERVICE_PRINCIPAL, SIGN_IN_AGAIN
from holdfast.diagnosis.weighing import weigh

if TYPE_CHECKING:
    from holdfast.core.inventory import Connection

CAUSE = Cause("token_inactive", "Sign-in unused for 90 days")
REMEDIES = (SIGN_IN_AGAIN, KEEP_ALIVE, MOVE_TO_SERVICE_PRINCIPAL)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)


def horizon(connection: Connection, last_refresh: Interval | None) -> Horizon | None:
    """When this cause will break the connection if nobody uses it; None if it cannot."""
    if not connection.sign_in.has_refresh_token:
        return None
    return Horizon.after(last_refresh, REFRESH_TOKEN_IDLE_LIMIT, CAUSE.id, Condition.IF_UNUSED)
