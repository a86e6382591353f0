"""A ready file becomes settings of one tenant."""

import json

import pytest

from holdfast.core.errors import SettingsError
from holdfast.settings import from_ready
from holdfast.settings.shape import Hosts

READY = {
    "tenant_id": "11111111-1111-1111-1111-111111111111",
    "authority": "https://localhost:18443",
    **{
        kind: f"https://localhost:1844{n}"
        for n, kind in enumerate(("graph", "powerapps", "bap", "flow", "powerplatform", "apihub"))
    },
    "dataverse": {"env-1": "https://localhost:18450", "env-2": "https://localhost:18450"},
    "control": "http://127.0.0.1:18451",
    "ca_file": "/run/sandbox/ca.pem",
    "accounts": [],
    "apps": [
        {
            "name": "watcher",
            "client_id": "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa",
            "object_id": "o",
            "secret": "s3cr3t~text",
        }
    ],
    "roles": {"reader": "watcher", "operator": "watcher"},
}


def test_the_roles_become_identities(tmp_path):
    tenant = from_ready(READY, tmp_path).chosen()

    assert tenant.reader is not None
    assert tenant.reader.client_id == READY["apps"][0]["client_id"]  # type: ignore[index]
    assert tenant.operator == tenant.reader
    assert tenant.app_admin is None


def test_the_hosts_are_its_own(tmp_path):
    tenant = from_ready(READY, tmp_path).chosen()

    assert tenant.hosts.given()["authority"] == "https://localhost:18443"
    assert tenant.hosts.dataverse == ("https://localhost:18450",)
    assert tenant.allow_custom_hosts


def test_a_file_is_read(tmp_path):
    path = tmp_path / "ready.json"
    path.write_text(json.dumps(READY))

    assert from_ready(path, tmp_path).chosen().name == "sandbox"


NOT_READY = {"nothing there": None, "no JSON": "{", "another file": "[]", "half of one": '{"tenant_id": "x"}'}


@pytest.mark.parametrize("text", NOT_READY.values(), ids=NOT_READY.keys())
def test_what_is_no_ready_file_is_said(tmp_path, text):
    path = tmp_path / "ready.json"
    if text is not None:
        path.write_text(text)

    with pytest.raises(SettingsError, match="ready") as caught:
        from_ready(path, tmp_path)

    assert str(path) in str(caught.value)


def test_sql_servers_are_reached_where_it_says(tmp_path):
    sql = {"host": "localhost", "port": 14330, "servers": {"sql-contoso.example": 14331}}

    tenant = from_ready(READY | {"sql": sql}, tmp_path).chosen()

    assert tenant.hosts.sql_addresses() == {
        "": ("localhost", 14330),
        "sql-contoso.example": ("localhost", 14331),
    }
    assert "sql" not in tenant.hosts.given()


def test_a_sandbox_without_sql_servers_names_none(tmp_path):
    assert from_ready(READY, tmp_path).chosen().hosts.sql_addresses() == {}


NO_ADDRESS = (
    "https://localhost",
    "localhost:0",
    "localhost:port",
    "=localhost:1,",
    "a b:1",
    "x;y=localhost:1",
)


@pytest.mark.parametrize("text", NO_ADDRESS)
def test_what_is_no_address_of_a_sql_server_is_refused(text):
    with pytest.raises(ValueError, match="HOST:PORT"):
        Hosts(sql=[text])
