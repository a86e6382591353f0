"""The page "Test against the sandbox" does what it says: its Python is run as it stands, by a person at a browser."""

from __future__ import annotations

import json
import re
import ssl
import urllib.parse
import urllib.request
from pathlib import Path

from holdfast.sandbox import embedded

PAGE = Path(__file__).parents[2] / "docs" / "sandbox.md"


def test_somebody_who_knows_msal_breaks_a_sign_in_and_heals_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    code = re.search(r"```python\n(import json.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert code
    printed: list[str] = []

    def at_the_terminal(text: str) -> None:
        printed.append(text)
        if found := re.search(r"open the page (\S+) and enter the code (\S+)", text):
            sign_in(json.loads(Path("ready.json").read_text()), *found.groups())

    with embedded(frozen=True, ready_file=tmp_path / "ready.json"):
        names: dict = {"print": at_the_terminal}
        exec(code[1], names)

    assert printed[0].startswith("AADSTS700082: The refresh token has expired due to inactivity.")
    assert names["token"]


def sign_in(ready, url, user_code):
    account = ready["accounts"][0]
    form = {
        "user_code": user_code,
        "username": account["username"],
        "password": account["password"],
        "accept": "1",
    }
    tls = ssl.create_default_context(cafile=ready["ca_file"])
    with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode(), context=tls) as answer:
        assert answer.status == 200
