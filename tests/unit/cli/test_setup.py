"""The commands that set an identity up: what the ledger asks for, no more, and shells can read them."""

import re
import shutil
import subprocess

import pytest

from holdfast.cli.setup import Needs, Target, azure_cli, needs_of, page, portal, powershell
from holdfast.compose import ledger
from holdfast.core.identity import Cloud, Role
from holdfast.settings.shape import CREDENTIALS

TARGET = Target("contoso", "11111111-1111-1111-1111-111111111111", Cloud.PUBLIC)
LEDGER = [
    {"roles": ["reader"], "permission": "graph/User.Read.All"},
    {"roles": ["reader", "app_admin"], "permission": "graph/Application.Read.All"},
    {"roles": ["app_admin"], "permission": "graph/Application.ReadWrite.OwnedBy"},
    {"roles": ["reader", "operator"], "permission": "power-platform/management-application"},
    {"roles": ["operator"], "permission": "environment/Environment Maker"},
    {"roles": ["sql_admin"], "permission": "database/ALTER ANY USER, ALTER ANY ROLE"},
    {"roles": ["reader"], "permission": ""},
]
NEEDS = {role: needs_of(role, LEDGER) for role in Role}


def test_a_role_needs_what_its_own_entries_ask():
    assert NEEDS[Role.READER].graph == ("Application.Read.All", "User.Read.All")
    assert NEEDS[Role.READER].management_application
    assert NEEDS[Role.READER].environment_roles == ()
    assert NEEDS[Role.OPERATOR].environment_roles == ("Environment Maker",)
    assert not NEEDS[Role.APP_ADMIN].management_application
    assert NEEDS[Role.SQL_ADMIN].database_rights == ("ALTER ANY USER", "ALTER ANY ROLE")


@pytest.mark.parametrize("way", [azure_cli, powershell, portal], ids=lambda way: way.__name__)
@pytest.mark.parametrize("role", [Role.READER, Role.OPERATOR, Role.APP_ADMIN])
def test_every_way_names_every_need_and_nothing_else(way, role):
    text = "\n".join(way(TARGET, NEEDS[role]))

    every = {name for needs in NEEDS.values() for name in (*needs.graph, *needs.environment_roles)}
    named = {name for name in every if re.search(rf"\b{re.escape(name)}\b", text)}
    # PowerShell asks the administrator for two rights of his own.
    assert named - {"Application.ReadWrite.All"} == {*NEEDS[role].graph, *NEEDS[role].environment_roles}
    assert ("anagement" in text) == NEEDS[role].management_application


@pytest.mark.skipif(shutil.which("bash") is None, reason="no shell here")
@pytest.mark.parametrize("credential", [each for each in CREDENTIALS if each != "az"])
@pytest.mark.parametrize("role", list(Role))
def test_a_shell_can_read_the_lines(role, credential):
    script = "\n".join(azure_cli(TARGET, NEEDS[role], credential))

    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True)

    assert done.returncode == 0, done.stderr


def test_no_way_puts_a_secret_on_a_command_line():
    for way in (azure_cli, powershell):
        lines = [line for line in way(TARGET, NEEDS[Role.READER]) if "holdfast secret set" in line]
        assert [
            line for line in lines if not re.search(r"\| holdfast secret set contoso-reader$", line)
        ] == []
        assert lines


def test_a_person_gets_a_public_client_and_no_secret():
    text = "\n".join(azure_cli(TARGET, NEEDS[Role.READER], "sign_in"))

    assert "--is-fallback-public-client true" in text
    assert "=Scope" in text
    assert "credential reset" not in text
    assert "New-PowerAppManagementApp" not in text


@pytest.mark.parametrize("cloud", list(Cloud))
def test_every_cloud_has_its_words(cloud):
    text = page(Target("contoso", TARGET.tenant_id, cloud), NEEDS.values())

    assert (cloud in (Cloud.PUBLIC, Cloud.GCC)) == ("AzureCloud" in text)


def test_a_role_without_calls_is_said_to_need_nothing():
    assert "nothing to set up" in page(TARGET, [Needs(Role.SQL_ADMIN)])


# What the page says for each credential of the settings.
MAKES = {
    "secret": ["holdfast secret set contoso-reader", 'secret = "keyring:contoso-reader"'],
    "certificate": ["--create-cert", "ExportPkcs8PrivateKeyPem", 'certificate = "contoso-reader.pem"'],
    "federated_token_file": [
        "federated-credential create",
        "api://AzureADTokenExchange",
        "federated_token_file =",
    ],
    "managed_identity": [
        "appRoleAssignments",
        "Get-MgServicePrincipal -ServicePrincipalId",
        "managed_identity = true",
    ],
    "sign_in": [
        "--is-fallback-public-client",
        "-IsFallbackPublicClient",
        "Allow public client flows",
        "sign_in = true",
    ],
    "az": ["az login", "az = true"],
}


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_each_credential_of_the_settings_is_set_up_and_no_other(credential):
    text = page(TARGET, [NEEDS[Role.READER]], credential=credential)

    assert [words for words in MAKES[credential] if words not in text] == []
    others = {words for each, made in MAKES.items() if each != credential for words in made if "=" in words}
    assert [words for words in others if words in text] == []


@pytest.mark.parametrize("credential", [each for each in CREDENTIALS if each != "az"])
@pytest.mark.parametrize("way", [azure_cli, powershell, portal], ids=lambda way: way.__name__)
def test_every_way_there_is_gives_every_credential(way, credential):
    assert list(way(TARGET, NEEDS[Role.READER], credential))


def test_an_administrator_of_sql_is_let_into_its_databases():
    needs = needs_of(Role.SQL_ADMIN, ledger())
    text = page(TARGET, [needs])

    assert needs.database_rights == ("ALTER ANY USER", "ALTER ANY ROLE")
    assert "CREATE USER [holdfast sql-admin] FROM EXTERNAL PROVIDER;" in text
    assert "GRANT ALTER ANY USER, ALTER ANY ROLE TO [holdfast sql-admin];" in text


@pytest.mark.parametrize("role", list(Role))
def test_every_role_of_the_ledger_has_something_to_set_up(role):
    assert not needs_of(role, ledger()).are_none


def test_pac_signs_in_once_however_many_roles_there_are():
    needs = Needs(Role.OPERATOR, environment_roles=("Environment Maker", "System Customizer"))

    for way in (azure_cli, powershell):
        assert len([line for line in way(TARGET, needs) if line.startswith("pac auth create")]) == 1
