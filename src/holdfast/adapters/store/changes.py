"""What is new between two states of a thing, small enough to be kept for ever.

A change is a JSON array of `[path, value]`, and `[path]` where the value is gone; a path is the list of
names and positions that lead to it. The whole of a thing is the change `[[[], value]]`.
"""

from __future__ import annotations

import json
from typing import Any

Path = tuple[str | int, ...]


WHOLE = ("[[[],", "]]")
"""What stands before and after the fields of a thing in the change that makes it out of nothing."""


def whole(facts: str) -> str:
    """The change that makes a thing out of nothing."""
    return facts.join(WHOLE)


def change(before: str, after: str) -> str:
    """What turns one state into the other."""
    steps: list[list[Any]] = []
    _compare((), json.loads(before), json.loads(after), steps)
    return json.dumps(steps, separators=(",", ":"))


def applied(state: Any, step_list: str) -> Any:
    """The state after a change. It may be changed in place; use what is returned."""
    for path, *value in json.loads(step_list):
        if not path:
            state = value[0]
            continue
        place = state
        for name in path[:-1]:
            place = place[name]
        if not value:
            del place[path[-1]]
        elif isinstance(place, list) and path[-1] == len(place):
            place.append(value[0])
        else:
            place[path[-1]] = value[0]
    return state


def _compare(path: Path, before: Any, after: Any, steps: list[list[Any]]) -> None:
    if isinstance(before, dict) and isinstance(after, dict):
        steps += [[[*path, name]] for name in before.keys() - after.keys()]
        for name, value in after.items():
            if name in before:
                _compare((*path, name), before[name], value, steps)
            else:
                steps.append([[*path, name], value])
    elif isinstance(before, list) and isinstance(after, list):
        # From the end, so that what remains keeps its position.
        steps += [[[*path, at]] for at in reversed(range(len(after), len(before)))]
        for at, value in enumerate(after):
            if at < len(before):
                _compare((*path, at), before[at], value, steps)
            else:
                steps.append([[*path, at], value])
    elif type(before) is not type(after) or before != after:
        steps.append([list(path), after])
