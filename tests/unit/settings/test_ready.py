"""A ready file becomes settings of one tenant."""

import json

import pytest

from holdfast.core.errors import SettingsError
from holdfast.settings import from_ready

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
