"""Every ordered pair of events that touch a sign-in, and every other event alone, against what is true.

`python -m tests.chaos.matrix` prints how many verdicts were right and writes the table to build/causes-matrix.md.
A verdict is right if it names the first of the true causes, if every further true one whose evidence an allowed
call shows is found, and if nothing is called certain that is not true.
"""

from __future__ import annotations

import asyncio
import itertools
import pickle
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from holdfast.core.finding import End
from holdfast.core.judgement import Judgement
from holdfast.sandbox.certificates import Keys, make_keys
from holdfast.sandbox.entra.first_party import SQL_CONNECTOR_CLIENT
from holdfast.sandbox.scenarios.named import build
from tests.fakes.tenant import TenantInProcess

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DANA = "dana.kim@contoso.example"
NIGHTLY = "ERP orders (Dana Kim)"
EXPORT = "ERP export (erp-nightly)"
PLANT = "plant-sql production"

Do = Callable[[TenantInProcess], Any]
"""Lets something happen; LookupError and ValueError where it cannot."""


def _to_dana(event: str, **details: Any) -> Do:
    return lambda tenant: tenant.event(event, DANA, **details)


def _newest_policy_removed(tenant: TenantInProcess) -> Any:
    if not tenant.world.policies:
        raise LookupError("policy")
    return tenant.event("remove_policy", list(tenant.world.policies)[-1])


def connection_id(tenant: TenantInProcess, name: str) -> str:
    return next(one.id for one in tenant.world.connections.values() if one.display_name == name)


SIGN_IN_EVENTS: dict[str, Do] = {
    "change_password": _to_dana("change_password"),
    "reset_password": _to_dana("reset_password"),
    "expire_password": _to_dana("expire_password"),
    "revoke_sessions": _to_dana("revoke_sessions"),
    "disable_account": _to_dana("disable_account"),
    "enable_account": _to_dana("enable_account"),
    "delete_account": _to_dana("delete_account"),
    "hard_delete_account": _to_dana("hard_delete_account"),
    "require_mfa": _to_dana("require_mfa"),
    "remove_mfa": _to_dana("remove_mfa"),
    "change_mfa_method": _to_dana("change_mfa_method"),
    "add_policy": _to_dana("add_policy", kind="block"),
    "remove_policy": _newest_policy_removed,
    "require_terms": _to_dana("require_terms"),
    "revoke_consent": lambda tenant: tenant.event("revoke_consent", SQL_CONNECTOR_CLIENT),
    "reconsent": lambda tenant: tenant.event("reconsent", connection_id(tenant, NIGHTLY)),
}
"""What touches a person's sign-in, with the gesture that heals it."""

RULES = (
    "",
    "redeeming_does_not_renew_the_old_token",
    "token_lifetime_is_checked_before_the_account",
    "disabled_account_is_refused_not_revoked",
    "deleted_account_codes",
    "password_change_revokes_connections",
    "sign_in_frequency_hits_connections",
    "the_platform_refreshes_from_its_own_address",
    "connection_keeps_its_access_token",
)
"""The disputed rules, each flipped alone; "" is none of them."""


class Case(NamedTuple):
    """Two events, hours apart, under one setting of the rules."""

    first: str
    second: str
    flipped: str = ""


class Right(NamedTuple):
    """Whether the verdict on a connection is right, and why not."""

    named: str
    true: tuple[str, ...]
    wrong: str = ""


@cache
def founded(scenario: str = "story") -> tuple[bytes, Keys]:
    return pickle.dumps(build(scenario, 1, START)), make_keys(START)


def a_tenant(flipped: str = "", scenario: str = "story") -> TenantInProcess:
    """A tenant of its own, with a pilot policy that only reports."""
    tenant = TenantInProcess(*founded(scenario))
    if flipped:
        tenant.world.flips = [flipped]
    tenant.event("add_policy", "", kind="block", report_only=True)
    return tenant


def pairs(flips: Sequence[str] = RULES) -> Iterator[Case]:
    for flipped in flips:
        for first, second in itertools.permutations(SIGN_IN_EVENTS, 2):
            yield Case(first, second, flipped)


async def tried(case: Case) -> Right | None:
    """The verdict after the next run; None where the events cannot follow each other."""
    tenant = a_tenant(case.flipped)
    tenant.advance(hours=1)
    try:
        SIGN_IN_EVENTS[case.first](tenant)
        tenant.advance(hours=3)
        SIGN_IN_EVENTS[case.second](tenant)
    except (LookupError, ValueError):
        return None
    tenant.advance(hours=26)
    return await judged(tenant, NIGHTLY)


async def judged(tenant: TenantInProcess, name: str, access: Any = None) -> Right:
    wanted = connection_id(tenant, name)
    looked = await tenant.look(tenant.ready(Path("ca.pem")), access=access)
    true = next(one for one in tenant.truth()["connections"] if one["id"] == wanted)
    return compared(looked.judgements[wanted], tuple(true["causes"]))


def compared(judgement: Judgement, true: tuple[str, ...]) -> Right:
    named = judgement.verdict.cause.id if judgement.verdict else ""
    found = {each.cause for each in judgement.findings}
    certain = {each.cause for each in judgement.findings if each.is_certain and each.end is not End.PASSING}
    if named != (true[0] if true else ""):
        return Right(named, true, "names another cause")
    if missing := [cause for cause in true if cause not in found]:
        return Right(named, true, f"does not list {', '.join(missing)}")
    if extra := sorted(certain - set(true)):
        return Right(named, true, f"is sure of {', '.join(extra)}")
    return Right(named, true)


class Alone(NamedTuple):
    """An event that touches no person's sign-in.

    Attributes:
        connection: on which it is looked for.
        hours: after which it has been used.
        owner: who looks, by the beginning of the name; the reader application where empty.
    """

    event: str
    do: Do
    connection: str
    hours: float = 26
    owner: str = ""


def _app(event: str) -> Do:
    def do(tenant: TenantInProcess) -> Any:
        client = next(
            a.client_id for a in tenant.world.applications.values() if a.display_name == "erp-nightly"
        )
        return tenant.event(event, client)

    return do


def _to(event: str, target: str, **details: Any) -> Do:
    return lambda tenant: tenant.event(event, target, **details)


def _flow(event: str, name: str = "Nightly order import", **details: Any) -> Do:
    def do(tenant: TenantInProcess) -> Any:
        flow = next(one.id for one in tenant.world.flows.values() if one.display_name == name)
        return tenant.event(event, flow, **details)

    return do


def _finance(event: str) -> Do:
    def do(tenant: TenantInProcess) -> Any:
        place = next(e.id for e in tenant.world.environments.values() if e.display_name == "Finance")
        return tenant.event(event, place)

    return do


def _dlp_allowed(tenant: TenantInProcess) -> Any:
    _finance("dlp_block")(tenant)
    tenant.advance(hours=2)
    return _finance("dlp_allow")(tenant)


def _plant(event: str) -> Do:
    return lambda tenant: tenant.event(event, connection_id(tenant, PLANT))


def _shared(tenant: TenantInProcess) -> Any:
    operator = next(
        a.principal_id for a in tenant.world.applications.values() if a.display_name == "holdfast-operator"
    )
    return tenant.event("share_connection", connection_id(tenant, NIGHTLY), **{"with": operator})


ALONE = (
    Alone("expire_secret", _app("expire_secret"), EXPORT),
    Alone("remove_secret", _app("remove_secret"), EXPORT),
    Alone("disable_app", _app("disable_app"), EXPORT),
    Alone("delete_app", _app("delete_app"), EXPORT),
    Alone("set_app_policy", _app("set_app_policy"), EXPORT),
    Alone("remove_licence", _to("remove_licence", DANA), NIGHTLY),
    Alone("share_connection", _shared, NIGHTLY),
    Alone("edit_flow", _flow("edit_flow"), NIGHTLY),
    Alone("deploy_solution", _flow("deploy_solution"), NIGHTLY),
    Alone("turn_off_flow", _flow("turn_off_flow"), NIGHTLY),
    Alone("turn_on_flow", _flow("turn_on_flow"), NIGHTLY),
    Alone("dlp_block", _finance("dlp_block"), NIGHTLY),
    Alone("dlp_allow", _dlp_allowed, NIGHTLY),
    Alone("sql_firewall_deny", _to("sql_firewall_deny", "erp"), NIGHTLY, owner="dana"),
    Alone("sql_drop_user", _to("sql_drop_user", DANA), NIGHTLY, owner="dana"),
    Alone("sql_revoke", _to("sql_revoke", DANA), NIGHTLY, owner="dana"),
    Alone("sql_pause", _to("sql_pause", "erp"), NIGHTLY, owner="dana"),
    Alone("sql_offline", _to("sql_offline", "erp"), NIGHTLY, owner="dana"),
    Alone("gateway_offline", _plant("gateway_offline"), PLANT, owner="lee"),
    Alone("gateway_online", _plant("gateway_online"), PLANT, owner="lee"),
)


def as_person(tenant: TenantInProcess, ready: dict[str, Any], name: str) -> Any:
    """The way in of an account that sees its own connections."""
    import msal

    from holdfast.adapters.cloud.credentials import Person
    from holdfast.adapters.cloud.door import EntraDoor
    from holdfast.adapters.cloud.hosts import host_table
    from holdfast.adapters.system import SystemClock
    from holdfast.core.identity import Cloud
    from holdfast.core.secret import Secret
    from tests.fakes.tenant import KINDS, Wire

    account = next(one for one in ready["accounts"] if one["username"].startswith(name))
    hosts = host_table(Cloud.PUBLIC, {kind: ready[kind] for kind in KINDS}, allow_custom_hosts=True)
    cache = msal.SerializableTokenCache()
    client = msal.PublicClientApplication(
        account["client_id"],
        authority=f"{ready['authority']}/{ready['tenant_id']}",
        instance_discovery=False,
        http_client=EntraDoor(hosts, SystemClock(), None, Wire(tenant.app)),
        token_cache=cache,
    )
    client.acquire_token_by_refresh_token(
        account["refresh_token"], ["https://service.flow.microsoft.com/.default"]
    )
    kept = Secret(cache.serialize())
    credential = Person(account["client_id"], lambda: kept, lambda _: None)
    return tenant.way_in(ready, credential, own_only=True)


async def tried_alone(one: Alone) -> Right:
    tenant = a_tenant()
    tenant.advance(hours=1)
    one.do(tenant)
    tenant.advance(hours=one.hours)
    access = as_person(tenant, tenant.ready(Path("ca.pem")), one.owner) if one.owner else None
    return await judged(tenant, one.connection, access)


async def tried_certificate() -> Right:
    """In a tenant that has a connection with a certificate."""
    tenant = a_tenant(scenario="contoso")
    held = [
        c for c in tenant.world.connections.values() if c.parameter_set == "certOauth" and c.last_token_at
    ]
    good = {one["id"] for one in tenant.truth()["connections"] if one["usable"]}
    connection = next(c for c in held if c.id in good)
    tenant.event("expire_certificate", str(connection.parameters["token:clientId"]))
    tenant.advance(hours=26)
    return await judged(tenant, connection.display_name)


async def every_pair(flipped: str) -> dict[Case, Right | None]:
    return {case: await tried(case) for case in pairs((flipped,))}


async def every_other() -> dict[str, Right]:
    alone = {one.event: await tried_alone(one) for one in ALONE}
    return {**alone, "expire_certificate": await tried_certificate()}


def _every_pair(flipped: str) -> dict[Case, Right | None]:
    return asyncio.run(every_pair(flipped))


def table(found: dict[Case, Right | None], alone: dict[str, Right]) -> Iterator[str]:
    yield "| disputed rule that is flipped | pairs | right | cannot happen |"
    yield "|---|--:|--:|--:|"
    by_rule: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for case, right in found.items():
        by_rule[case.flipped]["never" if right is None else "wrong" if right.wrong else "right"] += 1
    for rule, count in by_rule.items():
        tried_ = count["right"] + count["wrong"]
        yield f"| {rule or '(none)'} | {tried_} | {count['right']} | {count['never']} |"
    whole = [right for right in found.values() if right is not None]
    yield f"| all | {len(whole)} | {sum(not one.wrong for one in whole)} | {len(found) - len(whole)} |"
    yield ""
    yield f"Other events alone: {sum(not one.wrong for one in alone.values())} of {len(alone)} right."
    yield ""
    yield from _wrong(found.items())
    yield from (f"- {event}: {_said(right)}" for event, right in alone.items() if right.wrong)


def _wrong(found: Iterable[tuple[Case, Right | None]]) -> Iterator[str]:
    for case, right in found:
        if right is not None and right.wrong:
            flipped = f" [{case.flipped}]" if case.flipped else ""
            yield f"- {case.first}, {case.second}{flipped}: {_said(right)}"


def _said(right: Right) -> str:
    return f"{right.wrong}; named {right.named or 'nothing'}, true {', '.join(right.true) or 'nothing'}"


def main() -> int:
    with ProcessPoolExecutor() as pool:
        found = {case: right for part in pool.map(_every_pair, RULES) for case, right in part.items()}
    alone = asyncio.run(every_other())
    lines = list(table(found, alone))
    print("\n".join(lines))
    Path("build").mkdir(exist_ok=True)
    Path("build/causes-matrix.md").write_text("\n".join(lines) + "\n")
    wrong = any(right is not None and right.wrong for right in (*found.values(), *alone.values()))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
