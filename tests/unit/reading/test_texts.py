"""The same cause is read whatever the text was wrapped in."""

import html
import json
from pathlib import Path

import pytest

from holdfast.adapters.tables import load_codebook
from holdfast.diagnosis.causes import BY_ID
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


SAMPLES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "samples" / "error-texts.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample['cause']}: {sample['text'][:40]}")
def test_a_text_in_the_words_of_the_documents_is_named(sample):
    assert cause_of(sample["text"]) == sample["cause"]


def test_every_cause_has_a_sample():
    assert {sample["cause"] for sample in SAMPLES} == {*BY_ID, "unknown", "not_connection"}


def test_a_wrapper_says_nothing_beside_what_it_wraps():
    facts = read_text(
        'status 401 {"error":"invalid_grant","error_description":"AADSTS50057: disabled"}', load_codebook()
    )

    assert [fact.code for fact in facts if fact.causes] == ["AADSTS50057"]
    assert {"401", "invalid_grant"} <= {fact.code for fact in facts}


def test_two_sentences_make_no_phrase():
    assert (
        cause_of("Check that the connection is right. The item was not found.")
        != "connection_missing_or_unshared"
    )


def test_a_word_inside_another_is_no_phrase():
    assert (
        cause_of("Login failed for user 'svc_flow'. Reason: The account is disabled.") == "account_disabled"
    )


def test_an_older_wording_of_a_code_outweighs_what_the_code_mostly_means():
    old = "AADSTS70008: The refresh token has expired due to it being revoked. The user might have changed or reset their password."

    assert cause_of(old) == "password_changed"
    assert cause_of("AADSTS70008: The provided access grant is expired or revoked.") == "token_inactive"


@pytest.mark.parametrize("number", ["-2146232060", "0x80131904", "-2147467259"])
def test_the_number_of_an_exceptions_class_says_nothing(number):
    assert cause_of(f"Error {number}") == "unknown"


def test_a_state_of_a_failed_login_says_more_than_its_number():
    assert cause_of("Error: 18456, Severity: 14, State: 8. sql server") == "bad_credentials"
    assert cause_of("Error: 18456, Severity: 14, State: 5. sql server") == "sql_user_missing"


def test_a_number_that_nobody_calls_an_error_counts_for_nothing():
    assert cause_of("The sql query took 18456 ms for 4060 rows.") == "unknown"


def test_codes_in_the_middle_of_a_log_are_found():
    assert cause_of("x\n" * 1_000_000 + "AADSTS7000222: expired" + "\nx" * 1_000_000) == "secret_expired"


def test_a_sign_that_is_met_twice_speaks_where_it_tells_most():
    # SqlClient's sentence twice over: as the frame of any failed connect, and as a whole of its own
    read = read_text(
        "Netzwerkbezogener oder instanzspezifischer Fehler beim Herstellen einer Verbindung mit SQL Server. Der Server"
        " wurde nicht gefunden, oder auf ihn kann nicht zugegriffen werden.",
        load_codebook(),
    )

    assert diagnose(read)[0].cause.id == "network_or_tls"
