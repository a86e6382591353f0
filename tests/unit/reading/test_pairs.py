"""Sentences that nobody listed are read by two of their words."""

import pytest

from holdfast.adapters.tables import load_codebook
from holdfast.diagnosis.diagnose import diagnose
from holdfast.reading.texts import read_text
from holdfast.reading.wordings import WORD
from holdfast.reading.wordings.hints import PAIRS
from holdfast.reading.wordings.pairs import pairs


def hints(line):
    return [spotted.wording for spotted in pairs(line, set(WORD.findall(line)))]


def first(text):
    return diagnose(read_text(text, load_codebook()))[0]


FAMILIES = {
    "The stored credential is not accepted any more, please supply another one.": "bad_credentials",
    "We were unable to authenticate as svc-flow.": "bad_credentials",
    "Logging on to the SQL instance did not succeed: the principal was rejected.": "sql_login_failed_other",
    "The grant went stale last week.": "token_inactive",
    "The grant is dormant, nobody made use of it.": "token_inactive",
    "Policy wants that you sign in every eight hours.": "signin_frequency",
    "The token names a directory that the server never trusts.": "token_audience_or_tenant_wrong",
    "Somebody has to approve the scopes first.": "consent_missing",
    "UPDATE on that view is no right of this principal.": "sql_permission_denied",
    "No principal of that kind was mapped in the database.": "sql_user_missing",
    "The client's address is missing from the allowlist.": "sql_firewall",
    "The proxy closed the tunnel.": "network_or_tls",
    "An unexpected fault of the backend.": "service_transient",
    "The connection needs a fix, choose another.": "connection_missing_or_unshared",
    "An administrator ended all sessions of this user.": "session_revoked",
    "The passphrase of the account expired.": "password_expired",
    "The owner left the company and the user object was purged.": "account_deleted",
    "The mailbox owner is deactivated.": "account_disabled",
    "Registration of an authenticator is required.": "mfa_required",
    "The laptop is unmanaged.": "device_not_compliant",
    "Signing in from an untrusted country is stopped.": "conditional_access_blocked",
    "Those connectors were placed by an administrator where they do not go together.": "dlp_blocked",
    "The app's secret ended on Monday and is outdated.": "secret_expired",
    "The enterprise application was uninstalled.": "app_disabled_or_missing",
    "The caller lacks a privilege.": "role_or_assignment_missing",
    "Nothing listens on that tcp port, the socket timed out.": "network_or_tls",
    "The certificate of that host is untrusted.": "network_or_tls",
    "That warehouse will resume in a minute.": "sql_database_unavailable",
    "The transaction was rolled back and may be rerun, it was in conflict.": "sql_transient",
    "All workers of the pool are exhausted.": "throttled",
    "The gateways stopped responding.": "gateway_offline",
    "The workflow was deactivated.": "flow_suspended",
    "The worksheet's column was renamed and is missing.": "not_connection",
    "Options A and B are mutually exclusive, only one must be set.": "not_connection",
}


@pytest.mark.parametrize(("text", "cause"), FAMILIES.items(), ids=FAMILIES.values())
def test_a_sentence_of_a_family_is_named(text, cause):
    assert first(text).cause.id == cause


@pytest.mark.parametrize("text", FAMILIES, ids=FAMILIES.values())
def test_two_words_are_never_said_with_confidence(text):
    assert first(text).confidence < 0.8


def test_words_of_two_sentences_make_no_pair():
    assert hints("the gateway is fine. nobody is offline.") == []


def test_a_host_or_a_namespace_is_no_sentence():
    assert hints("login.contoso.example rejected.gateway.offline") == []


def test_words_far_apart_make_no_pair():
    assert hints(f"gateway {'and so on ' * 5}offline") == []


def test_what_a_text_advises_is_not_what_it_says():
    (said,) = hints("the row has a duplicate key. verify that the gateway is online.")

    assert said.meaning.causes[0] == "not_connection"


def test_advice_is_heard_where_nothing_else_is_said():
    (said,) = hints("something is odd. verify that the gateway is online.")

    assert said.meaning.causes[0] == "gateway_offline"


def test_where_pairs_disagree_the_nearest_words_speak_and_the_others_are_alternatives():
    verdict = first("A rule of some firewall, or else the gateways which serve this site stopped.")

    assert verdict.cause.id == "sql_firewall"
    assert verdict.confidence <= 0.5
    assert "gateway_offline" in verdict.alternatives


def test_a_word_begun_stands_for_its_forms():
    assert hints("authentication failed") == hints("authenticating fails") != []


def test_no_pair_is_trusted_beyond_doubt():
    assert [pair.wording.code for pair in PAIRS if pair.wording.meaning.weight >= 0.8] == []


def test_every_pair_can_be_found():
    lost = []
    for pair in PAIRS:
        about = min(pair.about, default="")
        thing = min(pair.things).rstrip("*")
        state = min(pair.states - pair.things).rstrip("*")
        line = f"{thing} {state} {about}".strip()
        if pair.wording.code not in {wording.code for wording in hints(line)}:
            lost.append((pair.wording.code, line))

    assert lost == []


def test_words_about_data_do_not_weigh_against_a_refusal():
    assert first("Requesting the path with that query is unsupported.").cause.id == "not_connection"
    refused = first("Requesting the path with that query is unsupported, status code 403.")

    assert refused.cause.id == "role_or_assignment_missing"
    assert refused.confidence < 0.8


def test_a_check_that_fails_before_anything_is_asked_is_no_broken_connection():
    assert (
        first("Validation error: Connection 'x' does not have a corresponding source.").cause.id
        == "not_connection"
    )


def test_capacity_that_lacks_is_no_paused_database():
    assert first("There is no capacity available on the tenant.").cause.id == "not_connection"
    assert first("The capacity is paused by its owner.").cause.id == "sql_database_unavailable"


RULES_OF_DATA = [
    "The last administrator cannot be removed or disabled, he is the only user of that kind.",
    "A user of that name already exists.",
    "The owner of these rows can't be deleted.",
    "You can't revoke this while it is in use.",
    "The support user may not be changed.",
]


@pytest.mark.parametrize("text", RULES_OF_DATA)
def test_what_a_rule_of_the_data_forbids_has_not_happened(text):
    assert first(text).cause.id == "not_connection"


def test_who_is_gone_is_gone():
    assert first("The owner of these rows was deleted.").cause.id == "account_deleted"


def test_an_attempt_to_get_in_is_no_refusal():
    assert first("The folder that you are trying to access doesn't exist.").cause.id == "not_connection"
    assert first("You don't have access to that folder.").cause.id == "role_or_assignment_missing"


@pytest.mark.parametrize(
    "text",
    [
        "Invalid connection string attribute",
        "A connection string was not found.",
        "No connection string named 'Main' exists.",
    ],
)
def test_a_connection_string_is_no_connection(text):
    assert first(text).cause.id == "not_connection"


SOMETHING_ELSE = [
    "The Java runtime cannot be found by the converter.",
    "Conversion stopped: unsupported Parquet footer.",
    "The picture could not be rendered, exceeding eight megapixels.",
]


@pytest.mark.parametrize("text", SOMETHING_ELSE)
def test_a_failure_with_nothing_of_a_connection_in_it_is_no_broken_connection(text):
    verdict = first(text)

    assert verdict.cause.id == "not_connection"
    assert verdict.confidence < 0.8


SAYS_NOTHING = [
    "Something went wrong.",
    "There's a problem with the flow's trigger.",
    "The weather is fine over the Parquet mountains.",  # no failure
    "The Parquet gateway has issues.",  # of connections, but what is told by nobody
]


@pytest.mark.parametrize("text", SAYS_NOTHING)
def test_what_says_nothing_stays_unknown(text):
    assert first(text).cause.id == "unknown"
