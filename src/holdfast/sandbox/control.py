"""The control port: plain HTTP on loopback, for whoever runs the sandbox. The cloud has no such thing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from difflib import get_close_matches
from itertools import chain
from typing import Any

from starlette.responses import Response

from holdfast.sandbox import crowd, faults
from holdfast.sandbox.event_details import TAKES, unknown_details
from holdfast.sandbox.frame import Call, CallRefusedError, Deed, Part, Room, answer, at, streamed
from holdfast.sandbox.records.platform import Connection
from holdfast.sandbox.tenant import Host
from holdfast.sandbox.world import World

LENGTHS = ("days", "hours", "seconds")


def refuse(sentence: str, status: int = 400) -> CallRefusedError:
    """A refusal in the control port's own shape."""
    return CallRefusedError(answer({"error": sentence}, status))


def asked(call: Call) -> Mapping[str, Any]:
    """The body, which must be a JSON object; an empty one counts as {}."""
    body = call.json()
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise refuse("the body must be a JSON object")
    return body


def only(body: Mapping[str, Any], *known: str) -> None:
    """Refuse keys that the control port does not know, so that a typing error is not silently nothing."""
    if unknown := sorted(set(body) - set(known)):
        raise refuse(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")


def show_clock(call: Call) -> Response:
    """The cloud's time."""
    return answer({"now": call.now.isoformat(), "frozen": call.tenant.clock.frozen})


def advance(call: Call) -> Response:
    """Jump ahead; everything due on the way has happened when the answer comes."""
    body = asked(call)
    only(body, *LENGTHS)
    lengths = {name: body.get(name, 0) for name in LENGTHS}
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in lengths.values()):
        raise refuse("days, hours and seconds must be numbers")
    try:
        call.tenant.clock.advance(timedelta(**lengths))
    except OverflowError:
        raise refuse("cannot advance: that is beyond the year 9999") from None
    except ValueError as error:
        raise refuse(f"cannot advance: {error}") from None
    return answer({"now": call.tenant.now().isoformat(), "frozen": call.tenant.clock.frozen})


def show_requests(call: Call) -> Response:
    """What clients asked of the cloud, oldest first, secrets removed."""
    return answer({"requests": list(call.tenant.requests)})


def show_faults(call: Call) -> Response:
    """What is planned, and how often it has met a request."""
    return answer({"unkind": call.world.is_unkind, "faults": [asdict(plan) for plan in call.world.faults]})


def plan_fault(call: Call) -> Response:
    """Plan a fault, or switch the default unkindness: ``{"unkind": false}``."""
    body = dict(asked(call))
    if "unkind" in body:
        wanted = body.pop("unkind")
        if not isinstance(wanted, bool):
            raise refuse("unkind must be true or false")
        call.world.is_unkind = wanted
    if body:
        try:
            call.world.faults.append(faults.plan_from(call.world, body))
        except ValueError as error:
            raise refuse(str(error)) from None
    return show_faults(call)


def drop_faults(call: Call) -> Response:
    """No faults any more, the default ones included."""
    call.world.faults, call.world.is_unkind = [], False
    return show_faults(call)


def not_found(call: Call) -> Response:
    """No such thing on the control port."""
    return answer({"error": f"the control port has no {call.method} {call.path}"}, 404)


class Desk:
    """The endpoints that need to know every part.

    Args:
        reset: loads a scenario by name and seed and gives the new ready mapping; LookupError if there is none.
    """

    def __init__(self, parts: Sequence[Part], reset: Callable[[str, int], Mapping[str, Any]]) -> None:
        self._parts = parts
        self._reset = reset
        self._events = {name: event for part in parts for name, event in part.events.items()}
        self._rules = {
            rule.id: rule
            for rule in (*(rule for part in parts for rule in part.rules), *faults.RULES, crowd.ONLY_AGES)
        }

    def happen(self, call: Call) -> Response:
        """Let an event happen now."""
        body = asked(call)
        name = body.get("event")
        event = self._events.get(name) if isinstance(name, str) else None
        if event is None or not isinstance(name, str):
            near = get_close_matches(str(name), self._events, n=1)
            hint = f", the nearest is {near[0]}" if near else ""
            raise refuse(f"unknown event {name!r}{hint}; known: {', '.join(sorted(self._events))}")
        details = {key: value for key, value in body.items() if key not in ("event", "target")}
        if unknown := unknown_details(name, details):
            known = ", ".join(("event", "target", *sorted(TAKES.get(name, ()))))
            raise refuse(f"{name}: unknown: {', '.join(unknown)}; known: {known}")
        try:
            said = event(Deed(call.world, call.now, str(body.get("target") or ""), details))
        except LookupError as error:
            raise refuse(f"{name}: no {error.args[0] if error.args else 'such target'}", 404) from None
        except ValueError as error:
            raise refuse(f"{name}: {error}") from None
        return answer({"event": name, "at": call.now.isoformat(), **(said or {})})

    def tell(self, call: Call) -> Response:
        """The world as it is, for tests; the product never reads it."""
        told = {"now": call.now.isoformat(), **truth(call.world, call.now, self._parts)}
        if call.world.crowd is None:
            return answer(told)
        told["connections"] = chain(told["connections"], crowd.connection_truths(call.world, call.now))
        told["flows"] = chain(told.get("flows", ()), crowd.flow_truths(call.world))
        return streamed(told)

    def show_rules(self, call: Call) -> Response:
        """Every rule, and whether it holds in this world."""
        told = [
            {
                "id": rule.id,
                "mark": rule.mark.value,
                "holds": call.world.holds(rule),
                "says": rule.says,
                "flipped": rule.flipped or None,
            }
            for rule in self._rules.values()
        ]
        return answer({"rules": told})

    def flip(self, call: Call) -> Response:
        """Let an assumed rule hold, or not: ``{"id": …, "holds": false}``."""
        body = asked(call)
        only(body, "id", "holds")
        rule = self._rules.get(str(body.get("id")))
        if rule is None:
            raise refuse(f"there is no rule {body.get('id')!r}; GET /rules lists them", 404)
        if not rule.flipped:
            raise refuse(f"{rule.id} is {rule.mark.value}: only a rule with an alternative can be flipped")
        wanted = body.get("holds", not call.world.holds(rule))
        if not isinstance(wanted, bool):
            raise refuse("holds must be true or false")
        if wanted != call.world.holds(rule):
            call.world.flips = sorted(set(call.world.flips) ^ {rule.id})
        return answer({"id": rule.id, "holds": wanted, "so": rule.says if wanted else rule.flipped})

    def start_over(self, call: Call) -> Response:
        """Load a scenario anew, at the same addresses and with the same certificates."""
        body = asked(call)
        only(body, "scenario", "seed")
        scenario, seed = body.get("scenario", call.world.scenario), body.get("seed", call.world.seed)
        if not isinstance(scenario, str) or not isinstance(seed, int):
            raise refuse("scenario must be a name and seed a whole number")
        try:
            return answer(self._reset(scenario, seed))
        except LookupError:
            raise refuse(f"there is no scenario {scenario!r}", 404) from None


def truth(world: World, now: datetime, parts: Sequence[Part]) -> dict[str, Any]:
    """Every part's section, and the connections with why they would not work."""
    told: dict[str, Any] = {
        "connections": [
            connection_truth(world, connection, now, parts)
            for connection in world.connections.values()
            if connection.deleted_at is None
        ]
    }
    for part in parts:
        if part.truth:
            told.update(part.truth(world, now))
    return told


def connection_truth(
    world: World, connection: Connection, now: datetime, parts: Sequence[Part]
) -> dict[str, Any]:
    """One connection: whether it would work now, and if not why and since when."""
    standing = [
        reason for part in parts if part.causes is not None for reason in part.causes(world, connection, now)
    ]
    since = min((reason.since for reason in standing if reason.since is not None), default=None)
    return {
        "id": connection.id,
        "name": connection.display_name,
        "environment": connection.environment_id,
        "usable": not standing,
        "cause": standing[0].cause if standing else None,
        "causes": [reason.cause for reason in standing],
        "broke_at": since.isoformat() if since else None,
    }


def part(parts: Sequence[Part], reset: Callable[[str, int], Mapping[str, Any]]) -> Part:
    """The control port over all other parts."""
    desk = Desk(parts, reset)
    routes = (
        at("GET", "/clock", show_clock),
        at("POST", "/clock/advance", advance),
        at("POST", "/events", desk.happen),
        at("GET", "/truth", desk.tell),
        at("GET", "/requests", show_requests),
        at("GET", "/faults", show_faults),
        at("POST", "/faults", plan_fault),
        at("DELETE", "/faults", drop_faults),
        at("GET", "/rules", desk.show_rules),
        at("POST", "/rules", desk.flip),
        at("POST", "/reset", desk.start_over),
    )
    return Part(
        "control",
        rooms=(Room(Host.CONTROL, routes, missing=not_found),),
        rules=(*faults.RULES, crowd.ONLY_AGES),
    )
