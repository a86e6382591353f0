"""`holdfast login` and `logout`, up to where Entra is asked."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from holdfast.cli.main import run
from holdfast.compose import secret_stores
from holdfast.core.secret import Secret
from holdfast.settings import load

TENANT = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path / "state"))
    run(["secret", "new-key", str(tmp_path / "key")])
    path = tmp_path / "holdfast.toml"
    path.write_text(
        f'[secrets]\nstore = "file"\nkey_file = "key"\n[tenants.contoso]\ntenant_id = "{TENANT}"\n'
        f'[tenants.contoso.reader]\nclient_id = "{TENANT}"\nsecret = "env:X"\n'
    )
    return path


def test_a_role_with_a_secret_of_its_own_is_not_a_person(config, capsys):
    assert run(["login", "--config", str(config)]) == 2

    assert "sign_in = true" in capsys.readouterr().err


def test_two_ways_at_once_are_one_too_many(config):
    assert run(["login", "--az", "--device-code", "--config", str(config)]) == 2


def test_logout_removes_the_tokens_of_every_role(config, capsys):
    store = secret_stores(load(config, {"HOLDFAST_STATE_DIR": str(config.parent / "state")}))["file"]
    for role in ("reader", "operator"):
        asyncio.run(store.write(f"sign-in/{TENANT}/{role}", Secret("tokens")))
    asyncio.run(store.write("contoso-reader", Secret("a client secret")))

    assert run(["logout", "--config", str(config)]) == 0

    assert "reader, operator" in capsys.readouterr().out
    assert asyncio.run(store.names()) == ("contoso-reader",)


def test_logout_of_nobody_says_so(config, capsys):
    assert run(["logout", "--config", str(config)]) == 0

    assert "Nobody" in capsys.readouterr().out


@pytest.fixture
def az(tmp_path, monkeypatch):
    """Install a pretended Azure CLI that says this; where it writes down what it was asked."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def install(stdout: str = "", stderr: str = "", code: int = 0) -> Path:
        asked = tmp_path / "asked"
        (folder / "az").write_text(
            f"#!{sys.executable}\nimport json, sys\nopen({str(asked)!r}, 'w').write(json.dumps(sys.argv[1:]))\n"
            f"sys.stdout.write({stdout!r}); sys.stderr.write({stderr!r}); sys.exit({code})\n"
        )
        (folder / "az").chmod(0o700)
        return asked

    return install


posix = pytest.mark.skipif(os.name != "posix", reason="the program is a script with a first line")


@posix
def test_a_sign_in_of_the_azure_cli_is_tried_for_the_tenant(az, config, capsys):
    asked = az(stdout=json.dumps({"accessToken": "cli-token", "expires_on": 9999999999}))

    code = run(["login", "--az", "--config", str(config)])

    said = capsys.readouterr()
    assert code == 0
    assert "[tenants.contoso.reader] with az = true" in said.out
    assert "cli-token" not in said.out + said.err
    assert TENANT in json.loads(asked.read_text())


@posix
def test_nobody_signed_in_to_the_azure_cli_is_told_what_signs_in(az, config, capsys):
    az(stderr="ERROR: Please run 'az login' to setup account.", code=1)

    code = run(["login", "--az", "--config", str(config)])

    assert code == 3
    assert f"az login --tenant {TENANT}" in capsys.readouterr().err


@posix
def test_a_policy_in_the_way_of_the_azure_cli_is_told(az, config, capsys):
    az(stderr="ERROR: AADSTS53003: Access has been blocked by Conditional Access policies.", code=1)

    code = run(["login", "--az", "--config", str(config)])

    assert code == 3
    assert "Conditional Access" in capsys.readouterr().err


def test_a_machine_without_the_azure_cli_is_told_of_other_ways(config, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))

    code = run(["login", "--az", "--config", str(config)])

    assert code == 2
    assert "not installed" in capsys.readouterr().err
