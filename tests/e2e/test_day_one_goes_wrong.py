"""What goes wrong on the first day, and the one sentence that says so."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from holdfast.cli.main import run
from holdfast.sandbox import embedded
from tests.e2e.tenants import app_of, settings_for
from tests.unit.adapters.cloud.test_tokens import key_pair


@pytest.fixture(scope="module")
def ready() -> Iterator[dict[str, Any]]:
    with embedded("story", frozen=True) as mapping:
        yield mapping


@pytest.fixture
def scan(ready, tmp_path, monkeypatch, capsys):
    """Scan with these settings; the exit code and what was said."""
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("SECRET", app_of(ready)["secret"])

    def scanned(reader: str | None = None, **changes: str) -> tuple[int, str]:
        good = f'client_id = "{app_of(ready)["client_id"]}"\nsecret = "env:SECRET"'
        file = settings_for(ready, tmp_path, reader=reader or good, **changes)
        code = run(["scan", "--config", str(file)])
        said = capsys.readouterr()
        return code, said.out + said.err

    return scanned


def test_with_the_right_settings_it_works(scan):
    assert scan()[0] == 0


def test_a_tenant_of_another_cloud_is_said(scan):
    code, said = scan(cloud='"gcc"')

    assert code == 3
    assert "cloud" in said


def test_a_tenant_that_is_not_there_is_said(scan):
    code, said = scan(tenant_id='"99999999-9999-9999-9999-999999999999"')

    assert code == 3
    assert "no such tenant" in said


def test_an_application_of_another_tenant_is_said(scan):
    code, said = scan('client_id = "99999999-9999-9999-9999-999999999999"\nsecret = "env:SECRET"')

    assert code == 3
    assert "not in this tenant" in said


def test_a_wrong_secret_is_said_without_it(scan, monkeypatch):
    monkeypatch.setenv("SECRET", "not-the-secret~of-it")

    code, said = scan()

    assert code == 3
    assert "not its id" in said
    assert "not-the-secret" not in said


def test_a_secret_that_is_nowhere_names_the_command(scan, ready):
    code, said = scan(f'client_id = "{app_of(ready)["client_id"]}"\nsecret = "file:c-reader"')

    assert code == 5
    assert "holdfast secret set c-reader" in said


def test_a_certificate_without_its_key_is_said(scan, ready, tmp_path):
    pem = key_pair()
    (tmp_path / "cert.pem").write_text(pem[pem.index("-----BEGIN CERTIFICATE") :])

    code, said = scan(f'client_id = "{app_of(ready)["client_id"]}"\ncertificate = "cert.pem"')

    assert code == 2
    assert "lacks a private key" in said


def test_a_host_outside_the_lists_needs_leave(scan):
    code, said = scan(allow_custom_hosts="false")

    assert code == 2
    assert "allow_custom_hosts" in said


def test_a_certificate_authority_that_is_not_there_is_said(scan):
    code, said = scan(ca_file='"absent.pem"')

    assert code == 2
    assert "absent.pem" in said


def test_the_secrets_id_in_the_place_of_its_value_is_refused(scan, tmp_path, monkeypatch, capsys):
    scan()
    monkeypatch.setattr("sys.stdin", io.StringIO("8a7b2f3e-1111-2222-3333-444455556666"))

    assert run(["secret", "set", "c-reader", "--config", str(tmp_path / "holdfast.toml")]) == 2

    assert "id, not its value" in capsys.readouterr().err
