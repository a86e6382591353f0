"""What the numbers of Windows, of .NET and of Dataverse mean (winerror.h; "Web service error codes"), read 2026-11-24."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from holdfast.core.evidence import EvidenceKind
from holdfast.reading.codes import ENVELOPE, FAMILY, Meaning
from holdfast.reading.platform_codes import (
    FLOW_CLIENT,
    NETWORK,
    NO_BREAK,
    ROLE,
    SAYS_NOTHING,
    THROTTLED,
    KnownCode,
)

HRESULTS: Final[Mapping[str, KnownCode]] = {
    number: KnownCode(f"0x{number}", EvidenceKind.CONNECTOR, meaning)
    for number, meaning in {
        "80072322": THROTTLED,  # number of requests
        "80072321": THROTTLED,  # execution time
        "80072326": THROTTLED,  # concurrency
        "80044150": Meaning(("service_transient",), 0.4, ENVELOPE),
        "80040220": ROLE,  # PrivilegeDenied
        "80048306": ROLE,  # a privilege is missing
        "80042f09": ROLE,
        "80048405": ROLE,
        "80072560": Meaning(
            ("role_or_assignment_missing", "account_deleted"), 0.8
        ),  # not a member of the organization
        "80042f0a": Meaning(("role_or_assignment_missing", "account_disabled"), 0.7),  # no roles
        "80040225": Meaning(("account_disabled",), 0.92),  # user disabled
        "8004d24b": Meaning(("account_disabled",), 0.85),
        "80060467": FLOW_CLIENT,  # wraps whatever the flow service answered: connections, licences, definitions
        "80060468": FLOW_CLIENT,
        "80060466": FLOW_CLIENT,
        "80040265": NO_BREAK,  # a plug-in aborted
        "80040224": NO_BREAK,  # a plug-in failed
        "80040203": NO_BREAK,  # invalid argument
        "80044331": NO_BREAK,  # a text is too long
        "80044151": Meaning(("sql_transient", "network_or_tls"), 0.6, FAMILY),  # SQL timeout
        "80048d19": NO_BREAK,  # error identified in payload
        "80040217": NO_BREAK,  # object does not exist
        "80040237": NO_BREAK,  # duplicate record
        "80048d1b": NO_BREAK,
        "80060888": NO_BREAK,
        "80060891": NO_BREAK,
        "8007230b": NO_BREAK,  # licence
        "80131904": SAYS_NOTHING,  # SqlException of .NET
        "80131500": SAYS_NOTHING,
        "80004005": SAYS_NOTHING,  # E_FAIL
        "80131501": SAYS_NOTHING,
        "80070005": Meaning(("role_or_assignment_missing",), 0.75, FAMILY),  # E_ACCESSDENIED
        "8009030c": Meaning(("bad_credentials",), 0.8),  # SEC_E_LOGON_DENIED
        "80090325": Meaning(("network_or_tls",), 0.93),  # SEC_E_UNTRUSTED_ROOT
        "80090328": Meaning(("network_or_tls",), 0.9),  # SEC_E_CERT_EXPIRED
        "80090322": Meaning(("network_or_tls", "sql_login_failed_other"), 0.85),  # SEC_E_WRONG_PRINCIPAL
        "80090331": Meaning(("network_or_tls",), 0.93),  # SEC_E_ALGORITHM_MISMATCH
        "80090302": NETWORK,  # SEC_E_UNSUPPORTED_FUNCTION: no protocol in common
        "80090303": Meaning(
            ("sql_login_failed_other", "network_or_tls"), 0.6, FAMILY
        ),  # SEC_E_TARGET_UNKNOWN
        "80090304": Meaning(
            ("sql_login_failed_other", "network_or_tls"), 0.6, FAMILY
        ),  # SEC_E_INTERNAL_ERROR
        "80090308": Meaning(("network_or_tls", "bad_credentials"), 0.5, FAMILY),  # SEC_E_INVALID_TOKEN
        "8009030e": Meaning(
            ("bad_credentials", "sql_login_failed_other"), 0.6, FAMILY
        ),  # SEC_E_NO_CREDENTIALS
        "80090311": Meaning(
            ("sql_login_failed_other", "network_or_tls"), 0.6, FAMILY
        ),  # no domain controller
        "80090324": Meaning(("sql_login_failed_other", "network_or_tls"), 0.6, FAMILY),  # SEC_E_TIME_SKEW
        "80090326": NETWORK,  # SEC_E_ILLEGAL_MESSAGE
        "80090327": NETWORK,  # SEC_E_CERT_UNKNOWN
        "800b0109": NETWORK,  # CERT_E_UNTRUSTEDROOT
        "800b010f": NETWORK,  # CERT_E_CN_NO_MATCH
        "800b0101": NETWORK,  # CERT_E_EXPIRED
        "80070035": NETWORK,  # ERROR_BAD_NETPATH
        "80070079": Meaning(("network_or_tls", "sql_transient"), 0.85),  # ERROR_SEM_TIMEOUT
        "80070040": Meaning(("network_or_tls", "sql_transient"), 0.85),  # ERROR_NETNAME_DELETED
        "8007274c": NETWORK,  # WSAETIMEDOUT
        "8007274d": NETWORK,  # WSAECONNREFUSED
        "80072746": Meaning(("network_or_tls", "sql_transient"), 0.85),  # WSAECONNRESET
        "80072af9": NETWORK,  # WSAHOST_NOT_FOUND
        "80072efe": Meaning(("network_or_tls", "service_transient"), 0.85),  # connection aborted
        "8007052e": Meaning(("bad_credentials",), 0.9),  # ERROR_LOGON_FAILURE
        "80070520": Meaning(("bad_credentials",), 0.5),  # ERROR_NO_SUCH_LOGON_SESSION
        "80070532": Meaning(("password_expired",), 0.93),
        "80070773": Meaning(("password_expired",), 0.93),  # ERROR_PASSWORD_MUST_CHANGE
        "80070533": Meaning(("account_disabled",), 0.93),
        "80070775": Meaning(("account_locked",), 0.93),  # ERROR_ACCOUNT_LOCKED_OUT
        "80070569": Meaning(("role_or_assignment_missing", "bad_credentials"), 0.8),  # logon type not granted
        "80070534": Meaning(("account_deleted", "bad_credentials"), 0.6),  # ERROR_NONE_MAPPED
        "80072ee7": Meaning(("network_or_tls",), 0.93),  # name not resolved
        "80072efd": Meaning(("network_or_tls",), 0.9),  # cannot connect
        "80072ee2": Meaning(("network_or_tls",), 0.8),  # timeout
        "80072f8f": Meaning(("network_or_tls",), 0.9),  # secure failure
    }.items()
}
"""HRESULTs and Dataverse errors by their eight digits, lower case, as `0x…` or as a signed number."""
