"""Licences: an account that loses the premium one keeps its flows for a while, then they are turned off."""

from __future__ import annotations

from datetime import datetime, timedelta

from holdfast.sandbox.ageing import Due
from holdfast.sandbox.entra.audits import changed, note_account
from holdfast.sandbox.frame import Deed, Part
from holdfast.sandbox.powerplatform.activation import turn_off
from holdfast.sandbox.records.directory import Account
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.world import World

UNLICENSED_FOR = timedelta(days=14)
LICENCE = Rule(
    "unlicensed_premium_flows_stop_after_14_days",
    "Flows with premium connectors, SQL among them, are turned off 14 days after their owner lost the licence.",
    Mark.DOCUMENTED,
    "power-automate-docs limits-and-config (2022-10)",
)
PREMIUM = ("POWERAUTOMATE_PREMIUM",)


def remove_licence(deed: Deed) -> None:
    """An account loses a ``licence``, all of them unless one is named."""
    account = deed.world.find_account(deed.target)
    named = deed.details.get("licence")
    before = list(account.licences)
    account.licences = [one for one in before if named is not None and one != named]
    if account.licences == before:
        raise LookupError(f"licence of {deed.target!r}")
    lost = changed("AssignedLicense", before, account.licences)
    note_account(deed.world, deed.now, "Change user license", account, changes=[lost])
    if not may_run_premium(account):
        deed.world.unlicensed.setdefault(account.object_id, deed.now)


def may_run_premium(account: Account) -> bool:
    """Whether flows with premium connectors may run in this account's name."""
    return any(one in PREMIUM for one in account.licences)


def next_unlicensed(world: World) -> Due | None:
    """When the next account's flows will have run without a licence for too long."""
    waiting = ((at + UNLICENSED_FOR, account_id) for account_id, at in world.unlicensed.items())
    due = min(waiting, default=None)
    return None if due is None else Due(due[0], f"licence {due[1]}", _stop_unlicensed)


def _stop_unlicensed(world: World, at: datetime) -> None:
    for account_id, lost_at in list(world.unlicensed.items()):
        if lost_at + UNLICENSED_FOR > at:
            continue
        del world.unlicensed[account_id]
        if may_run_premium(world.accounts[account_id]):
            continue
        for flow in world.flows.values():
            if flow.owner_id == account_id and flow.connections:
                turn_off(world, flow, at)


PART = Part(
    "licences", rules=(LICENCE,), events={"remove_licence": remove_licence}, agenda=(next_unlicensed,)
)
