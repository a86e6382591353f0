"""The steps that move one group of flows to a service principal of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from holdfast.core.making import AppPolicy
from holdfast.core.plan import PlannedStep, label
from holdfast.migration.case import Case, Moving, uses_of
from holdfast.migration.choices import Choices
from holdfast.migration.definitions import fingerprint, rewritten
from holdfast.migration.eligibility import Readiness
from holdfast.migration.grants import DatabaseGrants, plan_grants, widened
from holdfast.migration.names import listed, logical_name, plain
from holdfast.migration.ownership import (
    LICENCE,
    SAME_LICENCES,
    flows_of,
    keeps,
    leavers,
    owner_rows,
    sharers,
    takes,
)
from holdfast.migration.shown import grants_json, shows_of

Group = list[tuple[Case, Readiness]]


class Saga:
    """The steps of one group."""

    def __init__(self, saga: str, group: Group, choices: Choices) -> None:
        self.saga, self.choices = saga, choices
        self.cases = [case for case, _ in group]
        self.cares = [care for _, found in group for care in found.cares]
        self.environment = self.cases[0].environment
        self.connection = self.cases[0].connection.id if len(group) == 1 else None
        self.name = label(saga, plain(self._subject()))[:100].rstrip()

    def _subject(self) -> str:
        if self.choices.per_environment:
            return self.environment.display_name
        return self.cases[0].connection.display_name

    def steps(self) -> Iterator[PlannedStep]:
        """In the order in which they run."""
        yield self._check()
        yield from self._application()
        for grants in self.grants():
            yield self._user(grants)
        for case in self.cases:
            yield self._connection(case)
            yield self._proof(case)
        moves = [step for case in self.cases for step in self._moved(case)]
        yield from moves
        yield from self._watch(moves)
        if self.choices.own_flows:
            yield from self._owned(moves)
        yield self._step(
            "sweep", "Looks again, later, for what an interrupted attempt left", {"label": label(self.saga)}
        )

    def _step(self, name: str, does: str, arguments: Mapping[str, Any], **more: Any) -> PlannedStep:
        about: dict[str, Any] = {"connection": self.connection, "environment": self.environment.id} | more
        step = PlannedStep(self.saga, name, does, arguments=dict(arguments), **about)
        return PlannedStep(**{**_fields(step), "shows": shows_of(step)})

    def grants(self) -> list[DatabaseGrants]:
        """The rights of the whole group, by database; what has no place is what a person accepted."""
        found = plan_grants(use for case in self.cases for use in uses_of(case))
        return [one for one in found if one.place.server and one.place.database]

    def _check(self) -> PlannedStep:
        flows = {moving.flow.id: moving for case in self.cases for moving in case.flows}
        names = ", ".join(repr(moving.flow.display_name) for moving in list(flows.values())[:3])
        more = f" and {len(flows) - 3} more" if len(flows) > 3 else ""
        owners = owner_rows(self.cases, self.name, self.choices.app_admin)
        risks = [*(care.says for care in self.cares), *leavers(owners), *self._stays()]
        if self.choices.per_environment and len(self.cases) > 1:
            risks.insert(0, "One identity holds the rights of every flow of the environment together")
        return self._step(
            "check",
            f"Looks whether flows and bindings are still as planned: {names}{more}",
            {
                "flows": [_flow(moving) for moving in flows.values()],
                "bindings": [
                    {
                        "reference": reference.id,
                        "name": reference.logical_name,
                        "connection": case.connection.id,
                    }
                    for case in self.cases
                    for reference in case.references
                    if not case.needs_rewriting
                ],
                "connections": [
                    {"id": case.connection.id, "connector": case.connection.connector} for case in self.cases
                ],
                "owners": owners,
                "own": list(self._own()) if self.choices.own_flows else [],
            },
            risk="; ".join(dict.fromkeys(risks)),
            cost="" if self.choices.own_flows else SAME_LICENCES,
        )

    def _own(self) -> Iterator[dict[str, Any]]:
        """The flows that the operator takes over, as the steps take them."""
        for moving in flows_of(self.cases):
            if not takes(moving, self.cases) and moving.row is not None:
                yield {
                    **_flow(moving),
                    "on": moving.flow.is_on,
                    "owner": moving.row.owner,
                    "keeps": keeps(moving.flow),
                }

    def _stays(self) -> Iterator[str]:
        """Why flows stay with their owners that a person wanted to be taken over."""
        for moving in flows_of(self.cases) if self.choices.own_flows else ():
            if why := takes(moving, self.cases):
                yield f"Flow {moving.flow.display_name!r} stays with its owner: {why}"

    def _application(self) -> Iterator[PlannedStep]:
        by = "" if self.choices.has_app_admin else "an application administrator"
        yield self._step(
            "app",
            f"Registers the application {self.name!r}, which nobody signs in with but the new connection",
            {"name": self.name, "own": self.choices.has_app_admin},
            undo="Removes the application",
            by=by,
        )
        yield self._step(
            "principal", "Makes the application an identity of the tenant", {"name": self.name}, by=by
        )
        life, kind = self._life(), "certificate" if self.choices.certificate else "secret"
        yield self._step(
            kind,
            f"Adds a {kind} that lives {life.days} days, and keeps {'it with its key' if self.choices.certificate else 'its text'} in the secret store",
            {
                "label": label(self.saga),
                "life_seconds": int(life.total_seconds()),
                "own": self.choices.has_app_admin,
                "stored": f"migrate/{self.saga}",
            },
            cost=f"To be renewed within {life.days} days: `holdfast rotate`",
            undo=f"Removes the {kind} and its text",
            by=by,
        )
        yield self._step(
            "prove", f"Waits until the {kind} signs in several times in a row", {"name": self.name}
        )

    def _life(self) -> timedelta:
        policy = self.choices.policy or AppPolicy()
        longest = policy.longest_certificate if self.choices.certificate else policy.longest_secret
        return min(self.choices.life, longest - timedelta(minutes=1)) if longest else self.choices.life

    def _user(self, grants: DatabaseGrants) -> PlannedStep:
        adds = [f"{role}: {widened(grants, role).adds}" for role in self.choices.roles]
        risks = [f"Wider than needed, by choice: {one}" for one in adds]
        risks += [
            f"{name}: if the table has a trigger for what the connector writes, the action fails with error 334"
            for name in grants.written_back
        ]
        risks += [
            f"{name} was written without a schema and is taken as dbo's" for name in grants.assumed_schema
        ]
        return self._step(
            f"sql:{grants.place.server}/{grants.place.database}",
            f"Makes a user of the application in {grants.place} with {_counted(len(grants.needs), 'grant')}, and reads it back",
            {"name": self.name, **grants_json(grants), "roles": list(self.choices.roles)},
            risk="; ".join(risks),
            cost="A login wakes a serverless database that is paused",
            undo="Drops the user",
            by="" if self.choices.has_sql_admin else "a SQL administrator",
        )

    def _connection(self, case: Case) -> PlannedStep:
        old = case.connection
        gains = [
            f"{need.right.permission} {need.right.object} in {one.place}"
            for one in self.grants()
            for need in one.needs
        ]
        shares = [
            {"id": each.id, "name": each.display_name or each.user_principal_name or each.id}
            for each in sharers(case)
        ]
        who = listed([each["name"] for each in shares])
        return self._step(
            f"connection:{old.id}",
            f"Makes a connection of type service principal {'with certificate ' if self.choices.certificate else ''}beside {old.display_name!r}"
            + (f" and shares it with {who} (Can use)" if shares else ", shared with nobody"),
            {
                "connector": old.connector,
                "display_name": label(self.saga, plain(old.display_name))[:200].rstrip(),
                "tenant_id": self.choices.tenant_id,
                **({"sign_in": "certOauth"} if self.choices.certificate else {}),
                "shares": shares,
                "gains": gains,
            },
            connection=old.id,
            risk=f"{who} can use it for: {'; '.join(gains)}" if shares and gains else "",
            undo="Removes the new connection; the old one was never touched",
        )

    def _proof(self, case: Case) -> PlannedStep:
        return self._step(
            f"proof:{case.connection.id}",
            "Runs a query through the new connection, and looks that every right is there and nothing wider",
            {
                "connector": case.connection.connector,
                "databases": [grants_json(one) for one in self.grants()],
                "roles": list(self.choices.roles),
                "name": self.name,
            },
            connection=case.connection.id,
            cost="A few queries, once",
        )

    def _moved(self, case: Case) -> Iterator[PlannedStep]:
        old = case.connection
        about = {"connector": old.connector, "flows": [_flow(moving) for moving in case.flows]}
        if not case.needs_rewriting:
            for reference in case.references:
                yield self._step(
                    f"bind:{reference.id}",
                    f"Binds the connection reference {reference.logical_name} to the new connection",
                    {**about, "reference": reference.id, "name": reference.logical_name},
                    connection=old.id,
                    undo=f"Binds it to {old.display_name!r} again",
                )
            return
        name = logical_name(self.saga, old.id)
        yield self._step(
            f"reference:{old.id}",
            "Makes a connection reference of its own, bound to the new connection",
            {
                "connector": old.connector,
                "logical_name": name,
                "display_name": label(self.saga, plain(old.display_name))[:100].rstrip(),
            },
            connection=old.id,
            undo="Removes it",
        )
        for moving in case.flows:
            yield self._define(case, moving, name)

    def _define(self, case: Case, moving: Moving, reference: str) -> PlannedStep:
        place = case.place
        if moving.row is None:
            raise ValueError("a flow that could not be read is not ready")
        changed = rewritten(moving.row.clientdata, moving.keys, reference, place.server, place.database)
        return self._step(
            f"define:{moving.flow.id}",
            f"Rewrites {moving.flow.display_name!r}: server, database and connection reference, in one write",
            {
                **_flow(moving),
                "connector": case.connection.connector,
                "keys": sorted(moving.keys),
                "reference": reference,
                "server": place.server,
                "database": place.database,
                "edits": [list(edit) for edit in changed.edits],
                "becomes": fingerprint(changed.clientdata),
                "stored": f"flow/{self.saga}/{moving.flow.id}",
            },
            connection=case.connection.id,
            risk="The old definition is kept encrypted until the plan is undone or purged",
            undo="Writes the old definition back, byte for byte",
        )

    def _watched(self, moves: Sequence[PlannedStep]) -> dict[str, Any]:
        return {
            "flows": [
                {**_flow(moving), "on": moving.flow.is_on, "recurs": _recurs(moving)}
                for moving in flows_of(self.cases)
            ],
            "of": {case.connection.id: [moving.flow.id for moving in case.flows] for case in self.cases},
            "connector": self.cases[0].connection.connector,
            "moves": [_move(step) for step in moves if not step.name.startswith("reference:")],
        }

    def _watch(self, moves: Sequence[PlannedStep]) -> Iterator[PlannedStep]:
        watched = self._watched(moves)
        if self.choices.starts:
            yield self._step(
                "start",
                "Starts each scheduled flow now, where the operator's person owns it, instead of waiting for its time",
                watched,
                risk="Each of these flows does its work once more than its schedule says",
            )
        yield self._step(
            "watch",
            "Watches each flow until a run is green; takes the binding of one that turns red back",
            watched,
            risk="A flow that runs once a month is watched for a month",
        )
        yield self._step(
            "cycle",
            "Switches off and on each flow whose green run did not use the new connection; most often there is none",
            watched,
            undo="Switches it off and on again, bound as before",
        )
        yield self._step("confirm", "Watches those again until a run is green", watched)

    def _owned(self, moves: Sequence[PlannedStep]) -> Iterator[PlannedStep]:
        own, names = list(self._own()), {m.flow.id: m.flow.owned_by for m in flows_of(self.cases)}
        for each in own:
            owner = names[each["flow"]]
            who = owner.display_name if owner and owner.display_name else "its owner"
            kept = f"{who} stays co-owner" if each["keeps"] else f"{who} has left and is no co-owner"
            yield self._step(
                f"own:{each['flow']}",
                f"Hands {each['flow_name']!r} to holdfast's operator, a service principal; {kept}",
                each,
                cost=LICENCE,
                risk="Requests of a service principal's flows count against the tenant's pool",
                undo=f"Hands it back to {who}",
            )
        if own:
            watched = self._watched(moves) | {"own": own}
            yield self._step(
                "watch_owned",
                "Watches each of these until a run is green; gives one that turns red back",
                watched,
            )


def _move(step: PlannedStep) -> dict[str, Any]:
    about = {"connection": step.connection, "connector": step.arguments["connector"]}
    if step.name.startswith("bind:"):
        return about | {"reference": step.arguments["reference"]}
    wanted = ("flow", "flow_name", "sha256", "becomes", "stored")
    return about | {"define": {name: step.arguments[name] for name in wanted}}


def _recurs(moving: Moving) -> bool:
    return moving.flow.recurrence is not None


def _flow(moving: Moving) -> dict[str, Any]:
    text = moving.row.clientdata if moving.row else ""
    return {"flow": moving.flow.id, "flow_name": moving.flow.display_name, "sha256": fingerprint(text)}


def _fields(step: PlannedStep) -> dict[str, Any]:
    return {name: getattr(step, name) for name in PlannedStep.__slots__}


def _counted(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"
