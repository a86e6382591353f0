"""What leaves through the door, and what its answers mean."""

import dataclasses
import logging
import re
import ssl
from datetime import timedelta

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.adapters.cloud.addresses import host_of
from holdfast.adapters.cloud.patience import ATTEMPTS, ATTEMPTS_TO_CONNECT
from holdfast.adapters.cloud.transport import EMPTY_PAGES, PAGE_LIMIT, Transport
from holdfast.core.errors import (
    BudgetSpentError,
    CloudError,
    ConflictError,
    MissingError,
    OutcomeUnknownError,
    RefusedError,
    StoreError,
    ThrottledError,
    UnfamiliarError,
    UnreachableError,
)
from holdfast.wire import ledger
from holdfast.wire.dataverse import Workflow
from holdfast.wire.ledger import CONNECTIONS_OF_CONNECTOR, ENVIRONMENTS, Call
from holdfast.wire.powerplatform import Connection
from tests.fakes.clock import START
from tests.fakes.wire import TOKEN, a_transport, said

AT = {"environment": "Default-1", "connector": "shared_sql"}
ASKED = "https://api.powerapps.com/providers/Microsoft.PowerApps/scopes/admin/environments/Default-1/apis/shared_sql/connections?api-version=2016-11-01"


def a_page(*names: str, next_link: str | None = None, key: str = "nextLink") -> dict:
    value = [{"name": name, "properties": {"apiId": "/apis/shared_sql"}} for name in names]
    return {"value": value, key: next_link} if next_link else {"value": value}


async def names(transport: Transport, call: Call = CONNECTIONS_OF_CONNECTOR) -> list[str]:
    return [told.name async for told in transport.items(call, Connection, at=AT)]


async def error_of(answer) -> CloudError:
    transport, _ = a_transport(answer)
    with pytest.raises(CloudError) as caught:
        await names(transport)
    return caught.value


@pytest.fixture
def written(monkeypatch) -> dict[str, Call]:
    """Two writes in the ledger: one that may be repeated, and one that may not."""
    put = dataclasses.replace(ENVIRONMENTS, id="test.put", method="PUT", writes=True)
    post = dataclasses.replace(put, id="test.post", method="POST", is_idempotent=False)
    for call in (put, post):
        monkeypatch.setitem(ledger._BY_ID, call.id, call)
    return {"keyed": put, "unkeyed": post}


# --- what leaves ---------------------------------------------------------------------------------------


async def test_the_ledger_says_what_is_asked():
    transport, wire = a_transport([said(200, a_page("c1"))])

    await names(transport)

    assert [str(request.url) for request in wire.asked] == [ASKED]
    assert wire.asked[0].headers["authorization"] == f"Bearer {TOKEN}-0"


async def test_no_call_is_made_that_the_ledger_does_not_know():
    transport, wire = a_transport([said(200, a_page())])
    invented = dataclasses.replace(CONNECTIONS_OF_CONNECTOR, path="/providers/Microsoft.PowerApps/all")

    with pytest.raises(ValueError, match="no entry of the ledger"):
        await names(transport, invented)
    assert wire.asked == []


async def test_hostile_ids_stay_within_their_place_in_the_address():
    transport, wire = a_transport([said(200, a_page())])
    at = {"environment": "../x?y#z' or '1'='1", "connector": "a/b"}

    [_ async for _ in transport.items(ledger.OWN_CONNECTION, Connection, at=at | {"connection": "é"})]

    url = wire.asked[0].url
    assert url.host == "api.powerapps.com"
    assert url.raw_path.split(b"?")[0] == b"/providers/Microsoft.PowerApps/apis/a%2Fb/connections/%C3%A9"
    assert url.params["$filter"] == "environment eq '../x?y#z'' or ''1''=''1'"


@pytest.mark.parametrize(
    "base", ["https://evil.example", "http://contoso.crm4.dynamics.com", "https://api.powerapps.com"]
)
async def test_an_organisation_elsewhere_gets_no_token(base):
    transport, wire = a_transport([said(200, a_page())])

    with pytest.raises(UnfamiliarError, match="not on the list of hosts"):
        [_ async for _ in transport.items(ledger.WORKFLOWS, Workflow, base=base)]
    assert wire.asked == []


# --- pages ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["nextLink", "@odata.nextLink"])
async def test_every_page_is_read_in_order(key):
    following = "https://europe.api.powerapps.com/more?$skiptoken=2"
    transport, wire = a_transport(
        [said(200, a_page("c1", "c2", next_link=following, key=key)), said(200, a_page("c3"))]
    )

    assert await names(transport) == ["c1", "c2", "c3"]
    assert str(wire.asked[1].url) == following


@pytest.mark.parametrize(
    "following",
    [
        "https://evil.example/more",
        "https://api.powerapps.com.evil.example/more",
        "https://evil.example\\@api.powerapps.com/more",
        "https://api.powerapps.com@evil.example/more",
        "http://api.powerapps.com/more",
        "https://api.powerapps.com:8443/more",
        "https://graph.microsoft.com/more",
        "//evil.example/more",
        "more",
        "https://[",
    ],
)
async def test_no_token_follows_a_link_to_a_foreign_host(following):
    transport, wire = a_transport([said(200, a_page("c1", next_link=following))])

    with pytest.raises(UnfamiliarError, match=r"named a next page on .* sends no token there"):
        await names(transport)
    assert len(wire.asked) == 1


async def test_a_list_that_repeats_a_page_ends_with_an_error():
    transport, wire = a_transport([said(200, a_page("c1", next_link="https://api.powerapps.com/again"))])

    with pytest.raises(UnfamiliarError, match="already read"):
        await names(transport)
    assert len(wire.asked) == 2


def ever_new_links(page):
    """A list whose every page names a next one that was not named before; `page` gives the items of the n-th."""
    asked = []

    def next_page(request):
        asked.append(request)
        return said(
            200, a_page(*page(len(asked)), next_link=f"https://api.powerapps.com/more?page={len(asked)}")
        )

    return a_transport(next_page)


async def test_a_list_without_end_ends_with_an_error(monkeypatch):
    monkeypatch.setattr("holdfast.adapters.cloud.transport.PAGE_LIMIT", 5)
    transport, _ = ever_new_links(lambda n: [f"c{n}"])

    with pytest.raises(UnfamiliarError, match="more than 5 pages"):
        await names(transport)
    assert PAGE_LIMIT > 5


async def test_the_same_page_under_ever_new_links_is_read_once():
    transport, wire = ever_new_links(lambda n: ["c1", "c2"])

    with pytest.raises(UnfamiliarError, match="already read, under a new link"):
        await names(transport)
    assert len(wire.asked) == 2


async def test_empty_pages_without_end_are_given_up():
    transport, wire = ever_new_links(lambda n: [])

    with pytest.raises(UnfamiliarError, match="though they are empty"):
        await names(transport)
    assert len(wire.asked) == EMPTY_PAGES


async def test_single_empty_pages_end_no_list():
    more = "https://api.powerapps.com/more"
    transport, _ = a_transport(
        [
            said(200, a_page(next_link=f"{more}?1")),
            said(200, a_page("c1", next_link=f"{more}?2")),
            said(200, a_page(next_link=f"{more}?3")),
            said(200, a_page("c2")),
        ]
    )

    assert await names(transport) == ["c1", "c2"]


async def test_no_redirect_is_followed_with_a_token():
    transport, wire = a_transport([said(302, "", location="https://evil.example/?code=secret")])

    with pytest.raises(UnfamiliarError, match="follows no redirect") as caught:
        await names(transport)
    assert len(wire.asked) == 1
    assert "secret" not in str(caught.value)


# --- answers that are no success -----------------------------------------------------------------------

FORBIDDEN = {"error": {"code": "Forbidden", "message": "The caller may not."}}
WRAPPED = {
    "error": {
        "code": "BusinessAppPlatformRequestFailed",
        "message": "See details.",
        "details": [{"code": "EnvironmentAccessDenied", "message": "Denied."}],
    }
}
SERVICE_TO_SERVICE = {
    "error": {
        "code": "ServiceToServiceEnvironmentNotFound",
        "message": "The environment 'x' could not be found.",
    }
}


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "words"),
    [
        (401, {"error": {"code": "InvalidAuthenticationToken"}}, RefusedError, "InvalidAuthenticationToken", "not accepted"),
        (403, FORBIDDEN, RefusedError, "Forbidden", "The caller may not. It needs registration"),
        (403, WRAPPED, RefusedError, "EnvironmentAccessDenied", "Denied"),
        (400, {"error": {"code": "ConnectionAuthorizationFailed"}}, RefusedError, "ConnectionAuthorizationFailed", "It needs"),
        (404, SERVICE_TO_SERVICE, MissingError, "ServiceToServiceEnvironmentNotFound", "could not be found"),
        (404, "", MissingError, None, "no such address on this host"),
        (409, {"error": {"code": "Conflict"}}, ConflictError, "Conflict", "plan again"),
        (412, {"error": {"code": "PreconditionFailed"}}, ConflictError, "PreconditionFailed", "plan again"),
        (400, {"error": {"code": "InvalidApiVersion", "message": "Use another."}}, UnfamiliarError, "InvalidApiVersion", "Use another"),
        (429, {"error": {"code": "TooManyRequests"}}, ThrottledError, "TooManyRequests", "slow down"),
        (429, "Too Many Requests", ThrottledError, None, "slow down"),
        (500, "", UnreachableError, None, "just now"),
        (503, "<html>Service Unavailable</html>", UnreachableError, None, "just now"),
        (511, "<html>Sign in</html>", UnfamiliarError, None, "a web page .* proxy"),
        (403, "<html>Blocked by Contoso Web Filter</html>", UnfamiliarError, None, "a web page .* proxy"),
        (404, "<html>No such site</html>", UnfamiliarError, None, "a web page .* proxy"),
        (200, "<html>Please sign in to the network</html>", UnfamiliarError, None, "a web page .* proxy"),
        (200, "", UnfamiliarError, None, "proxy"),
        (200, {"error": {"code": "Odd"}}, UnfamiliarError, None, "unknown form"),
        (200, {"value": [{"name": 7}]}, UnfamiliarError, None, "unknown form.*name"),
        (200, b'{"value": [{"na', UnfamiliarError, None, "unknown form"),
        (407, "", UnfamiliarError, None, "proxy"),
    ],
)  # fmt: skip
async def test_an_answer_becomes_the_right_error(status, body, kind, code, words):
    error = await error_of([said(status, body)])

    assert type(error) is kind
    assert error.code == code
    assert (error.service, error.operation) == ("powerapps", CONNECTIONS_OF_CONNECTOR.id)
    assert re.search(words, str(error))
    assert "\n" not in str(error)


async def test_a_refusal_names_what_is_missing():
    error = await error_of([said(403, FORBIDDEN, x_ms_correlation_request_id="abc-1")])

    assert isinstance(error, RefusedError)
    assert error.lacks == CONNECTIONS_OF_CONNECTOR.needs
    assert error.request_id == "abc-1"
    assert "environment Default-1" in str(error)


async def test_a_list_that_breaks_off_gives_what_it_has_before_the_error():
    transport, _ = a_transport([said(200, b'{"value": [{"name": "c1", "properties": {}}, {"name": ')])
    items = transport.items(CONNECTIONS_OF_CONNECTOR, Connection, at=AT)

    assert (await anext(items)).name == "c1"
    with pytest.raises(UnfamiliarError):
        await anext(items)


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (httpx2.ConnectError("All connection attempts failed"), "cannot be reached"),
        (httpx2.ConnectTimeout("timed out"), "cannot be reached"),
        (httpx2.ReadTimeout("timed out"), "gave no answer"),
        (httpx2.RemoteProtocolError("peer closed connection"), "gave no answer"),
        (httpx2.ProxyError("407 Proxy Authentication Required"), "The proxy does not let"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_no_answer_to_a_read_is_unreachable(failure, words):
    def fail(request):
        raise failure

    error = await error_of(fail)

    assert type(error) is UnreachableError
    assert words in str(error)
    assert "api.powerapps.com" in str(error)


async def test_an_untrusted_certificate_is_named_as_such():
    def fail(request):
        cause = ssl.SSLCertVerificationError("certificate verify failed")
        cause.verify_message = "self-signed certificate in certificate chain"
        raise httpx2.ConnectError("failed") from cause

    transport, wire = a_transport(fail)
    with pytest.raises(UnreachableError, match=r"self-signed certificate in certificate chain.*ca_file"):
        await names(transport)

    assert len(wire.asked) == 1  # it does not pass by waiting


# --- asking again --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_a_read_is_asked_again_until_it_is_answered(status):
    transport, wire = a_transport([said(status, ""), said(status, ""), said(200, a_page("c1"))])

    assert await names(transport) == ["c1"]
    assert len(wire.asked) == 3
    assert (transport.traffic.requests, transport.traffic.retries) == (3, 2)
    assert transport.traffic.throttled == (2 if status == 429 else 0)


@pytest.mark.parametrize("status", [400, 403, 404, 409])
async def test_an_answer_that_will_not_change_is_not_asked_for_again(status):
    transport, wire = a_transport([said(status, FORBIDDEN)])

    with pytest.raises(CloudError):
        await names(transport)
    assert len(wire.asked) == 1


async def test_patience_ends():
    transport, wire = a_transport([said(503, "")])

    with pytest.raises(UnreachableError):
        await names(transport)
    assert len(wire.asked) == ATTEMPTS


async def test_a_host_that_cannot_be_connected_to_is_given_up_soon():
    def fail(request):
        raise httpx2.ConnectError("refused")

    transport, wire = a_transport(fail)
    with pytest.raises(UnreachableError):
        await names(transport)

    assert len(wire.asked) == ATTEMPTS_TO_CONNECT


async def test_a_wait_that_is_too_long_is_left_to_the_caller():
    date = "Mon, 02 Mar 2026 10:00:00 GMT"  # the cloud's clock is an hour ahead of ours
    transport, wire = a_transport([said(429, "", retry_after="Mon, 02 Mar 2026 10:30:00 GMT", date=date)])

    with pytest.raises(ThrottledError) as caught:
        await names(transport)
    assert len(wire.asked) == 1
    assert caught.value.retry_at == START + timedelta(minutes=90)


async def test_a_keyed_write_is_repeated(written):
    transport, wire = a_transport([said(503, ""), said(200, a_page("c1"))])

    assert await names(transport, written["keyed"]) == ["c1"]
    assert len(wire.asked) == 2


@pytest.mark.parametrize("answer", ["lost", 500, 502, 504])
async def test_a_write_without_a_key_is_sent_once(written, answer):
    def lose(request):
        raise httpx2.ReadTimeout("timed out")

    transport, wire = a_transport(lose if answer == "lost" else [said(answer, "")])

    with pytest.raises(OutcomeUnknownError, match="look what is there"):
        await names(transport, written["unkeyed"])
    assert len(wire.asked) == 1


async def test_a_write_that_never_left_is_only_unreachable(written):
    def fail(request):
        raise httpx2.ConnectError("refused")

    transport, wire = a_transport(fail)
    with pytest.raises(UnreachableError):
        await names(transport, written["unkeyed"])

    assert len(wire.asked) == 1


async def test_a_write_that_was_throttled_did_not_happen(written):
    transport, _ = a_transport([said(429, "", retry_after="5")])

    with pytest.raises(ThrottledError):
        await names(transport, written["unkeyed"])


async def test_a_token_that_was_revoked_is_replaced_once():
    transport, wire = a_transport([said(401, FORBIDDEN), said(200, a_page("c1"))])

    assert await names(transport) == ["c1"]
    assert [request.headers["authorization"] for request in wire.asked] == [
        f"Bearer {TOKEN}-0",
        f"Bearer {TOKEN}-1",
    ]


async def test_a_second_refused_token_is_a_refusal():
    transport, wire = a_transport([said(401, FORBIDDEN)])

    with pytest.raises(RefusedError):
        await names(transport)
    assert len(wire.asked) == 2


# --- time, secrets -------------------------------------------------------------------------------------


async def test_the_clouds_clock_is_read_from_its_answers():
    transport, _ = a_transport([said(200, a_page(), date="Sun, 31 May 2026 09:00:05 GMT")])
    assert transport.cloud_now() is None

    await names(transport)

    assert transport.cloud_now() == START + timedelta(days=90, seconds=5)


async def test_an_unreadable_date_is_no_clock():
    transport, _ = a_transport([said(200, a_page(), date="yesterday")])

    await names(transport)

    assert transport.cloud_now() is None


SECRET_PLACES = {
    "message": lambda secret: said(403, {"error": {"code": "Forbidden", "message": f"Bearer {secret} is bad"}}),
    "code": lambda secret: said(400, {"error": {"code": f"access_token={secret}", "message": ""}}),
    "page": lambda secret: said(200, f"<html>access_token={secret}&x</html>"),
    "json": lambda secret: said(200, {"refresh_token": secret}),
    "location": lambda secret: said(302, "", location=f"https://evil.example/?sig={secret}"),
    "request id": lambda secret: said(500, "", x_ms_request_id=f"Bearer {secret}"),
    "next link": lambda secret: said(200, a_page(next_link=f"https://evil.example/?sig={secret}")),
}  # fmt: skip


@pytest.mark.parametrize("place", SECRET_PLACES)
@given(
    secret=st.text(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~", min_size=12, max_size=60
    ).map("Q~{}".format)  # hypothesis also tries words of our own source, which addresses hold
)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_secret_reaches_an_error_or_a_log(caplog, place, secret):
    with caplog.at_level(logging.DEBUG):
        error = await error_of([SECRET_PLACES[place](secret)])

    seen = "\n".join([str(error), repr(error), getattr(error, "excerpt", ""), caplog.text])
    assert secret not in seen
    assert TOKEN not in seen
    assert error.__cause__ is None


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://API.PowerApps.com/x", "api.powerapps.com"),
        ("https://api.powerapps.com:443/x", "api.powerapps.com"),
        ("https://api.powerapps.com:444/x", "api.powerapps.com:444"),
        ("http://api.powerapps.com", None),
        ("https://a:b@api.powerapps.com", None),
        ("https:///x", None),
        (None, None),
        (7, None),
    ],
)
def test_only_plain_https_has_a_host(url, host):
    assert host_of(url) == host


async def test_an_answer_that_finds_no_room_is_our_own_trouble(monkeypatch, tmp_path):
    monkeypatch.setattr("holdfast.adapters.cloud.transport.IN_MEMORY", 10)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    transport, _ = a_transport([said(200, a_page("c1"))])

    with pytest.raises(StoreError, match=r"cannot be kept in .*gone"):
        await names(transport)


# --- what it takes -------------------------------------------------------------------------------------


async def test_requests_are_counted_by_api_with_what_was_repeated():
    transport, _ = a_transport([said(503, {}, retry_after="0"), said(200, a_page("c1"))])

    await names(transport)

    spent = transport.traffic.told()
    assert (spent.by_api, spent.retries) == ({"powerapps": 2}, 1)


async def test_nothing_leaves_when_the_budget_of_an_api_is_spent():
    page = said(200, a_page("c1", next_link=f"{ASKED}&$skiptoken=2"))
    transport, wire = a_transport([page, said(200, a_page("c2"))])
    transport.traffic.budget = 1

    with pytest.raises(BudgetSpentError, match="run the same command again"):
        await names(transport)

    assert len(wire.asked) == 1
