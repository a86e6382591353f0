"""`holdfast whatif`: which connections a change would end, before anybody makes it."""

from __future__ import annotations

import asyncio
import difflib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli.options import Invocation, common_options
from holdfast.cli.render import TENANT, Column, emit, of_tenants
from holdfast.cli.saying import say
from holdfast.cli.times import Length, iso, length, minute

if TYPE_CHECKING:
    from holdfast.compose import Holdfast
    from holdfast.core.policies import AccessPolicy
    from holdfast.diagnosis.whatif import Consequence, Supposition
    from holdfast.scan.standing import Picture

CERTAINTY = Column("certainty", "Dies", wraps=False)
CAUSE = Column("cause", "Of", wraps=False)
WHEN = Column("when", "Not before", wraps=False)
NAME = Column("name", "Connection", "bold")
ENVIRONMENT = Column("environment_name", "Environment")
FLOWS = Column("stops", "Flows that stop")
BECAUSE = Column("because", "Because")
WIDE = (CERTAINTY, CAUSE, WHEN, NAME, ENVIRONMENT, FLOWS, BECAUSE)
NARROW = ((CERTAINTY, CAUSE, WHEN), (NAME, ENVIRONMENT, FLOWS), (BECAUSE,))
EXPORT = tuple(
    Column(key, key)
    for key in (
        "connection",
        "environment",
        "name",
        "certainty",
        "cause",
        "code",
        "end",
        "at",
        "flows",
        "runs_lost_per_week",
    )
)
SURENESS = {"certain": "surely", "possible": "possibly"}


def _listed() -> str:
    from holdfast.diagnosis.whatif import VERBS

    operands = {"": "", "file": "FILE|NAME", "length": "90d"}
    rows = []
    for verb, meant in VERBS.items():
        operand = operands.get(meant.operand, meant.operand.rstrip("?").upper())
        shown = f"[{operand}]" if meant.operand.endswith("?") else operand
        rows.append(f"  {verb} {shown}".ljust(34) + meant.does)
    return "\b\n" + "\n".join(rows)


class _Command(click.Command):
    """Lists the changes in its help, imported only when help is asked for."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The changes that can be supposed."""
        with formatter.section("Changes"):
            formatter.write_text(_listed())


@click.command(cls=_Command)
@click.argument("changes", nargs=-1, required=True, metavar="CHANGE…")
@common_options
def command(changes: Sequence[str], invocation: Invocation) -> int:
    """Tell which connections die of a change, and which flows stop, on the scanned inventory.

    Several changes happen in the order given: `whatif disable-account ada@contoso.com advance 90d`. No cloud is
    asked. The exit code is 1 if anything dies, so that a change board can make it a gate.
    """
    supposed = suppositions(changes)
    from holdfast.cli.session import opened

    with opened(invocation) as holdfast:
        return asyncio.run(_whatif(holdfast, invocation, supposed))


def suppositions(words: Sequence[str]) -> list[Supposition]:
    """The changes that the words name; each verb takes the operand that it needs.

    Raises:
        UsageError: a word is no change, an operand is missing or cannot be read.
    """
    from holdfast.diagnosis.whatif import VERBS

    found: list[Supposition] = []
    left = list(words)
    while left:
        verb = left.pop(0)
        if verb not in VERBS:
            near = difflib.get_close_matches(verb, VERBS, n=1)
            there = f"the nearest is {near[0]}" if near else f"there are {', '.join(VERBS)}"
            raise click.UsageError(f"{verb!r} is no change; {there}.")
        operand = VERBS[verb].operand
        if operand.endswith("?"):
            given = left.pop(0) if left and left[0] not in VERBS else ""
        elif not left or left[0] in VERBS:
            raise click.UsageError(f"{verb!r} needs {_article(operand)} behind it.")
        else:
            given = left.pop(0)
        found.append(_supposition(verb, operand, given))
    return found


def _article(operand: str) -> str:
    return f"an {operand}" if operand[0] in "aeiou" else f"a {operand}"


def _supposition(verb: str, operand: str, given: str) -> Supposition:
    from holdfast.diagnosis.policies import policy_of
    from holdfast.diagnosis.whatif import Supposition

    if operand == "length":
        return Supposition(verb, length=Length().convert(given, None, None))
    if operand != "file":
        return Supposition(verb, given)
    if not Path(given).exists():
        return Supposition(verb, given)  # the name of a scanned one
    try:
        policy = policy_of(json.loads(Path(given).read_bytes()))
    except OSError as error:
        raise click.UsageError(f"The policy {given} cannot be read: {error.strerror or error}.") from None
    except (ValueError, RecursionError):
        raise click.UsageError(f"The policy {given} is not JSON.") from None
    if policy is None:
        raise click.UsageError(f"{given} is no Conditional Access policy: it has no conditions.")
    return Supposition(verb, given, policy)


async def _whatif(holdfast: Holdfast, invocation: Invocation, supposed: Sequence[Supposition]) -> int:
    from holdfast.cli.looking import coverage, pictures, say_below, with_tenant
    from holdfast.diagnosis.whatif import consequence
    from holdfast.scan.knowing import known

    seen = await pictures(holdfast, invocation)
    named = [await _named(holdfast, seen, each) for each in supposed]
    supposed, told = [each for each, _ in named], [words for _, words in named]
    several = seen.several
    rows: list[dict[str, Any]] = []
    for each in seen:
        async for _, about in known(holdfast.history, each, holdfast.tenants[each.name].recurrences):
            found = consequence(about, supposed, each.now)
            if found is not None:
                rows.append(with_tenant(row(found, each), each.name, several))
    rows.sort(key=lambda row: (row["certainty"], row["at"], row["name"]))
    if invocation.output == "table":
        say(f"Supposed: {', then '.join(told)}.")
        _print(rows, several)
    else:
        columns = of_tenants(EXPORT, several)
        meta = {"supposed": told, "scans": [coverage(each) for each in seen]}
        emit([_told(row) for row in rows], columns, invocation.output, shape="holdfast.whatif/1", meta=meta)
    say_below(seen, invocation.output)
    return seen.exit_code(rows)


async def _named(holdfast: Holdfast, seen: Sequence[Picture], each: Supposition) -> tuple[Supposition, str]:
    """The change with the id of what its target names, and how it is told to people.

    Raises:
        UsageError: nothing that was scanned is called so, or several things are.
    """
    from dataclasses import replace

    from holdfast.cli.naming import application_names, one, people_names
    from holdfast.diagnosis.whatif import VERBS

    tenants = [picture.tenant for picture in seen]
    id, told = each.target, each.target
    match VERBS[each.verb].operand.rstrip("?"):
        case "length":
            told = length(each.length)
        case "file" if each.policy is None:
            policy = await _policy_of(holdfast, tenants, each.target)
            each, told = replace(each, policy=policy), repr(policy.display_name)
        case "person" if each.target:
            id = told = one(
                each.target, await people_names(holdfast, tenants), "person", " behind a scanned connection"
            )
        case "application":
            app, _, key = each.target.partition("/")
            names = await application_names(holdfast, tenants)
            id = one(app, names, "application")
            told = names[id] or id
            if key:
                secrets = await _secret_names(holdfast, tenants, id)
                key = one(key, secrets, "secret", f" of {told}")
                id, told = f"{id}/{key}", f"{told}, {secrets[key] or key}"
        case "environment" if each.target:
            names = {id: there.display_name for picture in seen for id, there in picture.environments.items()}
            id = one(each.target, names, "environment")
            told = names[id]
    return replace(each, target=id), f"{each.verb} {told}".rstrip()


async def _secret_names(holdfast: Holdfast, tenants: Sequence[str], client_id: str) -> dict[str, str]:
    """What the secrets and certificates of an application are called, by key id."""
    from holdfast.core.identity import ServicePrincipal

    return {
        secret.key_id: secret.display_name
        for tenant in tenants
        async for app in holdfast.history.current(tenant, ServicePrincipal)
        for secret in app.secrets
        if app.client_id == client_id
    }


async def _policy_of(holdfast: Holdfast, tenants: Sequence[str], wanted: str) -> AccessPolicy:
    """The scanned policy of that name or id."""
    from holdfast.cli.naming import one
    from holdfast.core.policies import AccessPolicy

    policies = {
        policy.id: policy
        for tenant in tenants
        async for policy in holdfast.history.current(tenant, AccessPolicy)
    }
    names = {id: policy.display_name for id, policy in policies.items()}
    return policies[one(wanted, names, "policy", " among files and scanned ones")]


def row(found: Consequence, seen: Picture) -> dict[str, Any]:
    """One connection that dies; the keys that only people read are left out for programs by `_told`."""
    connection, first = found.known.connection, found.deaths[0]
    return {
        "connection": connection.id,
        "environment": connection.environment,
        "name": connection.display_name,
        "certainty": first.certainty.value,
        "cause": first.cause,
        "code": first.code or None,
        "end": first.end.value,
        "at": iso(first.at),
        "because": first.because,
        "deaths": [
            {
                "change": death.verb,
                "cause": death.cause,
                "code": death.code or None,
                "end": death.end.value,
                "certainty": death.certainty.value,
                "at": iso(death.at),
                "because": death.because,
            }
            for death in found.deaths
        ],
        "flows": [flow.id for flow in found.stops],
        "flows_complete": found.known.flows_complete,
        "runs_lost_per_week": found.runs_lost_per_week,
        "before": [
            {"id": r.id, "who": r.who.value, "does": r.does, "command": r.command} for r in found.before
        ],
        "_when": minute(first.at),
        "_environment": seen.name_of(connection.environment),
        "_stops": [flow.display_name for flow in found.stops],
    }


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if not key.startswith("_")}


def _print(rows: Sequence[dict[str, Any]], several: bool) -> None:
    from holdfast.cli.stacking import print_rows

    shown = []
    for each in rows:
        lost = f" ({each['runs_lost_per_week']:g} runs a week)" if each["runs_lost_per_week"] else ""
        stops = ", ".join(each["_stops"]) + lost if each["_stops"] else ""
        shown.append(
            each
            | {
                "certainty": SURENESS[each["certainty"]],
                "when": each["_when"],
                "environment_name": each["_environment"],
                "stops": stops,
            }
        )
    wide = of_tenants(WIDE, several)
    narrow = ((TENANT,), *NARROW) if several else NARROW
    print_rows(
        shown, wide, narrow, wide_enough=170, empty="No connection dies of that, as far as was scanned."
    )
    if not rows:
        return
    sure = sum(each["certainty"] == "certain" for each in rows)
    runs = sum(each["runs_lost_per_week"] or 0 for each in rows)
    stopped = sum(len(each["_stops"]) for each in rows)
    say(
        f"{sure} surely and {len(rows) - sure} possibly die, {stopped} {'flow stops' if stopped == 1 else 'flows stop'},"
        f" {runs:g} scheduled {'run' if runs == 1 else 'runs'} a week {'is' if runs == 1 else 'are'} lost."
    )
    steps = {step["does"]: step["command"] for each in rows for step in each["before"][:1]}
    for does, then in steps.items():
        say(f"Before: {does}" + (f" ({then})" if then else ""))
