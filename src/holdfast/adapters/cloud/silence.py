"""What it means that no answer came."""

from __future__ import annotations

import ssl
from urllib.request import getproxies, proxy_bypass

import httpx2

from holdfast.adapters.cloud.asking import Asking
from holdfast.adapters.cloud.patience import Again
from holdfast.adapters.cloud.scrubbing import scrubbed
from holdfast.core.errors import CloudError, OutcomeUnknownError, UnreachableError


def unanswered(asking: Asking, failure: httpx2.HTTPError) -> Again | CloudError:
    """What it means that no answer came."""
    about, task, host = asking.about(), asking.task, asking.shown_host
    reason = _reason(failure)
    if isinstance(failure, httpx2.ProxyError):
        return UnreachableError(
            f"The proxy does not let holdfast through to {host} to {task}: {reason}; check HTTPS_PROXY.",
            **about,
        )
    if isinstance(failure, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout):
        tls = _tls_error(failure)
        if tls is not None and not isinstance(tls, ssl.SSLCertVerificationError):
            return UnreachableError(
                f"What answers at {host} does not speak TLS as it should ({reason}), so holdfast sent nothing; a proxy or a"
                " sign-in page of the network may be in the way: check HTTPS_PROXY and NO_PROXY.",
                **about,
            )
        if tls is not None:
            return UnreachableError(
                f"The certificate of {host} is not trusted ({reason}), so holdfast sent nothing; a proxy that opens"
                " TLS needs its certificate in the system's store or in ca_file.",
                **about,
            )
        error = UnreachableError(
            f"{_way_to(asking.host)}{host} cannot be reached to {task}: {reason}; check the network.", **about
        )
        return Again(error, unconnected=True)
    if asking.call.writes:
        return Again(
            OutcomeUnknownError(
                f"{host} gave no answer after it was asked to {task}: {reason}; look what is there.", **about
            )
        )
    return Again(
        UnreachableError(f"{host} gave no answer when asked to {task}: {reason}; try again.", **about)
    )


def _way_to(host: str | None) -> str:
    """Names the proxy of this machine's settings where one stands between: then it is the one that is silent."""
    proxy = getproxies().get("https") or getproxies().get("all")
    name = (host or "").partition(":")[0]
    if not proxy or name in ("localhost", "127.0.0.1") or proxy_bypass(name):
        return ""
    # Without its scheme and, above all, without a user's name and password.
    address = proxy.rpartition("@")[2].rpartition("//")[2].strip("/")
    return f"The proxy {scrubbed(address, 100)} of HTTPS_PROXY or "


def _tls_error(failure: BaseException) -> ssl.SSLError | None:
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def _reason(failure: httpx2.HTTPError) -> str:
    """The innermost words that say something, without what could be a secret."""
    words = ""
    cause: BaseException | None = failure
    while cause is not None:
        words = (
            getattr(cause, "verify_message", None) or getattr(cause, "strerror", None) or str(cause) or words
        )
        cause = cause.__cause__ or cause.__context__
    return scrubbed(words, 160).rstrip(".") or type(failure).__name__
