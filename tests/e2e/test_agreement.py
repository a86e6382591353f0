"""What holdfast foretells and what then happens on the sandbox: neither knows the other's rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli.main import run
from holdfast.sandbox import embedded
from tests.e2e.tenants import NOON
from tests.sandbox.conftest import Sandbox

UPN = "dana.kim@contoso.example"


class Tenant:
    """A running sandbox, asked through its front door by holdfast and through the control port by the test."""

    def __init__(self, ready: dict[str, Any], file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.cloud = Sandbox(ready)
        self.file = file
        self._capsys = capsys
        self.seed = 0
        self.kinds: set[str] = set()

    def say(self, *words: str) -> list[dict[str, Any]]:
        """Run a command; its lines."""
        code = run([words[0], f"--sandbox={self.file}", *words[1:], "-o", "jsonl"])
        out, err = self._capsys.readouterr()
        assert code in (0, 1), err
        return [line for line in map(json.loads, out.splitlines()) if line.get("connector") != "holdfast"]

    def scan(self) -> None:
        self.say("scan")

    def usable(self) -> dict[str, bool]:
        return {c["id"]: c["usable"] for c in self.cloud.control("/truth")["connections"]}

    def causes(self) -> dict[str, list[str]]:
        return {c["id"]: c["causes"] for c in self.cloud.control("/truth")["connections"]}


@pytest.fixture
def tenant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Tenant]:
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path / "state"))
    with ExitStack() as stack:
        ready = stack.enter_context(embedded("story", seed=5, frozen=True, born_at=NOON))
        file = tmp_path / "ready.json"
        file.write_text(json.dumps(ready))
        made = Tenant(ready, file, capsys)
        made.cloud.control("/faults", {"unkind": False})
        yield made


def targets(tenant: Tenant) -> dict[str, str]:
    """By words: an account's UPN, and the application behind the service principal connection."""
    return {
        "person": UPN,
        "application": next(a["client_id"] for a in tenant.cloud.ready["apps"] if a["name"] == "erp-nightly"),
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("verb", "event", "of"),
    [
        ("reset-password", "reset_password", "person"),
        ("change-password", "change_password", "person"),
        ("revoke-sessions", "revoke_sessions", "person"),
        ("disable-account", "disable_account", "person"),
        ("delete-account", "delete_account", "person"),
        ("require-mfa", "require_mfa", "person"),
        ("delete-secret", "remove_secret", "application"),
        ("expire-secret", "expire_secret", "application"),
        ("disable-app", "disable_app", "application"),
        ("delete-app", "delete_app", "application"),
    ],
)
def test_what_a_change_is_said_to_end_it_ends(tenant, verb, event, of):
    tenant.scan()
    before = tenant.usable()
    target = targets(tenant)[of]
    said = {line["connection"]: line for line in tenant.say("whatif", verb, target)}

    tenant.cloud.event(event, target)
    tenant.cloud.advance(days=2)

    after = tenant.usable()
    died = {id for id in before if before[id] and not after[id]}
    surely = {id for id, line in said.items() if line["certainty"] == "certain"}
    assert surely <= died
    assert died <= set(said)
    for id in died:
        assert said[id]["cause"] in tenant.causes()[id]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("event", "of"),
    [
        ("reset_password", "person"),
        ("revoke_sessions", "person"),
        ("disable_account", "person"),
        ("delete_account", "person"),
        ("expire_secret", "application"),
    ],
)
def test_a_change_is_noticed_before_any_run_fails(tenant, event, of):
    tenant.scan()
    tenant.cloud.advance(hours=2)
    tenant.cloud.event(event, targets(tenant)[of])

    tenant.scan()

    usable, causes = tenant.usable(), tenant.causes()
    broken = {line["connection"]: line for line in tenant.say("status") if line["state"] == "broken"}
    assert set(broken) == {id for id, works in usable.items() if not works}
    for id, line in broken.items():
        assert line["cause"] in causes[id]


@pytest.mark.slow
def test_what_is_expected_breaks_when_it_was_said(tenant):
    tenant.scan()
    foretold = [
        line for line in tenant.say("forecast") if line["condition"] == "expected" and line["earliest"]
    ]

    tenant.cloud.advance(days=60)

    broke = {c["id"]: c for c in tenant.cloud.control("/truth")["connections"] if not c["usable"]}
    due = [line for line in foretold if line["latest"] < tenant.cloud.control("/clock")["now"]]
    assert len(due) >= 2
    for line in due:
        assert broke[line["connection"]]["cause"] == line["cause"]
        assert line["earliest"] <= broke[line["connection"]]["broke_at"] <= line["latest"]


@pytest.mark.slow
def test_after_each_month_status_tells_the_truth(tenant):
    for _ in range(5):
        tenant.cloud.advance(days=30)
        tenant.scan()

        usable, causes = tenant.usable(), tenant.causes()
        for line in tenant.say("status"):
            if line["sign_in"] in ("user", "service_principal"):
                assert (line["state"] != "broken") is usable[line["connection"]], line
                if line["state"] == "broken":
                    assert line["cause"] in causes[line["connection"]]
