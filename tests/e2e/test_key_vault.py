"""A key vault that fails between the making of a secret and its keeping: the secret is revoked, and made anew later."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli.main import run
from holdfast.sandbox import embedded
from tests.e2e.tenants import app_of, settings_for

READS = "Key Vault Secrets User"
KEEPS = "Key Vault Secrets Officer"


class Tenant:
    """The commands on a running story whose secrets lie in its key vault."""

    def __init__(self, ready: dict[str, Any], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.ready, self.folder = ready, folder
        reader = f'client_id = "{app_of(ready)["client_id"]}"\nsecret = "env:READER_SECRET"'
        self.file = settings_for(ready, folder, reader=reader, vault="app_admin")
        self.plan = str(folder / "plan.json")
        self._capsys, self.printed = capsys, ""

    def __call__(self, *words: str) -> int:
        code = run([*words, "--config", str(self.file)])
        told = self._capsys.readouterr()
        self.said = told.err
        self.printed += told.out + told.err
        return code

    def control(self, path: str, body: Any = None) -> Any:
        told = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.ready["control"] + path, told)) as answer:
            return json.load(answer)

    def vault_lets(self, role: str) -> None:
        target = app_of(self.ready, "app_admin")["client_id"]
        self.control("/events", {"event": "set_vault_role", "target": target, "role": role})

    def ours(self) -> list[str]:
        """Key ids of the secrets that carry a label of ours."""
        return [
            secret["key_id"]
            for app in self.control("/truth")["apps"]
            for secret in app["secrets"]
            if secret["label"].startswith("holdfast/")
        ]

    def kept(self) -> list[str]:
        """Names in the store, as `holdfast secret list` tells them."""
        self._capsys.readouterr()
        assert run(["secret", "list", "-o", "jsonl", "--config", str(self.file)]) == 0
        listed = [json.loads(line) for line in self._capsys.readouterr().out.splitlines()]
        return [row["reference"] for row in listed if row["store"] == "keyvault"]


@pytest.fixture
def tenant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Tenant]:
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path / "state"))
    with embedded("story") as ready:
        for role in ("reader", "operator", "app_admin", "sql_admin"):
            monkeypatch.setenv(f"{role.upper()}_SECRET", app_of(ready, role)["secret"])
        monkeypatch.setenv("VAULT_SECRET", app_of(ready, "app_admin")["secret"])
        tenant = Tenant(ready, tmp_path, capsys)
        tenant.control("/faults", {"unkind": False})
        assert tenant("scan") == 0
        yield tenant


@pytest.mark.parametrize("verb", ["rotate", "migrate"])
def test_a_secret_that_cannot_be_kept_is_revoked_and_made_anew(tenant: Tenant, verb: str):
    assert tenant(verb, "plan", "--out", tenant.plan) == 0
    tenant.vault_lets(READS)

    assert tenant(verb, "apply", tenant.plan, "--yes", "--wait", "0s") == 5
    assert "Key Vault Secrets Officer" in tenant.said
    assert tenant.ours() == []
    assert tenant.kept() == []

    tenant.vault_lets(KEEPS)
    # A migration goes on to prove its secrets, which takes 8 s of real time.
    assert tenant(verb, "apply", tenant.plan, "--yes", "--wait", "0s") == 1
    made = tenant.ours()
    assert made
    assert sorted(name.rpartition("/")[2] for name in tenant.kept()) == sorted(made)


def test_nothing_is_made_while_the_vault_cannot_be_asked(tenant: Tenant):
    assert tenant("rotate", "plan", "--out", tenant.plan) == 0
    before = [one for one in tenant.control("/requests")["requests"] if one["path"].endswith("addPassword")]
    tenant.vault_lets("")

    assert tenant("rotate", "apply", tenant.plan, "--yes", "--wait", "0s") == 5
    assert tenant.ours() == []
    asked = [one for one in tenant.control("/requests")["requests"] if one["path"].endswith("addPassword")]
    assert asked == before == []


def test_texts_lie_in_the_vault_and_nowhere_else(tenant: Tenant):
    import asyncio

    from holdfast.compose import secret_stores
    from holdfast.settings import load

    assert tenant("rotate", "plan", "--out", tenant.plan) == 0
    assert tenant("rotate", "apply", tenant.plan, "--yes", "--wait", "0s") == 1

    store = secret_stores(load(tenant.file, {"HOLDFAST_STATE_DIR": str(tenant.folder)}))["keyvault"]
    [kept] = [
        text.reveal()
        for name in asyncio.run(store.names())
        if (text := asyncio.run(store.read(name))) is not None
    ]
    written = {path.name: path.read_bytes() for path in tenant.folder.rglob("*") if path.is_file()}
    assert {"holdfast.db", "plan.json"} <= set(written)
    assert [name for name, content in written.items() if kept.encode() in content] == []
    assert kept not in tenant.printed
