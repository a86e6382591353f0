"""Random tenants and random changes: what holdfast says of them before, and what the sandbox then does."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bench.forecast_tenant import tenant_of
from holdfast.sandbox import embedded
from holdfast.sandbox.scenarios import named
from tests.e2e.tenants import NOON
from tests.e2e.test_agreement import Tenant

SIZE = 56
ROUNDS = 3
ENTRA = ("user", "service_principal", "certificate")


class Change(NamedTuple):
    """One change: how what-if is asked about it, and how it is made."""

    words: tuple[str, ...]
    make: Callable[[], Any]


class Board:
    """Draws changes that the tenant can have; nobody is met twice."""

    def __init__(self, tenant: Tenant, folder: Path, chance: random.Random) -> None:
        self.tenant, self.folder, self.chance = tenant, folder, chance
        truth = tenant.cloud.control("/truth")
        roles = set(tenant.cloud.ready["roles"].values())
        own = {app["client_id"] for app in tenant.cloud.ready["apps"] if app["name"] in roles}
        self._people = [f"user{number}@contoso.example" for number in range(SIZE)]
        self._apps = [
            app["client_id"]
            for app in truth["apps"]
            if app["client_id"] not in own and len(app["secrets"]) == 1
        ]
        self._environment = truth["connections"][0]["environment"]
        chance.shuffle(self._people)
        chance.shuffle(self._apps)
        self.waiting = self._people.pop()
        self.tenant.cloud.event("add_policy", self.waiting, kind="block", report_only=True)

    def draw(self) -> Change:
        return self.chance.choice((self._of_person, self._of_person, self._of_app, self._of_policy))()

    def _simple(self, verb: str, target: str, event: str | None = None) -> Change:
        happens = event or verb.replace("-", "_")
        return Change((verb, target), lambda: self.tenant.cloud.event(happens, target))

    def _of_person(self) -> Change:
        verbs = (
            "reset-password",
            "change-password",
            "revoke-sessions",
            "disable-account",
            "delete-account",
            "require-mfa",
        )
        return self._simple(self.chance.choice(verbs), self._people.pop())

    def _of_app(self) -> Change:
        verb, event = self.chance.choice(
            (
                ("delete-secret", "remove_secret"),
                ("expire-secret", "expire_secret"),
                ("disable-app", "disable_app"),
                ("delete-app", "delete_app"),
            )
        )
        return self._simple(verb, self._apps.pop(), event)

    def _of_policy(self) -> Change:
        """A policy in a file, switched on."""
        accounts = {a["upn"]: a["id"] for a in self._accounts()}
        person = self._people.pop()
        body = {
            "displayName": f"Block {person}",
            "state": "enabled",
            "conditions": {
                "users": {"includeUsers": [accounts[person]]},
                "applications": {"includeApplications": ["All"]},
                "clientAppTypes": ["all"],
            },
            "grantControls": {"operator": "OR", "builtInControls": ["block"]},
        }
        file = self.folder / f"{person}.json"
        file.write_text(json.dumps(body))
        return Change(("policy", str(file)), lambda: self.tenant.cloud.event("add_policy", "", policy=body))

    def _accounts(self) -> list[dict[str, str]]:
        from holdfast.sandbox.chance import guid

        seed = self.tenant.seed
        return [
            {"upn": f"user{n}@contoso.example", "id": guid(seed, "account", f"user{n}")} for n in range(SIZE)
        ]

    def enforced(self) -> Change:
        """The policy that only reports, by its name."""
        return Change(
            ("policy", f"block for {self.waiting}"),
            lambda: self.tenant.cloud.event("add_policy", self.waiting, kind="block"),
        )

    def blocked(self) -> Change:
        """A data policy against the connector."""
        return Change(
            ("block-connector", self._environment),
            lambda: self.tenant.cloud.event("dlp_block", self._environment),
        )


@pytest.fixture(params=range(4))
def tenant(request, tmp_path, monkeypatch, capsys) -> Iterator[Tenant]:
    seed = 100 + request.param
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setitem(named.SCENARIOS, "random", tenant_of(SIZE, 30, {}, random.Random(seed)))
    with ExitStack() as stack:
        ready = stack.enter_context(embedded("random", seed=seed, frozen=True, born_at=NOON))
        file = tmp_path / "ready.json"
        file.write_text(json.dumps(ready))
        made = Tenant(ready, file, capsys)
        made.seed = seed
        made.cloud.control("/faults", {"unkind": False})
        yield made


def entra(tenant: Tenant) -> dict[str, dict[str, Any]]:
    """Connections of the truth that sign in through Entra."""
    return {c["id"]: c for c in tenant.cloud.control("/truth")["connections"] if c["id"] in tenant.kinds}


def come_true(tenant: Tenant, changes: list[Change]) -> None:
    """Ask about the changes, make them, wait two days, compare."""
    tenant.scan()
    before = entra(tenant)
    words = [word for change in changes for word in change.words]
    said = {line["connection"]: line for line in tenant.say("whatif", *words, "advance", "2d")}

    for change in changes:
        change.make()
    tenant.cloud.advance(days=2)

    after = entra(tenant)
    died = {id for id, one in before.items() if one["usable"] and not after[id]["usable"]}
    surely = {id for id, line in said.items() if line["certainty"] == "certain" and id in before}
    assert surely <= died, (words, [said[id] for id in surely - died])
    assert died <= set(said), (words, [after[id] for id in died - set(said)])
    for id in died:
        foretold = {death["cause"] for death in said[id].get("deaths", [])} | {said[id]["cause"]}
        assert foretold & set(after[id]["causes"]), (said[id], after[id])


@pytest.mark.slow
def test_random_changes_end_what_they_were_said_to_end(tenant, tmp_path):
    tenant.scan()
    tenant.kinds = {line["connection"] for line in tenant.say("status") if line["sign_in"] in ENTRA}
    chance = random.Random(tenant.seed)
    board = Board(tenant, tmp_path, chance)

    for _ in range(ROUNDS):
        come_true(tenant, [board.draw() for _ in range(chance.randrange(1, 4))])
    come_true(tenant, [board.enforced()])
    come_true(tenant, [board.draw(), board.blocked()])


@pytest.mark.slow
def test_status_right_after_a_random_change_says_what_is_broken(tenant, tmp_path):
    tenant.scan()
    tenant.kinds = {line["connection"] for line in tenant.say("status") if line["sign_in"] in ENTRA}
    board = Board(tenant, tmp_path, random.Random(tenant.seed))

    for _ in range(ROUNDS):
        tenant.cloud.advance(hours=3)
        change = board.draw()
        change.make()
        tenant.scan()

        broken = {line["connection"]: line for line in tenant.say("status") if line["state"] == "broken"}
        truth = entra(tenant)
        unusable = {id for id, one in truth.items() if not one["usable"]}
        assert set(broken) & set(truth) == unusable, (change.words, set(broken) ^ unusable)
        for id in unusable:
            assert broken[id]["cause"] in truth[id]["causes"]


@pytest.mark.slow
def test_what_is_expected_in_a_random_tenant_comes_when_it_was_said(tenant):
    tenant.scan()
    lines = [line for line in tenant.say("forecast") if line["condition"] == "expected" and line["earliest"]]
    possible = tenant.say("whatif", "advance", "45d")

    tenant.cloud.advance(days=45)

    now = tenant.cloud.control("/clock")["now"]
    truth = {c["id"]: c for c in tenant.cloud.control("/truth")["connections"]}
    due = [line for line in lines if line["latest"] < now]
    assert due
    for line in due:
        one = truth[line["connection"]]
        assert line["cause"] in one["causes"], line
        assert line["earliest"] <= one["broke_at"] <= line["latest"]
    for line in possible:
        if line["certainty"] == "certain":
            assert not truth[line["connection"]]["usable"], line
