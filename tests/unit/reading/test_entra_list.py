"""Sign-in errors are read by the words of Entra's list, by the codes of its libraries and by the numbers of Windows."""

from __future__ import annotations

import pytest

from holdfast.adapters.tables import load_codebook
from holdfast.diagnosis.diagnose import diagnose
from holdfast.reading.texts import read_text

BOOK = load_codebook()
LISTED = {  # code, and the words that Entra's list has for it
    "70046": "The session has expired or is invalid due to re-authentication checks by conditional access.",
    "50052": "The password entered exceeds the maximum length.",
    "70000": "Provided grant is invalid or malformed.",
    "650055": "The application 'x' required resource access list does not contain applications discoverable by 'y'.",
    "50187": "Failed to perform device authentication.",
    "9001011": "Device policy contains unsupported required device state: 'x'.",
    "50159": "Claims sent by external provider are not enough.",
    "50176": "Missing definition of external control: 'x'.",
    "50014": "The user's redemption is in a pending state.",
    "650054": "The application 'x' asked for permissions to access a resource that has been removed or is no longer available.",
    "500017": "Application 'x' is not allowed as a resource application to execute the flow.",
    "5000225": "This tenant has been blocked due to inactivity.",
    "9002331": "Application 'x' is configured for use by Microsoft Account users only.",
    "50107": "The requested federation realm object 'x' does not exist.",
    "90036": "An unexpected, non-retryable error stemming from the directory service has occurred.",
    "50032": "RSA key size 'x' is less than the minimum required 'y' bits.",
}
OF_LIBRARIES = {
    "no_account_in_silent_request: please pass an account object": "token_inactive",
    "MsalUiRequiredException: ErrorCode: no_tokens_found": "token_inactive",
    "BrowserAuthError: get_request_failed": "network_or_tls",
    "ErrorCode: federated_service_returned_error": "bad_credentials",
    "ErrorCode: managed_identity_unreachable_network": "network_or_tls",
    "ErrorCode: cert_without_private_key": "certificate_invalid",
}
OF_WINDOWS = {
    "The call failed: 0x80070775": "account_locked",
    "The call failed: 0x80070533": "account_disabled",
    "The call failed: -2147022989": "password_expired",
    "The call failed: 0x800b0109": "network_or_tls",
    "The call failed: -2147014836": "network_or_tls",
}


def _first(text: str) -> str:
    return diagnose(read_text(text, BOOK))[0].cause.id


@pytest.mark.parametrize("code", LISTED)
def test_the_words_of_the_list_say_what_its_code_says(code: str) -> None:
    assert _first(LISTED[code]) == _first(f"AADSTS{code}: x")


@pytest.mark.parametrize("text", OF_LIBRARIES)
def test_the_codes_of_sign_in_libraries_are_known(text: str) -> None:
    assert _first(text) == OF_LIBRARIES[text]


@pytest.mark.parametrize("text", OF_WINDOWS)
def test_the_numbers_of_windows_are_known_in_both_forms(text: str) -> None:
    assert _first(text) == OF_WINDOWS[text]


def test_what_follows_a_refused_handshake_does_not_make_it_unknown() -> None:
    text = (
        "Error: 17806, Severity: 20, State: 14. SSPI handshake failed with error code 0x80090308, state 14 while"
        " establishing a connection with integrated security. The token supplied to the function is invalid"
    )
    assert _first(text) == "sql_login_failed_other"
