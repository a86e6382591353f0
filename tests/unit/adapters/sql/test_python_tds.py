"""python-tds with our name check: whom it shows the token, and which number a refusal has."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from holdfast.adapters.sql.addresses import Address
from holdfast.adapters.sql.line import Knock, RefusalError, SilenceError
from holdfast.adapters.sql.python_tds import connect
from holdfast.core.secret import Secret
from holdfast.sandbox.sql.errors import SqlError
from tests.unit.adapters.sql.servers import Authority, serving

HOST = "sql-contoso.database.windows.net"
TOKEN = "the access token"


@pytest.fixture(autouse=True)
def _every_name_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more, **how: real("127.0.0.1", *more, **how))


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def knock(port: int, ca_file: str, host: str = HOST, admits=lambda host: True) -> Knock:
    return Knock(Address(host, port), "erp", Secret(TOKEN), admits, ca_file, seconds=3)


NAMED = {
    "its very name": (HOST,),
    "Azure's wildcard": ("*.database.windows.net",),
    "one of many": ("example.com", "*.database.windows.net"),
    "in capitals": ("*.DATABASE.windows.net",),
}


@pytest.mark.parametrize("names", NAMED.values(), ids=NAMED.keys())
def test_a_certificate_for_the_host_lets_the_token_go(authority: Authority, names):
    with serving(authority.server_file(*names)) as server, pytest.raises(RefusalError):
        connect(knock(server.port, authority.ca_file))

    assert [login.token for login in server.logins] == [TOKEN]
    assert TOKEN.encode("utf-16-le") not in server.in_clear


FOREIGN = {
    "another name": ("sql-other.database.windows.net",),
    "no name but the common one": (),
    "a wildcard one level up": ("*.windows.net",),
    "a wildcard one level down": ("*.sql-contoso.database.windows.net",),
    "a star for everything": ("*",),
    "a star in a label": ("s*o.database.windows.net",),
    "the parent": ("database.windows.net",),
    "an address": ("127.0.0.1",),
}


@pytest.mark.parametrize("names", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_certificate_for_somebody_else_sees_no_login(authority: Authority, names):
    # The common name is right: the driver by itself would believe it.
    with (
        serving(authority.server_file(*names, common_name=HOST)) as server,
        pytest.raises(SilenceError, match="does not match host name"),
    ):
        connect(knock(server.port, authority.ca_file))

    assert server.logins == []


def test_an_unknown_authority_sees_no_login(authority: Authority, tmp_path: Path):
    other = Authority(tmp_path, "other CA")

    with (
        serving(authority.server_file(HOST)) as server,
        pytest.raises(SilenceError, match="certificate verify failed"),
    ):
        connect(knock(server.port, other.ca_file))

    assert server.logins == []


def test_a_server_without_encryption_sees_no_login(authority: Authority):
    with serving(None) as server, pytest.raises(SilenceError):
        connect(knock(server.port, authority.ca_file))

    assert server.logins == []
    assert TOKEN.encode("utf-16-le") not in server.in_clear


def test_a_host_that_is_not_admitted_sees_no_login(authority: Authority):
    with (
        serving(authority.server_file(HOST)) as server,
        pytest.raises(SilenceError, match="does not match host name"),
    ):
        connect(knock(server.port, authority.ca_file, admits=lambda host: False))

    assert server.logins == []


def test_an_address_is_matched_by_address(authority: Authority):
    with serving(authority.server_file("127.0.0.1")) as server, pytest.raises(RefusalError):
        connect(knock(server.port, authority.ca_file, host="127.0.0.1"))

    assert len(server.logins) == 1


REFUSED = {18456: 14, 40615: 14, 40613: 17, 4060: 11, 18470: 14}


@pytest.mark.parametrize("number", REFUSED)
def test_a_refused_login_is_tried_once_and_keeps_its_number(authority: Authority, number):
    error = SqlError(number, "No.", REFUSED[number], 2)

    with serving(authority.server_file(HOST), error) as server, pytest.raises(RefusalError) as caught:
        connect(knock(server.port, authority.ca_file))

    assert caught.value.refusal == (number, 2, REFUSED[number], "No.")
    assert len(server.logins) == 1


def test_a_driver_that_nobody_tested_is_not_used(authority: Authority, monkeypatch: pytest.MonkeyPatch):
    import pytds.tls

    from holdfast.adapters.sql import python_tds
    from holdfast.core.errors import SettingsError

    monkeypatch.setattr(pytds.tls, "validate_host", lambda cert, name: True)
    monkeypatch.setattr(python_tds, "version", lambda name: "1.17.9")

    with pytest.raises(SettingsError, match=r"python-tds 1\.17\.9"):
        connect(knock(1, authority.ca_file))


def test_a_knock_shows_no_token():
    assert TOKEN not in repr(knock(1, "ca.pem"))
