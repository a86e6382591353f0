"""One cause for many breaks: what somebody did that explains most of them, and what broke at one moment unexplained."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from holdfast.core.finding import Act, Finding
from holdfast.core.judgement import Judgement

FEWEST: Final = 2
"""So many breaks have a cause in common; one alone has its own page."""

FEWEST_AT_ONCE: Final = 3
"""So many that break at one moment are no chance, though nothing says what they have in common."""

AT_ONCE: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Shared:
    """What several breaks have in common.

    Attributes:
        act: what somebody did; None where only the moment is known.
        since: of the act, else of the first break.
        behind: the broken connections, as (environment, connection).
        of: how many are broken altogether.
        comes_back: every one of them works again once it is undone.
    """

    cause: str
    act: Act | None
    since: datetime | None
    behind: tuple[tuple[str, str], ...]
    of: int
    comes_back: bool

    @property
    def sentence(self) -> str:
        """As people read it."""
        explains = f"{len(self.behind)} of {self.of} breaks"
        if self.act is None:
            when = f" within {int(AT_ONCE.total_seconds() // 60)} minutes of {self.since:%Y-%m-%d %H:%M} UTC"
            return f"{explains} began{when}, all of them {self.cause}; nothing that could be read says why."
        doer = f" by {self.act.by.user_principal_name or self.act.by.id}" if self.act.by else ""
        at = f" at {self.since:%Y-%m-%d %H:%M} UTC" if self.since else ""
        did = f", {_PARTICIPLES.get(self.act.does, self.act.does)}{doer}{at}," if doer or at else ""
        thing = self.act.thing if "@" in self.act.thing else self.act.thing[0].upper() + self.act.thing[1:]
        tail = (
            "undone, the old sign-ins work again"
            if self.comes_back
            else "undoing it does not bring the old sign-ins back"
        )
        return f"{thing}{did} explains {explains} ({self.cause}); {tail}."


_PARTICIPLES: Final = {
    "changed or reset the password of": "whose password was changed or reset",
    "revoked the sessions of": "whose sessions were revoked",
    "required MFA of": "of whom MFA was required",
    "took back consent for": "for which consent was taken back",
    "removed credentials of": "whose credentials were removed",
    "let expire": "which expired",
    "disabled or deleted": "disabled or deleted",
    "closed": "which refuses or is away",
    "lost": "which does not answer",
}


def together(broken: Iterable[Judgement]) -> list[Shared]:
    """What explains most breaks first; each break is explained once.

    Args:
        broken: judgements with a verdict.
    """
    left = {(str(each.environment), str(each.connection)): each for each in broken}
    of = len(left)
    found = []
    while (best := _best(left)) is not None:
        act, members = best
        behind = tuple(sorted(members))
        ends = [members[key].end for key in behind]
        since = act.at or min((f.since for f in members.values() if f.since), default=None)
        cause = next(iter(members.values())).cause
        found.append(Shared(cause, act, since, behind, of, all(end.comes_back for end in ends)))
        for key in behind:
            del left[key]
    return found + _at_once(left.values(), of)


def _best(left: dict[tuple[str, str], Judgement]) -> tuple[Act, dict[tuple[str, str], Finding]] | None:
    """The act behind most of what is left, where it is behind several."""
    by_act: defaultdict[str, dict[tuple[str, str], Finding]] = defaultdict(dict)
    acts: dict[str, Act] = {}
    for key, judgement in left.items():
        # What else stands against it does not explain the break: undone, it would be broken still.
        first = next((each for each in judgement.findings if each.is_certain), None)
        if first is not None and first.act is not None:
            by_act[first.act.id][key] = first
            acts[first.act.id] = first.act
    id = max(by_act, key=lambda each: (len(by_act[each]), each), default=None)
    if id is None or len(by_act[id]) < FEWEST:
        return None
    return acts[id], by_act[id]


def _at_once(left: Iterable[Judgement], of: int) -> list[Shared]:
    """Breaks of one cause that began within a short time of each other."""
    by_cause: defaultdict[str, list[tuple[datetime, Judgement, Finding]]] = defaultdict(list)
    for judgement in left:
        first = next((each for each in judgement.findings if each.is_certain), None)
        if first is not None and first.since is not None:
            by_cause[first.cause].append((first.since, judgement, first))
    found = []
    for cause, each in by_cause.items():
        for group in _bursts(sorted(each, key=lambda one: (one[0], one[1].connection))):
            behind = tuple(sorted((str(j.environment), str(j.connection)) for _, j, _ in group))
            back = all(finding.end.comes_back for _, _, finding in group)
            found.append(Shared(cause, None, group[0][0], behind, of, back))
    return sorted(found, key=lambda one: -len(one.behind))


def _bursts(
    each: Sequence[tuple[datetime, Judgement, Finding]],
) -> list[list[tuple[datetime, Judgement, Finding]]]:
    groups: list[list[tuple[datetime, Judgement, Finding]]] = []
    for one in each:
        if groups and one[0] - groups[-1][0][0] <= AT_ONCE:
            groups[-1].append(one)
        else:
            groups.append([one])
    return [group for group in groups if len(group) >= FEWEST_AT_ONCE]
