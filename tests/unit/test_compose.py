"""What composing makes of the settings."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.adapters.cloud.credentials import AzureCli, Credential, MachineIdentity, Person
from holdfast.compose import references, secret_stores, store_place, tenants_of
from holdfast.compose.credentials import credential, sign_in_name
from holdfast.core.errors import SettingsError
from holdfast.core.inventory import SignIn
from holdfast.core.secret import Secret, SecretReference
from holdfast.settings import Settings, load
from tests.unit.adapters.cloud.test_tokens import key_pair

ID = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def settings(tmp_path: Path):
    """Settings with a reader of this credential; secrets lie in an encrypted file."""
    from holdfast.adapters.secrets.encrypted import new_key_file

    new_key_file(tmp_path / "key")

    def made(reader: str) -> Settings:
        file = tmp_path / "holdfast.toml"
        file.write_text(
            f'[secrets]\nstore = "file"\nkey_file = "key"\n[tenants.c]\ntenant_id = "{ID}"\n[tenants.c.reader]\n{reader}\n'
        )
        return load(file, {"HOLDFAST_STATE_DIR": str(tmp_path / "state")})

    return made


CREDENTIALS = {
    "secret": (f'client_id = "{ID}"\nsecret = "env:X"', Credential),
    "certificate": (f'client_id = "{ID}"\ncertificate = "c.pem"', Credential),
    "federated": (f'client_id = "{ID}"\nfederated_token_file = "token"', Credential),
    "managed identity": ("managed_identity = true", MachineIdentity),
    "Azure CLI": ("az = true", AzureCli),
    "person": (f'client_id = "{ID}"\nsign_in = true', Person),
}


@pytest.mark.parametrize(("reader", "kind"), CREDENTIALS.values(), ids=CREDENTIALS.keys())
def test_every_credential_of_the_settings_has_its_way_to_a_token(settings, reader, kind):
    from holdfast.core.identity import Role

    made = settings(reader)
    tenant = made.chosen()
    identity = tenant.identity(Role.READER)
    assert identity is not None

    assert isinstance(credential(tenant, Role.READER, identity, made, references(made, {})), kind)


async def test_a_mounted_token_is_read_when_it_is_needed(settings, tmp_path):
    from holdfast.core.identity import Role

    made = settings(CREDENTIALS["federated"][0])
    tenant = made.chosen()
    assert tenant.reader is not None
    proof = credential(tenant, Role.READER, tenant.reader, made, references(made, {}))
    assert isinstance(proof, Credential)
    assert proof.assertion is not None

    (tmp_path / "token").write_text("first\n")
    first = proof.assertion().reveal()
    (tmp_path / "token").write_text("second\n")

    assert (first, proof.assertion().reveal()) == ("first", "second")


async def test_a_certificate_of_our_own_tells_its_end(settings, tmp_path):
    (tmp_path / "c.pem").write_text(key_pair())

    (own,) = await tenants_of(settings(CREDENTIALS["certificate"][0]))["c"].own_identities()

    assert own.sign_in is SignIn.CERTIFICATE
    assert own.certificate is not None
    assert own.certificate.expires_at is not None
    assert own.certificate.expires_at > datetime.now(UTC)


async def test_a_certificate_file_that_is_missing_is_said(settings):
    (own,) = await tenants_of(settings(CREDENTIALS["certificate"][0]))["c"].own_identities()

    assert "c.pem cannot be read" in own.trouble


async def test_a_person_who_signed_in_tells_when(settings):
    made = settings(CREDENTIALS["person"][0])
    from holdfast.core.identity import Role

    stamp = int((datetime.now(UTC) - timedelta(days=3)).timestamp())
    tokens = f'{{"RefreshToken": {{"a": {{"secret": "r", "last_modification_time": "{stamp}"}}}}}}'
    await secret_stores(made)["file"].write(sign_in_name(made.chosen(), Role.READER), Secret(tokens))

    (own,) = await tenants_of(made)["c"].own_identities()

    assert own.signed_in_at == datetime.fromtimestamp(stamp, UTC)
    assert own.trouble == ""


async def test_a_person_who_did_not_sign_in_is_told_to(settings):
    (own,) = await tenants_of(settings(CREDENTIALS["person"][0]))["c"].own_identities()

    assert "holdfast login" in own.trouble


@pytest.mark.parametrize("name", ["managed identity", "Azure CLI", "federated"])
async def test_what_does_not_end_by_itself_is_not_watched(settings, name):
    assert await tenants_of(settings(CREDENTIALS[name][0]))["c"].own_identities() == []


async def test_the_place_of_the_store_is_found_where_a_loop_runs_already(settings):
    made = settings("managed_identity = true")
    await secret_stores(made)["file"].write("store", Secret("postgresql://holdfast@db/history"))
    named = made.model_copy(update={"store_url": SecretReference("file", "store")})

    assert store_place(named) == "postgresql://holdfast@db/history"


async def test_who_opens_the_key_vault_is_one_of_our_own_identities(tmp_path):
    (tmp_path / "c.pem").write_text(key_pair())
    vault = '[secrets.vault]\nurl = "https://c.vault.azure.net"\n[secrets.vault.identity]\n'
    file = tmp_path / "holdfast.toml"
    file.write_text(f'[tenants.c]\ntenant_id = "{ID}"\n{vault}{CREDENTIALS["certificate"][0]}\n')
    tenant = tenants_of(load(file, {"HOLDFAST_STATE_DIR": str(tmp_path)}))["c"]

    (own,) = await tenant.own_identities()

    assert (own.roles, own.sign_in) == (("vault",), SignIn.CERTIFICATE)
    assert tenant.own_client_ids() == {ID: "vault"}


def test_a_key_vault_without_its_extra_says_what_to_install(tmp_path, monkeypatch):
    import sys

    for name in [name for name in sys.modules if name.partition(".")[0] == "azure"]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("holdfast.adapters.cloud.vault", "holdfast.adapters.secrets.key_vault"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "azure", None)
    file = tmp_path / "holdfast.toml"
    file.write_text(
        f'[tenants.c]\ntenant_id = "{ID}"\n[secrets.vault]\nurl = "https://c.vault.azure.net"\n'
        "[secrets.vault.identity]\naz = true\n"
    )

    with pytest.raises(SettingsError, match=r"holdfast\[azure\]"):
        secret_stores(load(file, {"HOLDFAST_STATE_DIR": str(tmp_path)}))
