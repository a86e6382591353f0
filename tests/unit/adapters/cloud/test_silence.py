"""What a missing answer is said to mean."""

import httpx2

from holdfast.adapters.cloud.asking import Asking
from holdfast.adapters.cloud.silence import unanswered
from holdfast.wire.ledger import CALLS


def test_a_silent_proxy_is_named_without_its_password(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://bob:hunter2@proxy.example:3128")
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "")
    asking = Asking(CALLS[0], "login.microsoftonline.com", {})

    found = str(unanswered(asking, httpx2.ConnectError("Connection refused")))

    assert "The proxy proxy.example:3128 of HTTPS_PROXY" in found
    assert "hunter2" not in found


def test_a_host_past_the_proxy_stands_for_itself(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "login.microsoftonline.com")
    asking = Asking(CALLS[0], "login.microsoftonline.com", {})

    assert "proxy" not in str(unanswered(asking, httpx2.ConnectError("refused")))
