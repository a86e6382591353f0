"""The sign-in behind the connection lay unused too long.

What you see: the flow stops at its first SQL action; the connection says it must be fixed.
Why: the connection holds a refresh token. Entra drops one that is not redeemed for 90 days, and no policy can lengthen that.
How we know: the token endpoint answered AADSTS700082 (older: AADSTS70008), which names the day the token was issued.
What to do: sign in again now; then keep it touched, or move it to a service principal.
Source: learn.microsoft.com/entra/identity-platform/refresh-tokens, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.facts import REFRESH_TOKEN_IDLE_LIMIT
from holdfast.core.horizon import Condition, Horizon, Interval
from holdfast.core.inventory import Connection
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import KEEP_ALIVE, MOVE_TO_SERVICE_PRINCIPAL, SIGN_IN_AGAIN
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("token_inactive", "Sign-in unused for 90 days")


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, (SIGN_IN_AGAIN, KEEP_ALIVE, MOVE_TO_SERVICE_PRINCIPAL))


def horizon(connection: Connection, last_refresh: Interval | None) -> Horizon | None:
    """When this cause will break the connection if nobody uses it; None if it cannot."""
    if not connection.sign_in.has_refresh_token:
        return None
    return Horizon.after(last_refresh, REFRESH_TOKEN_IDLE_LIMIT, CAUSE.id, Condition.IF_UNUSED)
