"""`holdfast login` and `logout`, up to where Entra is asked."""

import asyncio

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
