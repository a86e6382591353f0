"""`holdfast init` writes a file that holdfast can read."""

import pytest

from holdfast.cli.main import run
from holdfast.settings import load
from holdfast.settings.shape import CREDENTIALS

TENANT = "11111111-1111-1111-1111-111111111111"
OTHER = "22222222-2222-2222-2222-222222222222"
CLIENT = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"


@pytest.fixture
def file(tmp_path):
    return tmp_path / "config" / "holdfast.toml"


def init(file, *arguments: str) -> int:
    return run(["init", "--config", str(file), *arguments])


def test_the_new_file_is_read_as_it_was_asked_for(file):
    assert (
        init(file, "--name", "fabrikam", "--tenant-id", TENANT, "--client-id", CLIENT, "--cloud", "gcc") == 0
    )

    tenant = load(file, {}).chosen()
    assert (tenant.name, tenant.tenant_id, tenant.cloud.value) == ("fabrikam", TENANT, "gcc")
    assert tenant.reader is not None
    assert (tenant.reader.client_id, str(tenant.reader.secret)) == (CLIENT, "keyring:fabrikam-reader")


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_another_credential_is_the_only_one_given(file, credential):
    init(file, "--tenant-id", TENANT, "--client-id", CLIENT, "--credential", credential)

    reader = load(file, {}).chosen().reader
    assert reader is not None
    assert reader.credential == credential


def test_a_second_tenant_is_added_to_the_file(file):
    init(file, "--tenant-id", TENANT)
    before = file.read_text()

    assert init(file, "--name", "fabrikam", "--tenant-id", OTHER) == 0

    assert file.read_text().startswith(before)
    assert sorted(load(file, {}).tenants) == ["contoso", "fabrikam"]


def test_a_tenant_is_never_overwritten(file, capsys):
    init(file, "--tenant-id", TENANT)
    before = file.read_text()

    assert init(file, "--tenant-id", OTHER) == 2

    assert "--name" in capsys.readouterr().err
    assert file.read_text() == before


def test_a_wrong_id_leaves_no_file(file, capsys):
    assert init(file, "--tenant-id", "contoso.onmicrosoft.com") == 2

    assert "must be an id" in capsys.readouterr().err
    assert not file.exists()


def test_printing_the_setup_writes_nothing(file, capsys):
    assert init(file, "--print-setup", "--role", "reader", "--tenant-id", TENANT) == 0

    printed = capsys.readouterr().out
    assert f"az login --tenant {TENANT}" in printed
    assert "Application.Read.All" in printed
    assert not file.exists()


def test_a_managed_identity_without_a_client_id_is_the_machines_own(file, capsys):
    init(file, "--tenant-id", TENANT, "--credential", "managed_identity")

    reader = load(file, {}).chosen().reader
    assert reader is not None
    assert reader.client_id is None
    assert "Put your ids" not in capsys.readouterr().out


def test_the_setup_is_printed_before_the_file_of_the_variable_is_there(file, monkeypatch, capsys):
    monkeypatch.setenv("HOLDFAST_CONFIG", str(file))

    assert run(["init", "--print-setup", "--name", "fabrikam"]) == 0

    assert "fabrikam (TENANT_ID, public)" in capsys.readouterr().out


def test_the_setup_is_for_the_tenant_of_the_settings(file, capsys):
    init(file, "--name", "fabrikam", "--tenant-id", TENANT)

    init(file, "--print-setup")

    assert f"fabrikam ({TENANT}, public)" in capsys.readouterr().out


def test_a_key_vault_is_written_with_its_identity(tmp_path):
    file = tmp_path / "holdfast.toml"
    url = "https://contoso.vault.azure.net"

    assert run(["init", "--config", str(file), "--store", "keyvault", "--vault-url", url]) == 0

    vault = load(file, {}).secrets.vault
    assert vault is not None
    assert (vault.url, vault.identity.credential) == (url, "managed_identity")


def test_a_key_vault_without_its_address_is_refused(tmp_path, capsys):
    file = tmp_path / "holdfast.toml"

    assert run(["init", "--config", str(file), "--store", "keyvault"]) == 2
    assert not file.exists()


def test_the_set_up_of_a_key_vault_asks_for_one_azure_role(capsys):
    run(["init", "--print-setup", "--role", "vault", "--vault-url", "https://contoso.vault.azure.net"])

    said = capsys.readouterr().out
    assert 'az role assignment create --role "Key Vault Secrets Officer"' in said
    assert "az keyvault create --name contoso " in said
    assert "az ad app permission" not in said


def test_an_id_that_was_never_put_in_is_told_by_its_place(file, monkeypatch, capsys):
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(file.parent / "state"))
    monkeypatch.setenv("SECRET", "text")
    init(file, "--client-id", CLIENT)
    file.write_text(file.read_text().replace('"keyring:contoso-reader"', '"env:SECRET"'))

    assert run(["scan", "--config", str(file)]) == 2

    said = capsys.readouterr().err
    assert "tenants.contoso.tenant_id" in said
    assert f"{file}:" in said


def test_a_store_that_the_file_does_not_have_is_said_to_be_none(file, capsys):
    init(file, "--tenant-id", TENANT)

    init(file, "--name", "fabrikam", "--tenant-id", OTHER, "--store", "file")

    assert 'store = "keyring"' in capsys.readouterr().out
