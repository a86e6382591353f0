"""Solutions and their publishers as rows, and the header by which a new component is placed in one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from starlette.responses import Response

from holdfast.sandbox.chance import guid
from holdfast.sandbox.dataverse.frame import (
    TableShape,
    User,
    bad_request,
    body_of,
    created,
    is_number,
    is_text,
    many,
    need,
    no_row,
    nothing,
    refusal,
    user,
)
from holdfast.sandbox.dataverse.rows import instant
from holdfast.sandbox.frame import Call
from holdfast.sandbox.records.platform import Environment
from holdfast.sandbox.records.solutions import Publisher, Solution
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.world import World

HEADER = "mscrm.solutionuniquename"
UNIQUE_NAME = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)
PREFIX = re.compile(r"(?!mscrm)[a-z][a-z0-9]{1,7}")

PLACED_BY_HEADER = Rule(
    "header_places_components_in_a_solution",
    "A row made with MSCRM.SolutionUniqueName is a component of that unmanaged solution; an unknown name is refused.",
    Mark.DOCUMENTED,
    "powerapps-docs developer/data-platform/webapi/create-entity-web-api; status and code of the refusal are assumed",
)
ONLY_THE_CONTAINER = Rule(
    "deleting_an_unmanaged_solution_keeps_its_components",
    "Deleting an unmanaged solution removes the solution and leaves what was in it.",
    Mark.DOCUMENTED,
    "powerapps-docs maker/data-platform/solutions-overview",
)
PUBLISHER_IN_USE = Rule(
    "publisher_with_solutions_stays",
    "A publisher cannot be deleted while a solution names it.",
    Mark.ASSUMED,
    "a restricted relationship in the reference of the table publisher; no recorded refusal",
)
RULES = (PLACED_BY_HEADER, ONLY_THE_CONTAINER, PUBLISHER_IN_USE)

SOLUTIONS = TableShape(
    "solutions",
    "solution",
    "solutionid",
    frozenset(
        {
            "solutionid",
            "uniquename",
            "friendlyname",
            "description",
            "version",
            "ismanaged",
            "isvisible",
            "createdon",
            "modifiedon",
            "_publisherid_value",
        }
    ),
)
PUBLISHERS = TableShape(
    "publishers",
    "publisher",
    "publisherid",
    frozenset(
        {
            "publisherid",
            "uniquename",
            "friendlyname",
            "description",
            "customizationprefix",
            "customizationoptionvalueprefix",
            "createdon",
        }
    ),
)


def placed(call: Call, environment: Environment) -> Solution | None:
    """The solution in which the call places what it makes; None where it names none.

    Raises:
        CallRefusedError: there is no such solution, or it is managed.
    """
    wanted = call.headers.get(HEADER)
    if wanted is None:
        return None
    solution = named(call.world, environment.id, wanted)
    if solution is None or solution.is_managed:
        raise bad_request(f"The solution with unique name '{wanted}' was not found.", "0x80048404")
    return solution


def named(world: World, environment_id: str, unique_name: str) -> Solution | None:
    """The solution of that name in an environment."""
    return next(
        (
            one
            for one in world.solutions.values()
            if one.environment_id == environment_id and one.unique_name.lower() == unique_name.lower()
        ),
        None,
    )


def publisher_named(world: World, environment_id: str, unique_name: str) -> Publisher | None:
    """The publisher of that name in an environment."""
    return next(
        (
            one
            for one in world.publishers.values()
            if one.environment_id == environment_id and one.unique_name.lower() == unique_name.lower()
        ),
        None,
    )


def default_publisher(world: World, environment: Environment) -> str:
    """The id of the publisher that every environment has."""
    return guid(world.seed, "default publisher", environment.id)


# --- solutions -------------------------------------------------------------------------------------------


def list_solutions(call: Call) -> Response:
    """The solutions of the environment."""
    caller = user(call)
    return many(call, SOLUTIONS, map(solution_row, _here(call.world.solutions, caller)))


def _here(things: dict[str, Any], caller: User) -> Iterator[Any]:
    return (one for one in things.values() if one.environment_id == caller.environment.id)


def solution_row(one: Solution) -> dict[str, Any]:
    """A row of ``solutions``."""
    return {
        "solutionid": one.id,
        "uniquename": one.unique_name,
        "friendlyname": one.display_name,
        "description": one.description,
        "version": one.version,
        "ismanaged": one.is_managed,
        "isvisible": True,
        "createdon": instant(one.created_at),
        "modifiedon": instant(one.created_at),
        "_publisherid_value": one.publisher_id,
    }


NEW_SOLUTION: dict[str, Callable[[Any], bool]] = {
    "uniquename": lambda value: isinstance(value, str) and UNIQUE_NAME.fullmatch(value) is not None,
    "friendlyname": lambda value: isinstance(value, str) and 0 < len(value) <= 256,
    "description": is_text,
    "version": lambda value: isinstance(value, str) and re.fullmatch(r"\d+(\.\d+){1,3}", value) is not None,
    "publisherid@odata.bind": lambda value: isinstance(value, str),
}


def create_solution(call: Call) -> Response:
    """Make an unmanaged solution."""
    caller = user(call)
    need(caller.writes_all, caller, "prvCreateSolution")
    body = body_of(call, SOLUTIONS, NEW_SOLUTION)
    for name in ("uniquename", "friendlyname", "version", "publisherid@odata.bind"):
        if name not in body:
            raise bad_request(f"The required attribute '{name}' is missing.", "0x80040203")
    if named(call.world, caller.environment.id, body["uniquename"]) is not None:
        raise refusal(412, "0x80040237", "A record with matching key values already exists.")
    found = re.fullmatch(r"/?publishers\(([0-9a-fA-F-]{36})\)", body["publisherid@odata.bind"])
    publisher = found[1].lower() if found else ""
    known = {one.id for one in _here(call.world.publishers, caller)}
    if publisher not in known | {default_publisher(call.world, caller.environment)}:
        raise no_row("publisher", publisher)
    solution = Solution(
        id=call.world.fresh("solution"),
        environment_id=caller.environment.id,
        unique_name=body["uniquename"],
        display_name=body["friendlyname"],
        description=body.get("description"),
        version=body["version"],
        publisher_id=publisher,
        created_at=call.now,
    )
    call.world.solutions[solution.id] = solution
    return created(call, SOLUTIONS, solution_row(solution))


def delete_solution(call: Call) -> Response:
    """Remove a solution, and nothing that is in it."""
    caller = user(call)
    need(caller.writes_all, caller, "prvDeleteSolution")
    solution = call.world.solutions.get(call.params["id"].lower())
    if solution is None or solution.environment_id != caller.environment.id:
        raise no_row("solution", call.params["id"])
    del call.world.solutions[solution.id]
    return nothing()


# --- publishers ------------------------------------------------------------------------------------------


def list_publishers(call: Call) -> Response:
    """The publishers of the environment."""
    caller = user(call)
    return many(call, PUBLISHERS, map(publisher_row, _here(call.world.publishers, caller)))


def publisher_row(one: Publisher) -> dict[str, Any]:
    """A row of ``publishers``."""
    return {
        "publisherid": one.id,
        "uniquename": one.unique_name,
        "friendlyname": one.display_name,
        "description": None,
        "customizationprefix": one.prefix,
        "customizationoptionvalueprefix": one.option_prefix,
        "createdon": instant(one.created_at),
    }


NEW_PUBLISHER: dict[str, Callable[[Any], bool]] = {
    "uniquename": lambda value: isinstance(value, str) and UNIQUE_NAME.fullmatch(value) is not None,
    "friendlyname": lambda value: isinstance(value, str) and 0 < len(value) <= 256,
    "description": is_text,
    "customizationprefix": lambda value: isinstance(value, str) and PREFIX.fullmatch(value) is not None,
    "customizationoptionvalueprefix": lambda value: is_number(value) and 10_000 <= value <= 99_999,
}


def create_publisher(call: Call) -> Response:
    """Make a publisher."""
    caller = user(call)
    need(caller.writes_all, caller, "prvCreatePublisher")
    body = body_of(call, PUBLISHERS, NEW_PUBLISHER)
    for name in ("uniquename", "friendlyname", "customizationprefix", "customizationoptionvalueprefix"):
        if name not in body:
            raise bad_request(f"The required attribute '{name}' is missing.", "0x80040203")
    if publisher_named(call.world, caller.environment.id, body["uniquename"]) is not None:
        raise refusal(412, "0x80040237", "A record with matching key values already exists.")
    publisher = Publisher(
        id=call.world.fresh("publisher"),
        environment_id=caller.environment.id,
        unique_name=body["uniquename"],
        display_name=body["friendlyname"],
        prefix=body["customizationprefix"],
        option_prefix=body["customizationoptionvalueprefix"],
        created_at=call.now,
    )
    call.world.publishers[publisher.id] = publisher
    return created(call, PUBLISHERS, publisher_row(publisher))


def delete_publisher(call: Call) -> Response:
    """Remove a publisher that no solution names."""
    caller = user(call)
    need(caller.writes_all, caller, "prvDeletePublisher")
    publisher = call.world.publishers.get(call.params["id"].lower())
    if publisher is None or publisher.environment_id != caller.environment.id:
        raise no_row("publisher", call.params["id"])
    if any(one.publisher_id == publisher.id for one in call.world.solutions.values()):
        raise bad_request("The publisher cannot be deleted because solutions refer to it.", "0x80047002")
    del call.world.publishers[publisher.id]
    return nothing()
