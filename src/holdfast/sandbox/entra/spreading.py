"""How what is new in the directory spreads: replicas learn of it at different times, and disagree meanwhile (pure)."""

from __future__ import annotations

from datetime import datetime, timedelta

from holdfast.sandbox.frame import Deed
from holdfast.sandbox.records.directory import Application
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.world import World

NEW_SECRETS_SPREAD = Rule(
    "new_secrets_spread_slowly",
    "A new secret or certificate is refused for 4 to 18 seconds, and may be refused again after a first success.",
    Mark.RECORDED,
    "microsoft-graph-docs-contrib#1921 (4 to 18 s measured); terraform-provider-vault#2079 (replicas differ)",
    flipped="A new secret or certificate works at once.",
)
NEW_APPS_SPREAD = Rule(
    "new_applications_spread_slowly",
    "A new application is not found for up to 6 seconds, by Graph nor by the token endpoint.",
    Mark.CODE,
    "hashicorp/vault-plugin-secrets-azure @81fae24 retries on these answers for up to 80 s",
    flipped="A new application is found at once.",
)
RULES = (NEW_SECRETS_SPREAD, NEW_APPS_SPREAD)

REPLICAS = 3
FASTEST, LONGEST = timedelta(seconds=4), timedelta(seconds=18)


def has_spread(world: World, app: Application, now: datetime) -> bool:
    """Whether the directory's readers know the application yet."""
    if not world.is_unkind or not world.holds(NEW_APPS_SPREAD):
        return True
    return now - app.created_at >= timedelta(seconds=6 * world.draw("application spreads", app.client_id))


def credential_has_spread(world: World, key_id: str, created_at: datetime, now: datetime) -> bool:
    """Whether the replica that answers at this instant knows the credential yet.

    Each replica learns of it 4 to 18 seconds after its creation. Which one answers changes every fifth of a second.
    """
    age, longest = now - created_at, slowest(world)
    if age >= longest or not world.is_unkind or not world.holds(NEW_SECRETS_SPREAD):
        return True
    replica = int(REPLICAS * world.draw("replica", key_id, int(now.timestamp() * 5)))
    return age >= FASTEST + (longest - FASTEST) * world.draw("credential spreads", key_id, replica)


def slowest(world: World) -> timedelta:
    """After how long the last replica knows: longer on a bad day, see `slow_directory`."""
    seconds: float | None = world.published.get("spread_seconds")
    return LONGEST if seconds is None else timedelta(seconds=seconds)


def slow_directory(deed: Deed) -> None:
    """Event: new secrets and certificates take up to ``seconds`` to spread, from 4 to 3600; 18 as usual."""
    seconds = deed.details.get("seconds")
    if not isinstance(seconds, int | float) or not 4 <= seconds <= 3600:
        raise ValueError("seconds must be a number from 4 to 3600")
    deed.world.published["spread_seconds"] = float(seconds)
