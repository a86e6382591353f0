"""Names and instants that a text tells besides its cause."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from holdfast.adapters.tables import load_codebook
from holdfast.reading.particulars import particulars
from holdfast.reading.texts import read_text

REVOKED = (
    "AADSTS50173: The provided grant has expired due to it being revoked. The grant was issued on"
    " '2026-03-02T04:49:05.9557533Z' and the TokensValidFrom date (before which tokens are not valid) for this user is"
    " '2026-04-17T13:09:47.0000000Z'. Correlation ID: 16dcbc3f-3f80-4b7a-a5e5-a2a8e4f37b0f Timestamp: 2026-04-18 13:48:15Z"
)
TOLD = {
    "the sign-in": (REVOKED, "issued_at", "2026-03-02T04:49:05+00:00"),
    "from when tokens are valid": (REVOKED, "valid_from", "2026-04-17T13:09:47+00:00"),
    "the refusal": (REVOKED, "refused_at", "2026-04-18T13:48:15+00:00"),
    "the correlation": (REVOKED, "correlation_id", "16dcbc3f-3f80-4b7a-a5e5-a2a8e4f37b0f"),
    "the limit of a policy": (
        "the maximum allowed lifetime for this request is 86400.",
        "limit",
        "86400",
    ),
    "the application": (
        "keys for app 'ccc25fb8-d83b-4225-b4b7-5f31bfb007be' are expired",
        "application",
        "ccc25fb8-d83b-4225-b4b7-5f31bfb007be",
    ),
    "the client's address": ("Client with IP address '10.1.2.3' is not allowed", "address", "10.1.2.3"),
    "the permission": ("The SELECT permission was denied on the object 'T'", "permission", "SELECT"),
    "the wait": ("Rate limit is exceeded. Try again in 12 seconds.", "retry_after_seconds", "12"),
}


@pytest.mark.parametrize(("text", "name", "value"), TOLD.values(), ids=TOLD.keys())
def test_a_text_tells(text, name, value):
    assert particulars(text, text.lower())[name] == value


def test_an_impossible_date_is_not_told():
    assert particulars("issued on 2026-13-40T25:00:00Z", "issued on 2026-13-40t25:00:00z") == {}


def test_a_masked_value_is_not_told():
    text = "Login failed for user '***'."

    assert particulars(text, text.lower()) == {}


def test_the_telling_fact_carries_them_with_the_instant_of_the_refusal():
    (fact,) = (fact for fact in read_text(REVOKED, load_codebook()) if fact.details)

    assert fact.code == "AADSTS50173"
    assert fact.at == datetime(2026, 4, 18, 13, 48, 15, tzinfo=UTC)
