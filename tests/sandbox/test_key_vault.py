"""The vault against Azure's own client, unmodified, and by plain HTTP for what that client does not show."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import ApiVersion, SecretClient

from tests.sandbox.conftest import Sandbox
from tests.sandbox.people import GRAPH, app_named, app_token

OFFICER, STRANGER = "holdfast-app-admin", "holdfast-reader"


def client(sandbox: Sandbox, name: str = OFFICER, **more: Any) -> SecretClient:
    app = app_named(sandbox, name)
    credential = ClientSecretCredential(
        sandbox.ready["tenant_id"],
        app["client_id"],
        app["secret"],
        authority=sandbox.ready["authority"],
        disable_instance_discovery=True,
        connection_verify=sandbox.ready["ca_file"],
    )
    return SecretClient(
        sandbox.ready["keyvault"],
        credential,
        connection_verify=sandbox.ready["ca_file"],
        verify_challenge_resource=False,
        **more,
    )


def inner(error: HttpResponseError) -> str | None:
    return (error.error.innererror or {}).get("code") if error.error else None


@pytest.fixture
def vault(sandbox: Sandbox) -> SecretClient:
    return client(sandbox)


def test_a_secret_keeps_its_versions(vault):
    first = vault.set_secret("erp", "one", content_type="text/plain", tags={"app": "erp"})
    second = vault.set_secret("erp", "two")

    assert vault.get_secret("ERP").value == "two"
    assert vault.get_secret("erp", first.properties.version).value == "one"
    assert {one.version for one in vault.list_properties_of_secret_versions("erp")} == {
        first.properties.version,
        second.properties.version,
    }
    assert first.properties.tags == {"app": "erp"}
    assert first.properties.recoverable_days == 90


def test_dates_are_told_and_not_obeyed(vault):
    over = datetime(2020, 1, 1, tzinfo=UTC)

    vault.set_secret("old", "text", expires_on=over)

    read = vault.get_secret("old")
    assert (read.value, read.properties.expires_on) == ("text", over)


def test_a_disabled_secret_is_not_read(vault):
    vault.set_secret("erp", "text", enabled=False)

    with pytest.raises(HttpResponseError) as refused:
        vault.get_secret("erp")

    assert (refused.value.status_code, inner(refused.value)) == (403, "SecretDisabled")


def test_attributes_of_the_newest_version_change_without_its_text(vault):
    vault.set_secret("erp", "text", enabled=False)

    vault.update_secret_properties("erp", enabled=True, tags={"by": "somebody"})

    assert vault.get_secret("erp").value == "text"
    assert vault.get_secret("erp").properties.tags == {"by": "somebody"}


def test_what_was_deleted_is_recovered_with_its_versions(vault):
    vault.set_secret("erp", "one")
    vault.set_secret("erp", "two")
    gone = vault.begin_delete_secret("erp").result()

    with pytest.raises(ResourceNotFoundError):
        vault.get_secret("erp")
    with pytest.raises(ResourceExistsError) as taken:
        vault.set_secret("erp", "three")
    assert (inner(taken.value), taken.value.status_code) == ("ObjectIsDeletedButRecoverable", 409)
    assert [one.name for one in vault.list_deleted_secrets()] == ["erp"]
    assert (gone.scheduled_purge_date - gone.deleted_date).days == 90

    vault.begin_recover_deleted_secret("erp").result()
    assert vault.get_secret("erp").value == "two"
    assert len(list(vault.list_properties_of_secret_versions("erp"))) == 2


def test_a_purged_secret_is_gone_and_its_name_free(vault):
    vault.set_secret("erp", "one")
    vault.begin_delete_secret("erp").wait()
    vault.purge_deleted_secret("erp")

    with pytest.raises(ResourceNotFoundError):
        vault.get_deleted_secret("erp")
    vault.set_secret("erp", "two")
    assert len(list(vault.list_properties_of_secret_versions("erp"))) == 1


def test_time_purges_what_nobody_recovers(sandbox, vault):
    vault.set_secret("erp", "one")
    vault.begin_delete_secret("erp").result()
    sandbox.advance(days=91)

    # The client would keep a token by its own clock.
    assert [one.name for one in client(sandbox).list_deleted_secrets()] == []


def test_lists_come_in_pages(vault):
    for number in range(30):
        vault.set_secret(f"s-{number:02}", "text")

    assert [one.name for one in vault.list_properties_of_secrets()] == [f"s-{n:02}" for n in range(30)]
    assert len(list(vault.list_properties_of_secrets(max_page_size=7).by_page())) == 5


def test_an_empty_page_may_name_a_next_one(unkind):
    vault = client(unkind)
    vault.set_secret("erp", "text")

    pages = [len(list(page)) for page in vault.list_properties_of_secrets().by_page()]

    assert pages == [0, 1]


def test_deleting_and_recovering_take_their_time(start):
    sandbox = start("story")
    vault = client(sandbox)
    vault.set_secret("erp", "one")
    began = time.monotonic()
    deleting = vault.begin_delete_secret("erp", _polling_interval=0.2)
    with pytest.raises(ResourceExistsError) as taken:
        vault.set_secret("erp", "two")
    assert inner(taken.value) == "ObjectIsBeingDeleted"

    deleting.wait()
    assert time.monotonic() - began > 1
    vault.begin_recover_deleted_secret("erp")
    with pytest.raises(ResourceExistsError) as recovering:
        vault.set_secret("erp", "two")
    assert inner(recovering.value) == "ObjectIsBeingRecovered"


def test_who_has_no_role_is_refused(sandbox):
    with pytest.raises(HttpResponseError) as refused:
        client(sandbox, STRANGER).get_secret("erp")

    assert (refused.value.status_code, inner(refused.value)) == (403, "ForbiddenByRbac")
    assert "secrets/getSecret/action" in refused.value.message


def test_a_reader_of_secrets_writes_none(sandbox, vault):
    vault.set_secret("erp", "text")
    app = app_named(sandbox, STRANGER)
    sandbox.event("set_vault_role", app["client_id"], role="Key Vault Secrets User")
    reading = client(sandbox, STRANGER)

    assert reading.get_secret("erp").value == "text"
    for deed in (lambda: reading.set_secret("erp", "x"), lambda: reading.begin_delete_secret("erp")):
        with pytest.raises(HttpResponseError, match="not authorized"):
            deed()


@pytest.mark.parametrize("version", [one.value for one in ApiVersion])
def test_every_version_that_the_client_knows_is_taken(sandbox, version):
    assert client(sandbox, api_version=version).set_secret("erp", version).value == version


def test_a_text_has_25_kilobytes_at_most(vault):
    vault.set_secret("erp", "x" * 25_600)

    with pytest.raises(HttpResponseError, match="25 kilobytes"):
        vault.set_secret("erp", "x" * 25_601)


def test_a_wrong_secret_never_reaches_the_vault(sandbox):
    sandbox.event("remove_secret", app_named(sandbox, OFFICER)["client_id"])

    with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        client(sandbox).get_secret("erp")


# --- by plain HTTP -----------------------------------------------------------------------------------------


def test_without_a_token_the_vault_names_its_authority(sandbox):
    told = sandbox.ask(f"{sandbox.ready['keyvault']}/secrets/erp", method="PUT", body=b"")

    assert told.status == 401
    assert told.headers["www-authenticate"] == (
        f'Bearer authorization="{sandbox.ready["authority"]}/{sandbox.ready["tenant_id"]}",'
        ' resource="https://vault.azure.net"'
    )
    assert told.json["error"]["message"].startswith("AKV10000")


def test_a_token_for_somebody_else_is_challenged(sandbox):
    token = app_token(sandbox, app_named(sandbox, OFFICER), GRAPH)["access_token"]

    told = sandbox.ask(
        f"{sandbox.ready['keyvault']}/secrets?api-version=7.4", headers={"authorization": f"Bearer {token}"}
    )

    assert (told.status, told.json["error"]["code"]) == (401, "Unauthorized")


@pytest.mark.parametrize("query", ["", "?api-version=1.0"])
def test_an_unknown_version_is_refused(sandbox, query):
    scope = ["https://vault.azure.net/.default"]
    token = app_token(sandbox, app_named(sandbox, OFFICER), scope)["access_token"]

    told = sandbox.ask(
        f"{sandbox.ready['keyvault']}/secrets{query}", headers={"authorization": f"Bearer {token}"}
    )

    assert (told.status, told.json["error"]["code"]) == (400, "BadParameter")


def test_no_text_shows_in_what_was_asked(sandbox, vault):
    vault.set_secret("erp", "a text that nobody may see")

    assert "nobody may see" not in str(sandbox.control("/requests"))
    assert "nobody may see" not in str(sandbox.control("/truth"))
