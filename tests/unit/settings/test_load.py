"""Settings: one file, then the environment; what a wrong one is told."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from holdfast.core.errors import SettingsError
from holdfast.core.identity import Cloud, Role
from holdfast.core.secret import SecretReference
from holdfast.settings import load

TENANT = "11111111-1111-1111-1111-111111111111"
OTHER = "22222222-2222-2222-2222-222222222222"
CLIENT = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
CLIENT_B = "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb"

CONTOSO = f"""\
[tenants.contoso]
tenant_id = "{TENANT}"

[tenants.contoso.reader]
client_id = "{CLIENT}"
secret = "keyring:contoso-reader"
"""


@pytest.fixture
def written(tmp_path):
    """Write a settings file and give its path."""

    def write(text: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / "holdfast.toml"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def refusal(config, environ=None) -> str:
    with pytest.raises(SettingsError) as caught:
        load(config, environ or {"HOLDFAST_STATE_DIR": "state"})
    return str(caught.value)


def test_a_tenant_with_a_reader_is_read(written):
    tenant = load(written(CONTOSO), {}).chosen()

    assert (tenant.name, tenant.tenant_id, tenant.cloud) == ("contoso", TENANT, Cloud.PUBLIC)
    reader = tenant.identity(Role.READER)
    assert reader is not None
    assert reader.credential == "secret"
    assert reader.secret == SecretReference("keyring", "contoso-reader")
    assert tenant.identity(Role.OPERATOR) is None


def test_the_environment_overrides_the_file(written):
    environ = {
        "HOLDFAST_STATE_DIR": "/srv/holdfast",
        "HOLDFAST_TENANTS__CONTOSO__CLOUD": "gcc_high",
        "HOLDFAST_TENANTS__CONTOSO__HOSTS__DATAVERSE": "https://a.example, https://*.b.example",
    }

    settings = load(written('state_dir = "state"\n' + CONTOSO), environ)

    assert settings.state_dir == Path("/srv/holdfast")
    assert settings.chosen().cloud is Cloud.GCC_HIGH
    assert settings.chosen().hosts.dataverse == ("https://a.example", "https://*.b.example")


def test_the_file_named_by_the_flag_wins_over_the_variable(written, tmp_path):
    settings = load(written(CONTOSO), {"HOLDFAST_CONFIG": str(tmp_path / "absent.toml")})

    assert settings.source == tmp_path / "holdfast.toml"


def test_a_path_in_the_file_is_relative_to_the_file(written, tmp_path):
    settings = load(written('state_dir = "state"\n'), {})

    assert settings.state_dir == tmp_path / "state"


def test_a_literal_secret_comes_from_the_environment_only(written):
    environ = {"HOLDFAST_TENANTS__CONTOSO__READER__SECRET": "s3cr3t~text"}

    reader = load(written(CONTOSO), environ).chosen().reader

    assert reader is not None
    assert isinstance(reader.secret, SecretStr)
    assert "s3cr3t" not in repr(reader)


def test_a_literal_secret_in_the_file_is_refused_without_showing_it(written):
    said = refusal(written(CONTOSO.replace("keyring:contoso-reader", "s3cr3t~text")))

    assert "holdfast.toml:6" in said
    assert "keyring:NAME" in said
    assert "s3cr3t" not in said


def test_variables_find_a_tenant_whose_name_has_a_dash(written):
    settings = load(
        written(CONTOSO.replace("contoso", "contoso-eu")), {"HOLDFAST_TENANTS__CONTOSO_EU__CLOUD": "gcc"}
    )

    assert settings.tenants["contoso-eu"].cloud is Cloud.GCC


def test_an_absent_default_file_leaves_no_tenant(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_config_path", lambda *_, **__: tmp_path)

    settings = load(None, {"HOLDFAST_STATE_DIR": "state"})

    with pytest.raises(SettingsError, match="holdfast init"):
        settings.chosen()


AZURE = {"AZURE_TENANT_ID": TENANT, "AZURE_CLIENT_ID": CLIENT_B, "AZURE_CLIENT_SECRET": "s3cr3t~text"}
BARE = f'[tenants.contoso]\ntenant_id = "{TENANT}"\n'


def test_the_azure_variables_fill_an_absent_reader_only(written):
    tenant = load(written(BARE), AZURE).chosen()

    assert tenant.reader is not None
    assert tenant.reader.client_id == CLIENT_B
    assert tenant.operator is None


def test_the_azure_variables_do_not_replace_a_reader(written):
    reader = load(written(CONTOSO), AZURE).chosen().reader

    assert reader is not None
    assert reader.client_id == CLIENT


def test_the_azure_variables_alone_are_a_tenant(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_config_path", lambda *_, **__: tmp_path)

    assert load(None, AZURE).chosen().tenant_id == TENANT


def test_the_azure_variables_of_another_tenant_are_left_alone(written):
    assert load(written(BARE), {**AZURE, "AZURE_TENANT_ID": OTHER}).chosen().reader is None


def test_azure_variables_that_name_another_application_are_a_contradiction(written):
    said = refusal(written(BARE + f'[tenants.contoso.reader]\nclient_id = "{CLIENT}"\n'), AZURE)

    assert "holdfast.toml:4" in said
    assert "AZURE_CLIENT_ID" in said


def test_two_credentials_name_both_places(written):
    said = refusal(written(CONTOSO), {"HOLDFAST_TENANTS__CONTOSO__READER__CERTIFICATE": "/etc/cert.pem"})

    assert "holdfast.toml:6" in said
    assert "HOLDFAST_TENANTS__CONTOSO__READER__CERTIFICATE" in said


WRONG = {
    "a typo in a key": (CONTOSO.replace("secret =", "secert ="), ["the nearest is secret", ":6"]),
    "a typo in a table": (
        CONTOSO.replace("contoso.reader", "contoso.raeder"),
        ["the nearest is reader", ":4"],
    ),
    "a typo in a table of its own": ("[rotate]\nautomatc = true", ["the nearest is automatic", ":2"]),
    "a typo in a channel": ("[alerts.channels.ops]\nknd = 'mail'", ["the nearest is kind", ":2"]),
    "a table without its s": ("[tenant.contoso]\ntenant_id = 'x'", ["[tenants.NAME]", ":1"]),
    "a list of tables": ("[[tenants]]\ntenant_id = 'x'", ["tenants", ":1", "must be a table"]),
    "a word for a number": ("retention_days = 'long'", ["must be a whole number", ":1"]),
    "a typo at the top": ("tennant = 'x'", ["the nearest is tenant", ":1"]),
    "a key in the wrong table": (f'tenant_id = "{TENANT}"', ["it belongs in [tenants.NAME]", ":1"]),
    "a tenant name instead of an id": (
        '[tenants.c]\ntenant_id = "contoso.onmicrosoft.com"',
        ["tenants.c.tenant_id", ":2", "must be an id"],
    ),
    "no tenant id": ('[tenants.c]\ncloud = "gcc"', ["tenants.c.tenant_id is missing", ":1"]),
    "a wrong cloud": (
        f'[tenants.c]\ntenant_id = "{TENANT}"\ncloud = "germany"',
        [":3", "'public'", "'gcc_high'"],
    ),
    "no credential": (
        BARE + f'[tenants.contoso.reader]\nclient_id = "{CLIENT}"',
        [":3", "has no credential"],
    ),
    "no client id": (
        BARE + '[tenants.contoso.reader]\nsecret = "env:X"',
        [":3", "needs a client_id beside secret"],
    ),
    "a client id for the Azure CLI": (
        BARE + f'[tenants.contoso.reader]\naz = true\nclient_id = "{CLIENT}"',
        [":4", ":5", "brings its own"],
    ),
    "a host without https": (
        BARE + '[tenants.contoso.hosts]\ngraph = "http://localhost"',
        ["hosts.graph", ":4", "https://HOST"],
    ),
    "a host with a path": (
        BARE + '[tenants.contoso.hosts]\ngraph = "https://localhost/v1.0"',
        ["hosts.graph", ":4"],
    ),
    "one tenant under two names": (
        BARE + f'[tenants.b]\ntenant_id = "{TENANT}"',
        [":2", ":4", "same tenant_id"],
    ),
    "no TOML": ("a = 1\n[tenants\nb = 2", ["is not TOML", "line 2"]),
    "a tenant name that is no word": (
        f"[tenants.'a; b']\ntenant_id = '{TENANT}'",
        ["'a; b'", ":1", "letters"],
    ),
    "an internal key": (BARE + 'name = "x"', ["tenants.contoso.name", ":3", "is no setting"]),
}


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_file_is_told_in_one_sentence(written, text, words):
    said = refusal(written(text))

    assert [word for word in words if word not in said] == [], said
    assert "\n" not in said


def test_a_file_in_another_encoding_is_named(written):
    assert "UTF-8" in refusal(written("tenant = 'zürich'", encoding="utf-16"))


def test_a_byte_order_mark_is_harmless(written):
    assert load(written(CONTOSO, encoding="utf-8-sig"), {}).chosen().name == "contoso"


def test_a_missing_file_points_to_init(tmp_path):
    assert f"holdfast init --config {tmp_path / 'no.toml'}" in refusal(tmp_path / "no.toml")


def test_a_folder_instead_of_a_file_is_named(tmp_path):
    assert str(tmp_path) in refusal(tmp_path)


def test_a_variable_with_a_typo_is_told_the_nearest(written):
    assert "HOLDFAST_STATE_DIR" in refusal(written(CONTOSO), {"HOLDFAST_STATEDIR": "x"})


def test_foreign_variables_with_our_prefix_are_left_alone(written):
    environ = {"HOLDFAST_PORT": "tcp://10.0.0.1:80", "HOLDFAST_SERVICE_HOST": "10.0.0.1"}

    assert load(written(CONTOSO), environ).chosen().name == "contoso"


def test_an_unknown_tenant_is_told_which_exist(written):
    settings = load(written(CONTOSO), {})

    with pytest.raises(SettingsError, match=r"no tenant 'fabrikam'.*contoso"):
        settings.chosen("fabrikam")


def test_several_tenants_need_a_choice(written):
    settings = load(written(CONTOSO + f'[tenants.fabrikam]\ntenant_id = "{OTHER}"\n'), {})

    with pytest.raises(SettingsError, match="--tenant"):
        settings.chosen()
    assert settings.chosen("fabrikam").tenant_id == OTHER


def test_the_origin_of_a_setting_is_its_line_or_its_variable(written, tmp_path):
    settings = load(written(CONTOSO), {"HOLDFAST_STATE_DIR": "x"})

    assert settings.origins["state_dir"] == "HOLDFAST_STATE_DIR"
    assert settings.origins["tenants.contoso.reader.secret"] == f"{tmp_path / 'holdfast.toml'}:6"


def test_history_reaches_back_as_far_as_the_settings_say(written):
    path = written(f"retention_days = 400\n{CONTOSO}")

    assert load(written(CONTOSO), {}).retention_days == 730
    assert load(written(f"retention_days = 400\n{CONTOSO}"), {}).retention_days == 400
    assert load(path, {"HOLDFAST_RETENTION_DAYS": "200"}).retention_days == 200


def test_history_too_short_for_a_forecast_is_refused(written):
    said = refusal(written(f"retention_days = 30\n{CONTOSO}"))

    assert "retention_days" in said
    assert "must be 180 or more" in said
    assert ":1" in said


def test_a_misspelt_key_that_must_be_there_is_told_by_its_nearest(written):
    said = refusal(written(CONTOSO.replace("tenant_id", "tenent_id")))

    assert "tenent_id" in said
    assert "the nearest is tenant_id" in said


# --- the key vault -----------------------------------------------------------------------------------------

VAULT = """\
[secrets]
store = "keyvault"
[secrets.vault]
url = "https://holdfast.vault.azure.net/"
"""
IDENTITY = "[secrets.vault.identity]\n"


def test_a_key_vault_has_an_identity_of_its_own(written):
    settings = load(written(f"{VAULT}{IDENTITY}managed_identity = true\n{CONTOSO}"), {})

    assert settings.secrets.vault is not None
    assert settings.secrets.vault.url == "https://holdfast.vault.azure.net"
    assert settings.secrets.vault.identity.credential == "managed_identity"


WRONG_VAULTS = {
    "no vault": ('[secrets]\nstore = "keyvault"\n', "[secrets.vault]"),
    "no identity": (VAULT, "secrets.vault.identity"),
    "what lies in it": (
        f'{VAULT}{IDENTITY}client_id = "{CLIENT}"\nsecret = "keyvault:opens-itself"\n',
        "cannot be opened with what would lie in it",
    ),
    "a person": (f'{VAULT}{IDENTITY}client_id = "{CLIENT}"\nsign_in = true\n', "cannot be opened with"),
    "several tenants": (
        f'{VAULT}{IDENTITY}az = true\n{CONTOSO}[tenants.b]\ntenant_id = "{OTHER}"\n',
        "secrets.vault.tenant",
    ),
    "a misspelt key": (f"{VAULT}uri = 1\n{IDENTITY}az = true\n", "secrets.vault.uri"),
}


@pytest.mark.parametrize(("text", "said"), WRONG_VAULTS.values(), ids=WRONG_VAULTS.keys())
def test_a_vault_that_cannot_be_opened_is_said(written, text, said):
    assert said in refusal(written(text))
