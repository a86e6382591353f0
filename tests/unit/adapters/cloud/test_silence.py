"""What a missing answer is said to mean."""

import ssl

import httpx2
import pytest

from holdfast.adapters.cloud.asking import Asking
from holdfast.adapters.cloud.network import refuse_odd_proxies
from holdfast.adapters.cloud.silence import unanswered
from holdfast.core.errors import SettingsError
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


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (ssl.SSLCertVerificationError("unable to get local issuer certificate"), "is not trusted"),
        (ssl.SSLError("[SSL: WRONG_VERSION_NUMBER] wrong version number"), "does not speak TLS"),
        (ssl.SSLEOFError("EOF occurred in violation of protocol"), "does not speak TLS"),
    ],
    ids=["a certificate of nobody's", "a page instead of TLS", "an end instead of TLS"],
)
def test_a_certificate_is_blamed_for_its_own_faults_only(failure, said):
    error = httpx2.ConnectError("")
    error.__cause__ = failure

    assert said in str(unanswered(Asking(CALLS[0], "login.microsoftonline.com", {}), error))


@pytest.mark.parametrize(
    "written",
    [
        "http://u:hunter2@127.0.0.1:abc",
        "socks5://u:hunter2@proxy:1080",
        "foo://proxy:1",
        "http://",
        "http://[",
    ],
)
def test_a_proxy_that_is_none_is_told_by_its_variable_and_not_by_its_text(written):
    with pytest.raises(SettingsError, match="HTTPS_PROXY") as caught:
        refuse_odd_proxies({"https": written})

    assert "hunter2" not in str(caught.value)


def test_proxies_that_can_be_asked_are_taken():
    refuse_odd_proxies({"https": "proxy.example:3128", "all": "https://proxy.example", "no": "*.example"})
