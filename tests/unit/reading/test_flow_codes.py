"""The codes of Power Automate's two lists, as the service shows them and in its own words."""

import pytest

from holdfast.adapters.tables import load_codebook
from holdfast.diagnosis.diagnose import diagnose
from holdfast.reading.texts import read_text

SHOWN = {
    '{"error":{"code":"NoListenerConnected","message":"The endpoint was not found."}}': "gateway_offline",
    '{"error":{"code":"ConnectionNotEstablished"}}': "network_or_tls",
    '{"error":{"code":"SessionCreationInvalidCredentials"}}': "bad_credentials",
    '{"error":{"code":"AccountLockedOut"}}': "account_locked",
    '{"error":{"code":"RdpPermissionNotGranted"}}': "role_or_assignment_missing",
    '{"error":{"code":"AttendedUserSessionNotActive"}}': "not_connection",
    '{"error":{"code":"DesktopFlowsActionThrottled"}}': "throttled",
    "TriggerConditionNotMet": "not_connection",
    "WorkflowRunActionRepetitionQuotaExceeded": "throttled",
    "The machine of this desktop flow is offline.": "gateway_offline",
    "Another session of this user is already active on the machine.": "not_connection",
    "Registration failed because of a TLS error.": "network_or_tls",
}


@pytest.mark.parametrize(("text", "cause"), SHOWN.items(), ids=SHOWN.keys())
def test_a_code_of_power_automate_says_what_its_list_says(text, cause):
    assert diagnose(read_text(text, load_codebook()))[0].cause.id == cause


def test_a_run_without_a_machine_leaves_open_why():
    verdict = diagnose(read_text("Error code: NoCandidateMachine", load_codebook()))[0]

    assert verdict.confidence < 0.8
    assert "gateway_offline" in verdict.alternatives
