"""What the numbers of Windows, of .NET, of OLE DB and of Dataverse mean (winerror.h, oledberr.h; "Web service error
codes"), read 2026-11-24."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from holdfast.core.evidence import EvidenceKind
from holdfast.reading.codes import ENVELOPE, FAMILY, HINT, Meaning
from holdfast.reading.platform_codes import (
    FLOW_CLIENT,
    NETWORK,
    NO_BREAK,
    ROLE,
    SAYS_NOTHING,
    THROTTLED,
    KnownCode,
)

_BAD_CREDENTIALS: Final = Meaning(("bad_credentials",), 0.75)
_UNREACHED: Final = Meaning(("network_or_tls", "service_transient"), 0.75)
_BUSY: Final = Meaning(("throttled", "service_transient"), 0.8)
_LATER: Final = Meaning(("service_transient", "throttled"), 0.75)
_EXPIRED: Final = Meaning(("token_inactive",), 0.8)
_CERTIFICATE: Final = Meaning(("certificate_invalid", "network_or_tls"), 0.8)


def _each(meaning: Meaning, listed: str) -> dict[str, Meaning]:
    """The same meaning for each of some numbers."""
    return dict.fromkeys(listed.split(), meaning)


_DATAVERSE: Final = {
    **_each(
        ROLE._replace(rank=FAMILY),
        "80040204 80040213 80040220 80040231 80040276 80040277 80040520 80040522 80041d0a 80041d2d 80042f09 8004410f 80044160"
        " 80044270 80044273 80044274 80044279 80044280 80044309 80044502 80044507 8004480d 8004480f 80045016 80045041 80045301"
        " 80048018 80048029 8004802f 80048302 80048306 80048342 80048345 80048400 80048401 80048405 8004852f 80048535 8004a110"
        " 8004a113 8004b012 8004b56d 8004e027 8004f220 8004f307 8004f502 8004f503 8004f504 8004f506 8004f507 8004f50d 8004f800"
        " 8004f863 8004f875 80050100 80050116 80055000 80055002 80055004 8005e232 8005f203 8005f20f 80060701 80060733 80060806"
        " 80060807 80060851 800608b4 800608f8 80060904 800609a6 80061109 8006110a 8006110b 80061116 80061119 80061205 80061219"
        " 80071023 80081018 80154b50",
    ),
    **_each(
        _BAD_CREDENTIALS,
        "8004020f 80042900 80042901 80044178 80044300 80044301 80044302 80044308 80044311 80048015 80048311 80048516 8004a100"
        " 8004a102 8004a105 80041d50 8004b061 8005e003 8005e006 8005e229 8005e243 8005f109 800608b3",
    ),
    **_each(_EXPIRED, "80041d52 8004a101 8004a108 8005f101 8005f107 80072571"),
    **_each(
        _UNREACHED,
        "80044306 80044506 8004b066 8004b068 8004d225 8004d226 80050202 8005e002 8005e227 8005f104 80060761 800608b5 80061631"
        " 80061632 80061635 80061650 80061693 80071024 80072454 80073000",
    ),
    **_each(_BUSY, "8004a001 8005f103 80048544 80060714 80060916 80072323 80072324 80081116"),
    **_each(_LATER, "80060917 8005f034 8005f244 8005f245 80061605 80061696 80072301"),
    **_each(_CERTIFICATE, "8005e239 8005e23a 800608b1 8004ed45 80060767"),
    **_each(Meaning(("sql_transient", "not_connection"), 0.75), "80040255 8004ed47 80071154 80071151"),
    **_each(Meaning(("account_disabled",), 0.85), "8004022b 8004a112"),
    **_each(Meaning(("account_deleted",), 0.75), "80040226 80040354"),
    **_each(Meaning(("app_disabled_or_missing", "account_deleted"), 0.7), "80041d2a 8004f510 80041d49"),
    **_each(Meaning(("flow_suspended",), 0.8), "80045017 80045047 80072342"),
    "8004d221": Meaning(("session_revoked",), 0.6),  # the user signed out
    "8004a104": Meaning(("app_disabled_or_missing", "not_connection"), 0.5),  # the organization is disabled
}
"""Those of Dataverse that tell of a way in that is closed; its thousands of others tell of data."""

_OLE_DB: Final = {
    "80040e4d": Meaning(("bad_credentials", "sql_login_failed_other"), 0.7, FAMILY),  # DB_SEC_E_AUTH_FAILED
    "80040e09": Meaning(("sql_permission_denied",), 0.85, FAMILY),  # DB_SEC_E_PERMISSIONDENIED
    "80040e31": Meaning(("network_or_tls", "sql_transient"), 0.6, FAMILY),  # DB_E_ABORTLIMITREACHED
    **_each(
        Meaning(("not_connection",), 0.8, FAMILY),
        "80040e07 80040e10 80040e14 80040e21 80040e2f 80040e37 80040e57",
    ),
    "80040154": NO_BREAK,  # REGDB_E_CLASSNOTREG: a driver or provider is not installed
    "80004003": Meaning(("not_connection",), 0.6, HINT),
}

_OF_DATA: Final = Meaning(("not_connection",), 0.7, HINT)
_DATAVERSE_BEGIN: Final = (
    *("8004", "8005", "8006"),
    *("800710", "800711", "800724", "800725", "800726", "800810", "800811", "800910", "800920", "801000"),
)
"""How the numbers begin that Dataverse gives its own failures."""
_NOT_DATAVERSE: Final = ("800401", "80040e", "800410", "800488", "8004d0", "8004de")
"""What begins alike and is COM's, OLE DB's, WMI's, DTC's or OneDrive's."""

HRESULTS: Final[Mapping[str, KnownCode]] = {
    number: KnownCode(f"0x{number}", EvidenceKind.CONNECTOR, meaning)
    for number, meaning in {
        "80072322": THROTTLED,  # number of requests
        "80072321": THROTTLED,  # execution time
        "80072326": THROTTLED,  # concurrency
        "80044150": Meaning(("service_transient",), 0.4, ENVELOPE),
        "80072560": Meaning(
            ("role_or_assignment_missing", "account_deleted"), 0.8
        ),  # not a member of the organization
        "80042f0a": Meaning(("role_or_assignment_missing", "account_disabled"), 0.7),  # no roles
        "80040225": Meaning(("account_disabled",), 0.92),  # user disabled
        "8004d24b": NO_BREAK,  # no licence
        **_DATAVERSE,
        **_OLE_DB,
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


def hresult(digits: str) -> KnownCode | None:
    """What eight hexadecimal digits, lower case, mean; None where nobody knows.

    A number of Dataverse that is not listed tells of data: of its 3,407 documented ones 3,240 do.
    """
    known = HRESULTS.get(digits)
    if known is None and digits.startswith(_DATAVERSE_BEGIN) and not digits.startswith(_NOT_DATAVERSE):
        return KnownCode(f"0x{digits}", EvidenceKind.CONNECTOR, _OF_DATA)
    return known
