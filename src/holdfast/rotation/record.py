"""What earlier rotations did, by the journal (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from holdfast.core.deed import Deed, Outcome, Standing
from holdfast.core.plan import Plan
from holdfast.saga import outcomes_of, standing

OPEN = ("waiting", "interrupted", "undoing")


@dataclass(frozen=True, slots=True)
class Rotated:
    """One saga of a rotation.

    Attributes:
        outcomes: of every step that was begun; None of those that never ended as done.
    """

    application: str
    kind: str
    standing: Standing
    outcomes: Mapping[str, Outcome | None]

    @property
    def is_open(self) -> bool:
        """Whether it has begun and is not over, so that a second one would meet it half-way."""
        if self.standing.state == "refused":
            # One that was refused at its first step left nothing.
            return bool(self.standing.stands)
        return self.standing.state in OPEN


def rotated(plan: Plan, deeds: Sequence[Deed]) -> Iterator[Rotated]:
    """The sagas of a plan as they stand."""
    sagas = plan.sagas()
    for each in standing(plan, deeds):
        arguments = sagas[each.saga][0].arguments
        kind = str(arguments.get("kind", "secret"))
        yield Rotated(arguments["application"], kind, each, outcomes_of(each.saga, deeds))


def under_way(past: Iterable[Rotated], application: str, kind: str, own: str = "") -> str:
    """The saga of a rotation that is not over, apart from `own`; empty where there is none."""
    for each in past:
        if (
            (each.application, each.kind) == (application, kind)
            and each.standing.saga != own
            and each.is_open
        ):
            return each.standing.saga
    return ""


def held(
    past: Iterable[Rotated],
    application: str,
    kind: str,
    connections: Collection[str],
    present: Collection[str],
) -> frozenset[str]:
    """The key ids that an application's connections hold, by the rotation that gave them to all of these.

    Args:
        past: newest first.
        connections: ids of all that are there now; one that no rotation knows may hold anything.
        present: the key ids that the application has.

    Returns:
        Empty where it is not known.
    """
    for each in past:
        added = each.outcomes.get("add")
        if (each.application, each.kind) != (application, kind) or each.standing.state != "done" or not added:
            continue
        given = {
            outcome.facts["connection"]
            for name, outcome in each.outcomes.items()
            if name.startswith("switch:") and outcome and outcome.facts["mode"] != "left"
        }
        key_id = added.facts["key_id"]
        return (
            frozenset({key_id})
            if connections and set(connections) <= given and key_id in present
            else frozenset()
        )
    return frozenset()


def replaced(past: Iterable[Rotated]) -> frozenset[str]:
    """Ids of connections that were somebody else's and got one of ours beside them, which took over what they carried."""
    return frozenset(
        name.partition(":")[2]
        for each in past
        if each.standing.state == "done"
        for name, outcome in each.outcomes.items()
        if name.startswith("switch:") and outcome and outcome.facts["mode"] == "beside"
    )
