"""`holdfast login` on a running tenant: by browser, by device code, and what Conditional Access says to it."""

from __future__ import annotations

import json
import re
import ssl
import urllib.parse
import urllib.request
import webbrowser
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from holdfast.cli.main import run
from holdfast.sandbox import embedded
from tests.e2e.tenants import settings_for


@pytest.fixture(scope="module")
def ready() -> Iterator[dict[str, Any]]:
    with embedded("story", frozen=True) as mapping:
        yield mapping


@pytest.fixture
def account(ready) -> dict[str, Any]:
    return next(one for one in ready["accounts"] if one["username"].startswith("dana"))


@pytest.fixture
def config(ready, account, tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path / "state"))
    reader = f'client_id = "{account["client_id"]}"\nsign_in = true'
    return settings_for(ready, tmp_path, reader=reader, scope='"own"')


@pytest.fixture
def say(config, capsys):
    def said(*words: str) -> tuple[int, str]:
        code = run([*words, "--config", str(config)])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return said


class Person:
    """Sits at a browser: fills the sign-in form in, and sends on what the page sends on."""

    def __init__(self, ready: dict[str, Any], account: dict[str, Any]) -> None:
        self.tls = ssl.create_default_context(cafile=ready["ca_file"])
        self.answers = {"username": account["username"], "password": account["password"], "accept": "1"}
        self.pages: list[str] = []

    def opens(self, address: str, **further: str) -> None:
        form = urllib.parse.urlencode({**self.answers, **further}).encode()
        try:
            with urllib.request.urlopen(address, form, context=self.tls, timeout=20) as page:
                self.pages.append(page.read().decode())
        except urllib.error.HTTPError as refused:
            self.pages.append(refused.read().decode())
        if back := re.search(r'action="?(http://localhost[^" >]*)', self.pages[-1]):
            fields = re.findall(r'name="?(\w+)"? value="([^"]*)"', self.pages[-1])
            sent = urllib.parse.urlencode({name: unescape(value) for name, value in fields}).encode()
            urllib.request.urlopen(unescape(back[1]), sent, timeout=20).read()


@pytest.fixture
def person(ready, account, monkeypatch) -> Person:
    sitting = Person(ready, account)

    def open_browser(address: str, *_: Any, **__: Any) -> bool:
        Thread(target=sitting.opens, args=(address,)).start()
        return True

    monkeypatch.setattr(webbrowser, "open", open_browser)
    return sitting


def test_a_person_signs_in_by_browser_and_looks(say, person, account):
    code, printed = say("login")

    assert code == 0, (printed, person.pages)
    assert f"Signed in to c as {account['username']}" in printed
    assert say("scan")[0] <= 1
    rows = json.loads(say("status", "-o", "json")[1])["rows"]
    names = {row["name"] for row in rows if row["environment"]}
    assert "ERP orders (Dana Kim)" in names
    assert "Invoices (Sam Ortiz)" not in names


def test_nothing_of_the_sign_in_lies_in_clear(say, person, tmp_path):
    say("login")

    texts = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"refresh_token" not in texts.lower()
    assert b"RefreshToken" not in texts


def test_a_person_signs_in_by_device_code(say, person, monkeypatch):
    def at_another_device(text: str) -> None:
        address, code = re.findall(r"https://\S+", text)[0], re.findall(r"\b[A-Z0-9]{8,9}\b", text)[0]
        Thread(target=person.opens, args=(address,), kwargs={"user_code": code}).start()

    monkeypatch.setattr("holdfast.cli.commands.login._show", at_another_device)

    code, printed = say("login", "--device-code")

    assert code == 0, (printed, person.pages)
