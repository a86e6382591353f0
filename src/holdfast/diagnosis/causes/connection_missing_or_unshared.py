"""The connection that the flow names does not exist, is not signed in, or is not shared with who uses it.

What you see: after an import, a copy or a change of owner: "Connection id missing", "connection not found", "missing connection
    ACL", "This connection is not authenticated".
Why: a connection reference is unbound, the connection was deleted or never completed, or the caller may not use it. Connections that
    hold a person's sign-in can be shared with a service principal only, never with another person.
How we know: ConnectionNotFound, ConnectionAuthorizationFailed, XrmConnectionReferenceMissingConnection, InvokerConnectionOverrideFailed,
    Unauthenticated.
What to do: bind the reference to a connection of your own, or have the owner share it; sign in where it was never completed.
What will not help: turning the flow off and on before it is bound.
Source: learn.microsoft.com/power-apps/maker/data-platform/create-connection-reference, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import BIND_CONNECTION, SHARE_CONNECTION, SIGN_IN_AGAIN
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("connection_missing_or_unshared", "Connection missing or not shared")
REMEDIES = (BIND_CONNECTION, SHARE_CONNECTION, SIGN_IN_AGAIN)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
