"""What can be done, by whom, and whether holdfast can do it. Shared by the causes."""

from __future__ import annotations

from holdfast.core.verdict import Actor, Remedy

SIGN_IN_AGAIN = Remedy(
    "sign_in_again",
    Actor.OWNER,
    "Open the connection in Power Automate (Data > Connections), choose Fix connection, and sign in as the same account.",
)
KEEP_ALIVE = Remedy(
    "keep_alive",
    Actor.MAKER,
    "Let a scheduled flow use this very connection every week, so that its sign-in never lies idle for 90 days.",
    can_holdfast=True,
    command="holdfast keepalive plan",
)
MOVE_TO_SERVICE_PRINCIPAL = Remedy(
    "move_to_service_principal",
    Actor.ADMIN,
    "Move the flows to a connection of type service principal, which holds no person's sign-in.",
    can_holdfast=True,
    command="holdfast migrate plan",
)
RENEW_SECRET = Remedy(
    "renew_secret",
    Actor.APP_OWNER,
    "Add a new client secret to the application and enter its value in the connection before the old one is removed.",
    can_holdfast=True,
    command="holdfast rotate plan",
)
FIND_WHO_REVOKED = Remedy(
    "find_who_revoked",
    Actor.ENTRA_ADMIN,
    "Look in the Entra audit log for a password reset or a revocation of sessions just before the break.",
)
