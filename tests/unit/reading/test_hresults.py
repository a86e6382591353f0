"""The numbers of Windows, .NET, OLE DB and Dataverse."""

import pytest

from holdfast.adapters.tables import load_codebook
from holdfast.diagnosis.diagnose import diagnose
from holdfast.reading.hresults import hresult
from holdfast.reading.texts import read_text

# Dataverse, "Web service error codes": by number only, as a client shows it
DATAVERSE = {
    "0x80040220": "role_or_assignment_missing",
    "-2147220960": "role_or_assignment_missing",  # the user does not hold a privilege
    "0x8004A112": "account_disabled",
    "0x80041D52": "token_inactive",
    "0x80072324": "throttled",
    "0x80044306": "network_or_tls",
    "0x80041D50": "bad_credentials",
    "0x80040255": "sql_transient",
    "0x8004D24B": "not_connection",  # no licence
    "0x80048496": "not_connection",  # not listed here: of data
    "0x80060399": "not_connection",
    "0x80040E4D": "bad_credentials",  # OLE DB, DB_SEC_E_AUTH_FAILED
    "0x80040E37": "not_connection",
}


def verdict(text):
    return diagnose(read_text(text, load_codebook()))[0]


@pytest.mark.parametrize(("number", "cause"), DATAVERSE.items())
def test_a_number_says_what_its_list_says(number, cause):
    assert verdict(f"The request failed: {number}").cause.id == cause


def test_words_outvote_a_number_that_nobody_listed():
    assert verdict("0x80048496: AADSTS50173, the grant was revoked").cause.id == "password_changed"


def test_an_unlisted_number_is_never_said_with_confidence():
    assert verdict("The request failed: 0x80060399").confidence < 0.8


def test_what_is_not_dataverses_is_not_guessed():
    assert hresult("80041003") is None  # WMI
    assert hresult("8004de40") is None  # OneDrive
    assert hresult("80070002") is None
