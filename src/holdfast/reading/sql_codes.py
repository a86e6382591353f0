"""SQL Server's error numbers in the labels of the knowledge base, and where a text holds one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from holdfast.reading.codes import ENVELOPE, FAMILY, NOTHING, Codebook, Meaning

GROUPS: Final[Mapping[str, Meaning]] = {
    "availability": Meaning(("sql_database_unavailable", "sql_transient"), 0.7),
    "connector_shape": Meaning(("not_connection",), 0.93),
    "data": Meaning(("not_connection",), 0.95),
    "database": Meaning(("sql_login_failed_other", "sql_user_missing", "sql_database_unavailable"), 0.6),
    "entra_resolve": Meaning(
        ("role_or_assignment_missing", "account_deleted", "app_disabled_or_missing"), 0.6
    ),
    "entra_token": Meaning(("token_audience_or_tenant_wrong", "sql_login_failed_other"), 0.75),
    "entra_user": Meaning(("sql_user_missing", "sql_permission_denied"), 0.7),
    "firewall": Meaning(("sql_firewall",), 0.95),
    "locking": Meaning(("sql_transient",), 0.92),
    "login": Meaning(("sql_login_failed_other", "bad_credentials"), 0.75),
    "network": Meaning(("network_or_tls", "sql_transient"), 0.85),
    "permission": Meaning(("sql_permission_denied",), 0.94),
    "principal": Meaning(("sql_user_missing", "not_connection", "sql_permission_denied"), 0.5),
    "procedure": Meaning(("not_connection",), 0.9),
    "resource": Meaning(("throttled", "sql_transient"), 0.75),
    "schema": Meaning(("not_connection",), 0.95),
    "statement": Meaning(("not_connection",), 0.95),
    "throttle": Meaning(("throttled", "sql_transient"), 0.9),
    "timeout": Meaning(("network_or_tls", "sql_transient", "sql_database_unavailable"), 0.65),
    "tls": Meaning(("network_or_tls",), 0.95),
}
"""Every cause_group of tables/errors.csv."""

_LOGIN_FAILED: Final = Meaning(("sql_login_failed_other", "bad_credentials", "sql_user_missing"), 0.6, FAMILY)
_PASSING: Final = Meaning(("sql_transient", "sql_database_unavailable"), 0.85)
_WRONG_PASSWORD: Final = Meaning(("bad_credentials", "sql_login_failed_other"), 0.88)
_NO_USER: Final = Meaning(("sql_user_missing", "sql_permission_denied"), 0.85)
_NOT_A_BREAK: Final = Meaning(("not_connection",), 0.9)
_NOT_OPEN: Final = Meaning(("sql_database_unavailable", "sql_transient"), 0.85)
_GIVEN_UP: Final = Meaning(("sql_transient", "sql_database_unavailable", "network_or_tls"), 0.75)
_NOT_BEGUN: Final = Meaning(("network_or_tls", "sql_transient"), 0.8)
_FULL: Final = Meaning(("throttled", "sql_transient"), 0.85)
_NEW_PASSWORD: Final = Meaning(("password_expired", "bad_credentials"), 0.75)
_DENIED: Final = Meaning(("sql_permission_denied", "sql_user_missing"), 0.85)


def _each(meaning: Meaning, listed: str) -> dict[str, Meaning]:
    """The same meaning for each of some numbers."""
    return dict.fromkeys(listed.split(), meaning)


LISTED: Final[Mapping[str, Meaning]] = {
    **_each(
        _NOT_OPEN,
        "823 824 904 905 921 922 923 924 926 927 941 942 943 945 946 947 951 952 954 955 956 959 971 972 976 978 979 981"
        " 5064 5120 5171 5172 5173 9003 9004 17142 17148 17187 17188 17813 18401 18451 18461 35250 35262 41131 41142",
    ),
    **_each(_GIVEN_UP, "802 3960 5061 6005 8628 10982 17147 17189 17191 17197 18055 18056 18057 18059 18061"),
    **_each(_NOT_BEGUN, "17194 17195 17198 17828 17829 17832 17835 17836 17838 17841 10065"),
    **_each(_FULL, "17300 17809 17810 17312 40549 40550 40551 40552 40553"),
    **_each(_NEW_PASSWORD, "18462 18463 18464 18465 18466 18467 18468 18471"),
    **_each(_DENIED, "297 1088 2571 3701 4701 5011 6102 15247 15562"),
    **_each(
        Meaning(("sql_login_failed_other", "sql_database_unavailable", "sql_user_missing"), 0.65),
        "4061 4062 4063",
    ),
    **_each(Meaning(("sql_login_failed_other", "bad_credentials"), 0.7), "7416 7437 18482 18483 18485"),
    **_each(Meaning(("sql_user_missing", "sql_permission_denied"), 0.7), "15007 15352 15401 15517"),
    **_each(Meaning(("network_or_tls", "bad_credentials"), 0.7), "17806 17807"),
    **_each(Meaning(("not_connection", "throttled"), 0.75), "18458 18459 18460 1105 9002"),
}
"""Numbers of SQL Server's own list ("Database Engine events and errors", read 2026-11-24) that say something of the
connection and that the table of this product does not hold."""

MEANINGS: Final[Mapping[str, Meaning]] = {
    "18456": _LOGIN_FAILED,
    "40697": _LOGIN_FAILED,
    "4060": Meaning(
        ("sql_login_failed_other", "sql_user_missing", "sql_permission_denied", "sql_database_unavailable"),
        0.6,
        FAMILY,
    ),
    "4064": Meaning(("sql_login_failed_other", "sql_user_missing"), 0.75),
    "911": Meaning(("sql_database_unavailable", "sql_login_failed_other"), 0.7),
    "916": _NO_USER,
    "18470": Meaning(("account_disabled",), 0.95),
    "18486": Meaning(("account_locked",), 0.95),
    "18487": Meaning(("password_expired",), 0.96),
    "18488": Meaning(("password_expired",), 0.96),
    "40635": Meaning(("account_locked", "sql_firewall"), 0.7),
    "40532": Meaning(("sql_login_failed_other", "network_or_tls", "sql_firewall"), 0.5, FAMILY),
    "5": Meaning(("network_or_tls",), 0.8),
    "40623": Meaning(("sql_login_failed_other", "token_inactive", "session_revoked"), 0.5),
    "15404": Meaning(("account_deleted", "role_or_assignment_missing", "network_or_tls"), 0.45),
    "15151": Meaning(("sql_permission_denied", "sql_user_missing"), 0.6),
    "15023": _NOT_A_BREAK,
    "15025": _NOT_A_BREAK,
    "15063": _NOT_A_BREAK,
    "15138": _NOT_A_BREAK,
    "33182": _NOT_A_BREAK,
    "33130": Meaning(("account_deleted", "app_disabled_or_missing", "role_or_assignment_missing"), 0.5),
    "33131": Meaning(("not_connection", "role_or_assignment_missing"), 0.6),
    "33134": Meaning(("role_or_assignment_missing", "sql_user_missing"), 0.85),
    "33159": Meaning(("role_or_assignment_missing", "sql_permission_denied"), 0.75),
    "33155": Meaning(("sql_transient", "bad_credentials", "network_or_tls"), 0.55),  # the client left
    "37353": Meaning(("role_or_assignment_missing",), 0.9),
    "2812": Meaning(("not_connection", "sql_permission_denied"), 0.85),
    "208": Meaning(("not_connection", "sql_permission_denied"), 0.88),
    "1132": _NOT_A_BREAK,
    "40544": Meaning(("not_connection", "throttled"), 0.75),
    "596": _PASSING,
    "615": _PASSING,
    "983": _PASSING,
    "1204": Meaning(("sql_transient", "throttled"), 0.7),
    "3906": Meaning(("sql_database_unavailable", "sql_transient", "not_connection"), 0.6),
    "4221": _PASSING,
    "40020": _PASSING,
    "40143": _PASSING,
    "40166": _PASSING,
    "40197": Meaning(("sql_transient", "sql_database_unavailable", "service_transient"), 0.9),
    "40540": _PASSING,
    "40613": Meaning(("sql_database_unavailable", "sql_transient"), 0.72),
    "701": Meaning(("throttled", "sql_transient"), 0.55),
    "64": Meaning(("sql_transient", "network_or_tls"), 0.65),
    "233": Meaning(("network_or_tls", "sql_transient"), 0.6),
    "10053": Meaning(("sql_transient", "network_or_tls"), 0.6),
    "10054": Meaning(("sql_transient", "network_or_tls"), 0.6),
    "17830": Meaning(("network_or_tls", "sql_transient"), 0.6),
    "0": NOTHING,  # "error: 0" names the provider, not the fault
    "-1": Meaning(("network_or_tls",), 0.5, ENVELOPE),
    "-2": Meaning(("network_or_tls", "sql_transient", "sql_database_unavailable"), 0.6, FAMILY),
    "42108": Meaning(("sql_database_unavailable",), 0.95),
    "42109": Meaning(("sql_database_unavailable", "sql_transient"), 0.85),
    # numbers that drivers give themselves
    "20002": Meaning(
        ("network_or_tls", "sql_login_failed_other"), 0.6, ENVELOPE
    ),  # follows a refused login too
    "20003": Meaning(("network_or_tls", "sql_transient"), 0.75),
    "20004": Meaning(("sql_transient", "network_or_tls"), 0.6),
    "20006": Meaning(("sql_transient", "network_or_tls"), 0.6),
    "20009": Meaning(("network_or_tls",), 0.9),
    "20017": Meaning(("network_or_tls", "sql_transient"), 0.6),
    "20047": Meaning(("sql_transient", "network_or_tls"), 0.7),
}
"""Numbers whose group says too little."""

STATES: Final[Mapping[str, Meaning]] = {
    "2": _NO_USER,
    "5": _NO_USER,
    "6": _WRONG_PASSWORD,
    "7": Meaning(("account_disabled", "bad_credentials"), 0.55),  # the login is off and the password wrong
    "8": _WRONG_PASSWORD,
    "9": _WRONG_PASSWORD,
    "11": Meaning(("sql_user_missing", "sql_permission_denied", "sql_login_failed_other"), 0.6),
    "12": Meaning(("sql_user_missing", "sql_permission_denied", "sql_login_failed_other"), 0.6),
    "18": Meaning(("password_expired",), 0.9),
    "38": Meaning(("sql_login_failed_other", "sql_database_unavailable", "sql_user_missing"), 0.6),
    "40": Meaning(("sql_login_failed_other", "sql_database_unavailable"), 0.6),
    "46": Meaning(("sql_login_failed_other", "sql_database_unavailable", "sql_user_missing"), 0.6),
    "58": Meaning(("bad_credentials", "sql_login_failed_other"), 0.6),
    "65": _WRONG_PASSWORD,
    "126": Meaning(("sql_login_failed_other", "sql_database_unavailable"), 0.6),
    **{str(state): _WRONG_PASSWORD for state in (122, 123, 124)},
    **{
        str(state): Meaning(("token_audience_or_tenant_wrong", "sql_user_missing"), 0.6)
        for state in (*range(102, 112), 132, 133)
    },
}
"""States of 18456, which only the server's log and audit show."""

CLASSES: Final[Mapping[str, Meaning]] = {
    "01": Meaning(("not_connection",), 0.6, FAMILY),
    "01002": Meaning(("network_or_tls", "sql_transient"), 0.6, FAMILY),
    "08": Meaning(("network_or_tls", "sql_transient"), 0.7, FAMILY),
    "08004": Meaning(("sql_login_failed_other", "network_or_tls"), 0.6, FAMILY),
    "08007": Meaning(("sql_transient", "network_or_tls"), 0.7, FAMILY),
    "08S": Meaning(("sql_transient", "network_or_tls"), 0.7, FAMILY),
    "22": Meaning(("not_connection",), 0.85, FAMILY),
    "23": Meaning(("not_connection",), 0.9, FAMILY),
    "28": Meaning(("sql_login_failed_other", "bad_credentials", "sql_user_missing"), 0.6, FAMILY),
    "3D": Meaning(("sql_login_failed_other", "sql_database_unavailable"), 0.6, FAMILY),
    "40": Meaning(("sql_transient",), 0.85, FAMILY),
    "42": Meaning(("not_connection", "sql_permission_denied"), 0.55, ENVELOPE),
    "42501": Meaning(("sql_permission_denied",), 0.9, FAMILY),
    "53": Meaning(("throttled", "sql_transient"), 0.7, FAMILY),
    "57P": Meaning(("sql_transient", "sql_database_unavailable"), 0.7, FAMILY),
    "HYT": Meaning(("network_or_tls", "sql_transient", "sql_database_unavailable"), 0.7, FAMILY),
    "IM": Meaning(("not_connection",), 0.75, FAMILY),
}
"""SQLSTATE by its class or, where that says too little, its whole (ISO 9075 and ODBC's appendix A)."""
SEVERITIES: Final[Mapping[int, Meaning]] = {
    11: Meaning(("not_connection", "sql_permission_denied"), 0.6, FAMILY),
    13: Meaning(("sql_transient", "not_connection"), 0.7, FAMILY),
    14: Meaning(("sql_permission_denied", "sql_login_failed_other", "not_connection"), 0.5, FAMILY),
    15: Meaning(("not_connection",), 0.75, FAMILY),
    16: Meaning(("not_connection", "sql_transient"), 0.65, FAMILY),
    17: Meaning(("throttled", "sql_transient", "sql_database_unavailable"), 0.5, FAMILY),
    20: Meaning(("network_or_tls", "sql_transient"), 0.6, FAMILY),
}
"""What an error of SQL Server is about that no table lists, by its severity: 11 to 16 are for the user to correct, among
them 13 deadlocks and 14 security, 17 lacks resources, from 20 on the connection ends (SQL Server's documentation,
"Database Engine error severities", read 2026-11-24)."""
_SEVERITY: Final = re.compile(r"(?:severity|level|class)[ :=]{1,3}(\d{2})(?!\d)")
_RAN: Final = re.compile(r"\(sql(?:execdirect|execute|fetch|prepare|moreresults)w?\)")
_WHILE_RUNNING: Final = Meaning(("not_connection", "sql_transient"), 0.75, FAMILY)
_SQLSTATE: Final = re.compile(
    r"(?:sql ?state)[\s\])'\":=>\[]{1,6}((?:01|08|22|23|28|3d|40|42|53|57p|hyt|im)[0-9a-z]{2,3})\b"
    r"|[\[(]'?((?:01|08|22|23|28|3d|40|42|hyt|im)[0-9s]{2,3})['\]]"
)
_DIGITS: Final = re.compile(r"(?<![\w.-])-?\d{1,5}(?![\w%]|\.\d|\s?(?:sec|ms\b|minutes|byte))")
_ANNOUNCED: Final = re.compile(
    r"(?<![\w.])(?:sql ?error|error ?number|error ?code|errorcode|native ?error|sqlcode|errno|msg|message|number|error|code"
    r"|fehlercode|fehlernummer|fehler|meldung|erreur|código de error|errore|ошибка|エラー|错误|錯誤|오류)"
    r"(?: ?(?:no\.?|nr\.?|id))?[\s:=\"'#(\[,]{1,5}$"
)
_AFTER_BRACKETED: Final = (")", "] (severity", ", b'", ', b"', ", '")
_STATE: Final = re.compile(r"18456.{1,60}?state\D{1,4}(\d{1,3})\b")
_SQL_WORDS: Final = frozenset(
    [
        "sql",
        "sqlserver",
        "mssql",
        "sqlclient",
        "sqlexception",
        "sqlstate",
        "sqlcmd",
        "sqlerror",
        "sqldriverconnect",
        "odbc",
        "oledb",
        "pymssql",
        "tds",
        "severity",
        "level",
        "class",
        "database",
        "databases",
        "login",
        "procedure",
        "msg",
        "pi",
    ]
)
_STATE_LENGTH: Final = 5
_TOO_COMMON: Final = frozenset(("2", "5", "11", "20", "26", "35", "40", "53", "258"))


class Number(NamedTuple):
    """An error number in a text."""

    number: str
    meaning: Meaning
    start: int
    end: int


def numbers(folded: str, words: set[str], book: Codebook) -> Iterator[Number]:
    """Each SQL error number that the line names, once, in order of appearance.

    A number counts only where a word announces it as an error or it stands in brackets of its own, and the text
    speaks of SQL; small numbers are too often something else to count anywhere.

    Args:
        folded: the line in lower case.
        words: all words of it.
    """
    if _SQL_WORDS.isdisjoint(words):
        return
    seen: set[str] = set()
    names_sql = any("sql" in word for word in words)
    for found in _DIGITS.finditer(folded):
        number, (start, end) = found[0], found.span()
        if number in seen or (number not in book.sql and number not in MEANINGS and number not in LISTED):
            continue
        if number in _TOO_COMMON and not names_sql:
            continue
        bracketed = folded[start - 1 : start] in ("(", "[") and folded.startswith(_AFTER_BRACKETED, end)
        if (bracketed and len(number) > 1) or _ANNOUNCED.search(folded[max(0, start - 40) : start]):
            seen.add(number)
            yield Number(number, meaning_of(number, folded, book), start, end)


def states(folded: str) -> Iterator[Number]:
    """Each SQLSTATE that the line announces or that stands in the brackets of ODBC, once."""
    if "[" not in folded and "sql" not in folded:
        return
    seen: set[str] = set()
    for found in _SQLSTATE.finditer(folded):
        state = (found[1] or found[2]).upper()
        if len(state) == _STATE_LENGTH and state not in seen:
            seen.add(state)
            meaning = next(
                (CLASSES[part] for part in (state, state[:3], state[:2]) if part in CLASSES), NOTHING
            )
            yield Number(f"SQLSTATE {state}", meaning, found.start(), found.end())


def severity(folded: str) -> Iterator[Number]:
    """The severity that the line gives an error of SQL Server."""
    if (found := _SEVERITY.search(folded)) and (known := SEVERITIES.get(min(int(found[1]), 20))):
        yield Number(f"severity {found[1]}", known, found.start(), found.end())


def call(folded: str) -> Iterator[Number]:
    """The call of ODBC that failed, where it is one that only an open connection can make and the error is class 42."""
    if ("'42" in folded or "[42" in folded) and (found := _RAN.search(folded)):
        yield Number("failed while a statement ran", _WHILE_RUNNING, found.start(), found.end())


def meaning_of(number: str, line: str, book: Codebook) -> Meaning:
    """What a number stands for in this line; its state, where it is told, says more."""
    if number == "18456" and (state := _STATE.search(line)) and state[1] in STATES:
        return STATES[state[1]]
    if number in MEANINGS:
        return MEANINGS[number]
    rows = book.sql.get(number, ())
    return GROUPS.get(rows[0].group, NOTHING) if rows else LISTED.get(number, NOTHING)
