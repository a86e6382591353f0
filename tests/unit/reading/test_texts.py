"""The same cause is read whatever the text was wrapped in."""

import html
import json

import pytest

from holdfast.adapters.tables import load_codebook
from holdfast.diagnosis.diagnose import diagnose
from holdfast.reading.texts import read_text

IDLE = (
    "AADSTS700082: The refresh token has expired due to inactivity. The token was issued on"
    " 2026-05-20T16:18:37.2732417Z and was inactive for 90.00:00:00."
)
WRAPPED = {
    "bare": IDLE,
    "lower case": IDLE.lower(),
    "with line ends of Windows": IDLE.replace(". ", ".\r\n"),
    "with a non-breaking space": IDLE.replace(". ", ".\u00a0"),
    "with invisible characters": IDLE.replace(" ", " \u200b"),
    "as JSON": json.dumps({"error": "invalid_grant", "error_description": IDLE}),
    "as JSON in JSON in JSON": json.dumps({"m": json.dumps({"m": json.dumps({"error_description": IDLE})})}),
    "as HTML": f"<p>{html.escape(json.dumps({'d': IDLE}))}</p>",
    "escaped twice": html.escape(html.escape(json.dumps({"d": IDLE}))),
    "cut off": json.dumps({"error_description": IDLE})[:80],
    "behind the wrapper of older answers": "AADSTS70002: Error validating credentials. " + IDLE,
    "behind the platform's envelope": "Failed to refresh access token for service: aadcertificate. Correlation Id=g-1,"
    f' Error: Failed to acquire token from AAD: {{"error":"invalid_grant","error_description":"{IDLE}"}}',
    "as a list of codes only": '{"error":"invalid_grant","error_codes":[700082]}',
}


def cause_of(text: str) -> str:
    return diagnose(read_text(text, load_codebook()))[0].cause.id


@pytest.mark.parametrize("text", WRAPPED.values(), ids=WRAPPED.keys())
def test_an_idle_token_is_recognised(text):
    assert cause_of(text) == "token_inactive"


CASES = {
    "a SQL number and its words": ("Login failed for user 'app'. (Microsoft SQL Server, Error: 18456)", {"bad_credentials", "sql_login_failed_other"}),
    "a denied right": ("The SELECT permission was denied on the object 'T', database 'd', schema 'dbo'.", {"sql_permission_denied"}),
    "a firewall": ("Client with IP address '1.2.3.4' is not allowed to access the server.", {"sql_firewall"}),
    "an expression that fails": (
        "InvalidTemplate. Unable to process template language expressions in action 'X': the function 'first' expects an array.",
        {"not_connection"},
    ),
    "nothing known": ("Something went wrong.", {"unknown"}),
    "nothing at all": ("", {"unknown"}),
}  # fmt: skip


@pytest.mark.parametrize(("text", "causes"), CASES.values(), ids=CASES.keys())
def test_it_names(text, causes):
    assert cause_of(text) in causes


def test_the_end_of_a_very_long_text_is_read_too():
    assert cause_of("x" * 3_000_000 + " " + IDLE) == "token_inactive"


def test_a_quote_holds_no_secret():
    text = "AADSTS7000215: Invalid client secret provided. client_secret=Abc8Q~abcdefghijklmnop"

    assert not [each for each in read_text(text, load_codebook()) if "abcdefghijklmnop" in each.quote]
