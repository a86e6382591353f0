"""`holdfast doctor`: what each identity may do, what is missing, and how this machine stands."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from holdfast.cli.options import Invocation, common_options
from holdfast.cli.render import TENANT, Column, emit, of_tenants

if TYPE_CHECKING:
    from holdfast.cli.checkup import Check
    from holdfast.compose import Tenant
    from holdfast.core.probe import Probe
    from holdfast.core.sql import SqlPlace

ROLE = Column("role", "As", wraps=False)
CHECK = Column("check", "Check", wraps=False)
OUTCOME = Column("outcome", "Outcome", wraps=False)
UNLOCKS = Column("unlocks", "Unlocks")
MISSING = Column("missing", "Missing")
DETAIL = Column("detail", "Detail")
COLUMNS = (ROLE, CHECK, OUTCOME, UNLOCKS, MISSING, DETAIL)
NARROW = ((OUTCOME, ROLE), (CHECK, UNLOCKS, MISSING, DETAIL))


@click.command()
@click.option(
    "--ask-sql",
    "databases",
    multiple=True,
    metavar="SERVER/DATABASE",
    help="Look into this database as sql_admin, too; a paused one wakes, which costs. Repeatable.",
)
@common_options
def command(databases: tuple[str, ...], invocation: Invocation) -> int:
    """Ask each call of the ledger as each identity, and look at this machine. Writes nothing.

    Tells what is allowed and which feature it unlocks, what is refused and which permission is missing, what was
    not asked. Exit code 1 for a refusal or another finding, 3 when the cloud gave no answer.
    """
    from holdfast.cli import checkup
    from holdfast.cli.looking import with_tenant
    from holdfast.cli.session import settings_of
    from holdfast.compose import tenants_of

    places = [_place(written) for written in databases]
    with settings_of(invocation) as settings:
        rows = [_machine_row(check) for check in checkup.machine(settings, os.environ)]
        tenants = list(tenants_of(settings).values())
        if invocation.tenant or settings.tenant or not tenants:
            tenants = [tenants_of(settings)[settings.chosen(invocation.tenant).name]]
        several = len(tenants) > 1
        if several and places:
            raise click.UsageError("A database belongs to one tenant: name it with --tenant.")
        for tenant in tenants:
            rows += [
                with_tenant(row, tenant.name, several) for row in asyncio.run(_tenant_rows(tenant, places))
            ]
    columns = of_tenants(COLUMNS, several)
    if invocation.output == "table":
        from holdfast.cli.stacking import print_rows

        print_rows(rows, columns, ((TENANT,), *NARROW) if several else NARROW, empty="Nothing to look at.")
        _say_what_is_missing(rows)
    else:
        emit(rows, columns, invocation.output, shape="holdfast.doctor/1")
    return verdict([row["outcome"] for row in rows])


def _place(written: str) -> SqlPlace:
    from holdfast.core.sql import SqlPlace

    server, _, database = written.partition("/")
    if not server or not database:
        raise click.UsageError(f"--ask-sql {written!r} is not SERVER/DATABASE.")
    return SqlPlace(server, database)


def verdict(outcomes: Sequence[str]) -> int:
    """The exit code: no answer from the cloud weighs more than a refusal."""
    if "no_answer" in outcomes:
        return 3
    return 1 if {"refused", "finding"} & set(outcomes) else 0


async def _tenant_rows(tenant: Tenant, places: Sequence[SqlPlace]) -> list[dict[str, Any]]:
    from holdfast.cli import checkup
    from holdfast.core.errors import SecretStoreError, SettingsError
    from holdfast.core.identity import Role

    rows = [_machine_row(checkup.trust(tenant.ca_file)), _machine_row(checkup.hosts(tenant.foreign_hosts()))]
    skew = None
    for role in Role:
        if not tenant.has(role):
            unset = f"[tenants.{tenant.name}.{role.value}] is not set"
            rows.append(_row(role.value, "identity", "not_asked", detail=unset))
            continue
        try:
            seen = await tenant.examined(role, places)
        except (SettingsError, SecretStoreError) as error:
            rows.append(_row(role.value, "identity", "finding", detail=str(error)))
            continue
        skew = seen.skew if skew is None else skew
        rows += [_probe_row(probe) for probe in seen.probes]
    return [*rows, _machine_row(checkup.clock(skew))]


def _row(role: str, check: str, outcome: str, **more: Any) -> dict[str, Any]:
    return {
        "role": role,
        "check": check,
        "outcome": outcome,
        "unlocks": "",
        "missing": None,
        "detail": "",
        **more,
    }


def _machine_row(check: Check) -> dict[str, Any]:
    return _row("", check.name, check.outcome, detail=check.what)


def _probe_row(probe: Probe) -> dict[str, Any]:
    return _row(
        probe.role.value,
        probe.call,
        probe.answered.value,
        unlocks=probe.unlocks,
        missing=probe.lacks,
        detail=probe.detail,
    )


def _say_what_is_missing(rows: Sequence[dict[str, Any]]) -> None:
    from holdfast.cli.render import clean

    for line in missing(rows):
        click.echo(clean(line))


def missing(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """A line per permission that an identity lacks, with all that it would unlock."""
    lacking: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row["missing"]:
            who = f"{row['tenant']}: {row['role']}" if "tenant" in row else row["role"]
            lacking.setdefault((who, row["missing"]), []).append(row["unlocks"])
    for (who, permission), unlocks in lacking.items():
        yield f"{who} lacks {permission}, which unlocks {'; '.join(dict.fromkeys(unlocks))}."
