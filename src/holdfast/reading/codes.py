"""The AADSTS and SQL Server tables as values, and what each code means in the labels of the knowledge base.

The tables' `cause_group` is not our label: `GROUPS` maps every group, and `MEANINGS` says more about a code
whose group is coarser than our labels. The bytes of the tables are read at the edge and handed in.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

ENVELOPE, HINT, FAMILY, NARROW, SPECIFIC, DECISIVE = range(6)
"""How much of the matter a sign tells: what wraps an answer; a guess by single words; what kind of failure it is;
that and a little more; which failure; and that it is this one whatever else is said."""
CLEAR: Final = 0.7
"""A code that means one cause at least this often needs no words beside it; theirs only paraphrase it."""


class Meaning(NamedTuple):
    """Causes that a sign stands for, likeliest first, and how often it means the first one.

    Attributes:
        rank: where a text holds signs of several ranks, only those of the highest speak; the others wrap them.
    """

    causes: tuple[str, ...]
    weight: float = 0.9
    rank: int = SPECIFIC


class Code(NamedTuple):
    """One row of a table.

    Attributes:
        state: the SQL state, or a range of states ("102-111"), "" where the row is for all.
    """

    number: str
    state: str
    name: str
    group: str
    source: str


@dataclass(frozen=True, slots=True)
class Codebook:
    """Both tables, by number.

    Attributes:
        names: names of AADSTS codes in lower case ("ssoartifactrevoked"), as the sign-in log and the documents
            write them, each with its first code; only those of several words.
    """

    aadsts: Mapping[str, Code]
    sql: Mapping[str, tuple[Code, ...]]
    names: Mapping[str, str] = field(default_factory=dict)


def codebook(aadsts: bytes, sql: bytes) -> Codebook:
    """Both tables from the bytes of their CSV files.

    Raises:
        KeyError: a column is missing.
        UnicodeDecodeError: the bytes are not UTF-8.
    """
    by_number: dict[str, tuple[Code, ...]] = {}
    for row in _rows(sql):
        code = Code(row["number"], row["state"], row["name"], row["cause_group"], row["source"])
        by_number[code.number] = (*by_number.get(code.number, ()), code)
    entra = {
        row["code"]: Code(row["code"], "", row["name"], row["cause_group"], row["source"])
        for row in _rows(aadsts)
    }
    names = {
        code.name.lower(): code.number for code in reversed(entra.values()) if _LONG_NAME.match(code.name)
    }
    return Codebook(entra, by_number, names)


_LONG_NAME: Final = re.compile(r"[A-Z][a-z]+(?:[A-Z][a-z]+){2}")


def _rows(table: bytes) -> Iterator[dict[str, str]]:
    return iter(csv.DictReader(io.StringIO(table.decode("utf-8"))))


NOTHING: Final = Meaning((), 0.0)
"""The code is known, but a broken connection cannot be told from it."""

GROUPS: Final[Mapping[str, Meaning]] = {
    "account_deleted": Meaning(("account_deleted",), 0.95),
    "account_disabled": Meaning(("account_disabled",), 0.96),
    "account_locked": Meaning(("account_locked", "bad_credentials", "conditional_access_blocked"), 0.88),
    "account_not_found": Meaning(("account_deleted", "token_audience_or_tenant_wrong"), 0.8),
    "account_type": Meaning(("token_audience_or_tenant_wrong", "account_deleted"), 0.85),
    "app_config": Meaning(("not_connection", "token_audience_or_tenant_wrong"), 0.75),
    "app_disabled": Meaning(("app_disabled_or_missing",), 0.95),
    "app_not_found": Meaning(("app_disabled_or_missing", "token_audience_or_tenant_wrong"), 0.8),
    "ca_app_protection": Meaning(("device_not_compliant", "conditional_access_blocked"), 0.65),
    "ca_block": Meaning(("conditional_access_blocked",), 0.93),
    "ca_device": Meaning(("device_not_compliant", "conditional_access_blocked"), 0.9),
    "ca_location": Meaning(("conditional_access_blocked", "mfa_required"), 0.85),
    "ca_sign_in_frequency": Meaning(("signin_frequency",), 0.95),
    "ca_tou": Meaning(("mfa_required", "terms_of_use", "conditional_access_blocked"), 0.55),
    "claims_transform": Meaning(("not_connection",), 0.6),
    "consent": Meaning(("consent_missing",), 0.93),
    "cross_tenant": Meaning(("conditional_access_blocked", "token_audience_or_tenant_wrong"), 0.6),
    "custom_extension": Meaning(("service_transient", "not_connection"), 0.4),
    "desktop_sso": Meaning(("bad_credentials",), 0.4),
    "device_code": Meaning(("not_connection", "token_inactive"), 0.6),
    "device_credential": Meaning(("device_not_compliant", "bad_credentials"), 0.7),
    "external_mfa": Meaning(("mfa_required", "conditional_access_blocked"), 0.8),
    "federation": Meaning(("bad_credentials", "service_transient", "token_audience_or_tenant_wrong"), 0.4),
    "inactivity": Meaning(("token_inactive",), 0.96),
    "internal": Meaning(("service_transient",), 0.4),
    "kerberos": Meaning(("bad_credentials",), 0.4),
    "lifetime": Meaning(("token_inactive", "signin_frequency"), 0.9),
    "managed_identity": Meaning(("not_connection", "certificate_invalid"), 0.5),
    "mfa": Meaning(("mfa_required",), 0.94),
    "national_cloud": Meaning(("token_audience_or_tenant_wrong",), 0.9),
    "onprem_auth": Meaning(("service_transient", "network_or_tls", "bad_credentials"), 0.5),
    "password": Meaning(("bad_credentials", "password_expired"), 0.8),
    "password_change": Meaning(("password_expired", "bad_credentials"), 0.5),
    "qr_code": Meaning(("bad_credentials",), 0.4),
    "request": Meaning(("not_connection", "bad_credentials"), 0.6),
    "resource": Meaning(("app_disabled_or_missing", "token_audience_or_tenant_wrong"), 0.6),
    "revoked_session": Meaning(("session_revoked", "bad_credentials"), 0.6),
    "risk": Meaning(("conditional_access_blocked",), 0.85),
    "saml": Meaning(("not_connection", "bad_credentials"), 0.6),
    "server_fault": Meaning(("service_transient",), 0.8),
    "session": Meaning(("session_revoked", "not_connection", "token_inactive"), 0.45),
    "signout": Meaning(("not_connection",), 0.6),
    "sp_cert": Meaning(("certificate_invalid",), 0.93),
    "sp_credential": Meaning(("secret_invalid", "certificate_invalid", "bad_credentials"), 0.5),
    "sp_federated": Meaning(("certificate_invalid", "bad_credentials"), 0.8),
    "sp_secret": Meaning(("secret_invalid",), 0.93),
    "spa_lifetime": Meaning(("token_inactive",), 0.93),
    "tenant_blocked": Meaning(("conditional_access_blocked", "account_disabled"), 0.5),
    "tenant_config": Meaning(("token_audience_or_tenant_wrong",), 0.7),
    "tenant_restriction": Meaning(("conditional_access_blocked", "token_audience_or_tenant_wrong"), 0.6),
    "throttling": Meaning(("throttled", "service_transient"), 0.85),
    "token_binding": Meaning(("bad_credentials",), 0.5),
    "transient": Meaning(("service_transient",), 0.93),
    "user_credential": Meaning(("bad_credentials", "certificate_invalid"), 0.75),
}
"""Every cause_group of tables/aadsts.csv."""

_PASSWORD_REVOKED: Final = Meaning(("password_changed", "session_revoked"), 0.72)
_MUST_CHANGE_PASSWORD: Final = Meaning(("password_expired", "bad_credentials"), 0.85)
_WRONG_TENANT: Final = Meaning(("token_audience_or_tenant_wrong",), 0.85)
_ASSERTION: Final = Meaning(("certificate_invalid", "token_audience_or_tenant_wrong", "bad_credentials"), 0.7)

MEANINGS: Final[Mapping[str, Meaning]] = {
    # revoked, not expired: whether by a new password or by a revocation only the audit log tells
    "50173": _PASSWORD_REVOKED,
    "50132": _PASSWORD_REVOKED,
    "50133": _PASSWORD_REVOKED,
    "70000": Meaning(("bad_credentials", "session_revoked", "token_inactive"), 0.6),
    "70008": Meaning(
        ("token_inactive", "password_changed", "session_revoked"), 0.68
    ),  # older texts say revoked, too
    "700081": Meaning(("token_inactive", "signin_frequency"), 0.9),
    "700083": Meaning(("token_inactive", "signin_frequency"), 0.9),
    "50089": Meaning(("token_inactive", "not_connection"), 0.7),
    "50085": Meaning(("token_inactive", "session_revoked", "bad_credentials"), 0.5),
    "500133": Meaning(("token_inactive", "certificate_invalid"), 0.85),
    "70019": Meaning(("token_inactive", "not_connection"), 0.7),
    "70018": Meaning(("bad_credentials", "token_inactive"), 0.6),
    # passwords
    "50055": Meaning(("password_expired",), 0.96),
    "50144": Meaning(("password_expired",), 0.95),
    "50125": _MUST_CHANGE_PASSWORD,
    "50137": _MUST_CHANGE_PASSWORD,
    "50142": Meaning(("password_expired", "conditional_access_blocked"), 0.75),
    "50209": _MUST_CHANGE_PASSWORD,
    "50126": Meaning(("bad_credentials",), 0.95),
    "50056": Meaning(("bad_credentials",), 0.9),
    "50064": Meaning(("bad_credentials",), 0.9),
    "50054": Meaning(("bad_credentials", "password_changed"), 0.8),
    "50135": Meaning(("conditional_access_blocked", "password_expired"), 0.65),
    # accounts
    "50014": Meaning(("account_deleted", "consent_missing"), 0.6),
    "50034": Meaning(("account_deleted", "bad_credentials"), 0.9),
    "51004": Meaning(("account_deleted",), 0.9),
    "50020": Meaning(("account_deleted", "token_audience_or_tenant_wrong"), 0.7),
    "90072": Meaning(("account_deleted", "token_audience_or_tenant_wrong"), 0.7),
    "50178": Meaning(("account_deleted", "token_audience_or_tenant_wrong"), 0.6),
    "50177": Meaning(("account_deleted", "mfa_required", "token_audience_or_tenant_wrong"), 0.5),
    # consent and assignment
    "50105": Meaning(("role_or_assignment_missing",), 0.94),
    "65004": Meaning(("consent_missing",), 0.9),
    "54000": Meaning(("consent_missing", "conditional_access_blocked"), 0.5),
    "650052": Meaning(("app_disabled_or_missing", "consent_missing"), 0.75),
    "650051": Meaning(("app_disabled_or_missing", "consent_missing"), 0.5),
    "650058": Meaning(("app_disabled_or_missing", "consent_missing"), 0.6),
    "650061": Meaning(("role_or_assignment_missing", "consent_missing"), 0.6),
    "650053": Meaning(("not_connection", "consent_missing"), 0.5),
    "65005": Meaning(("consent_missing", "not_connection"), 0.7),
    "90099": Meaning(("consent_missing", "app_disabled_or_missing"), 0.7),
    # applications and resources
    "70001": Meaning(("app_disabled_or_missing", "token_audience_or_tenant_wrong"), 0.85),
    "700016": Meaning(("app_disabled_or_missing", "token_audience_or_tenant_wrong"), 0.72),
    "500011": Meaning(("app_disabled_or_missing", "token_audience_or_tenant_wrong"), 0.62),
    "50001": Meaning(("app_disabled_or_missing", "token_audience_or_tenant_wrong"), 0.6),
    "500012": _WRONG_TENANT,
    "500013": Meaning(("token_audience_or_tenant_wrong", "not_connection"), 0.6),
    "700017": _WRONG_TENANT,
    "700018": _WRONG_TENANT,
    "90129": _WRONG_TENANT,
    "50156": _WRONG_TENANT,
    # tenants, clouds, audiences
    "90002": Meaning(("token_audience_or_tenant_wrong",), 0.92),
    "90019": _WRONG_TENANT,
    "50059": _WRONG_TENANT,
    "50128": _WRONG_TENANT,
    "50049": _WRONG_TENANT,
    "50107": _WRONG_TENANT,
    "50194": _WRONG_TENANT,
    "90124": _WRONG_TENANT,
    "90130": _WRONG_TENANT,
    "9002331": _WRONG_TENANT,
    "9002332": _WRONG_TENANT,
    "9002339": _WRONG_TENANT,
    "500131": _WRONG_TENANT,
    "500136": _WRONG_TENANT,
    "500137": _WRONG_TENANT,
    "700005": _WRONG_TENANT,
    "7000012": _WRONG_TENANT,
    "7000015": _WRONG_TENANT,
    "1000014": _WRONG_TENANT,
    "700023": Meaning(("token_audience_or_tenant_wrong", "certificate_invalid"), 0.6),
    "70011": Meaning(("not_connection", "token_audience_or_tenant_wrong", "consent_missing"), 0.5),
    "1002012": Meaning(("not_connection", "token_audience_or_tenant_wrong"), 0.55),
    "700007": Meaning(("bad_credentials", "token_audience_or_tenant_wrong"), 0.6),
    "7000220": Meaning(("bad_credentials", "token_audience_or_tenant_wrong"), 0.6),
    "1002016": Meaning(("network_or_tls",), 0.9),
    "51000": Meaning(("not_connection", "token_audience_or_tenant_wrong"), 0.5),
    # assertions and keys
    "50013": _ASSERTION,
    "50006": _ASSERTION,
    "500061": _ASSERTION,
    "5000811": _ASSERTION,
    "50027": Meaning(("bad_credentials", "certificate_invalid"), 0.65),
    "500132": Meaning(("bad_credentials", "certificate_invalid"), 0.6),
    "50017": Meaning(("certificate_invalid", "bad_credentials"), 0.85),
    "500183": Meaning(("certificate_invalid",), 0.9),
    "500184": Meaning(("certificate_invalid", "bad_credentials"), 0.8),
    "500187": Meaning(("certificate_invalid", "bad_credentials"), 0.8),
    "50146": Meaning(("certificate_invalid", "not_connection"), 0.7),
    "500031": Meaning(("certificate_invalid", "not_connection"), 0.6),
    "9002323": Meaning(("certificate_invalid", "not_connection"), 0.7),
    # secrets; 70002 says no more than that a more telling code follows
    "70002": Meaning(("bad_credentials", "secret_invalid"), 0.45, FAMILY),
    "700025": Meaning(("not_connection", "bad_credentials", "secret_invalid"), 0.45),
    "9002319": Meaning(("not_connection", "bad_credentials", "secret_invalid"), 0.45),
    "7000222": Meaning(("secret_expired",), 0.96),
    # policies
    "50158": Meaning(("mfa_required", "terms_of_use", "conditional_access_blocked"), 0.55),
    "53004": Meaning(("mfa_required", "conditional_access_blocked"), 0.75),
    "50088": Meaning(("throttled", "mfa_required"), 0.7),
    "50086": Meaning(("mfa_required", "service_transient"), 0.6),
    "50087": Meaning(("service_transient", "mfa_required"), 0.8),
    "51006": Meaning(("signin_frequency", "mfa_required"), 0.5),
    "130501": Meaning(("conditional_access_blocked", "bad_credentials"), 0.6),
    # sessions without a user in front of them
    "16000": Meaning(("account_deleted", "token_audience_or_tenant_wrong", "session_revoked"), 0.45),
    "50058": Meaning(("session_revoked", "not_connection", "token_inactive"), 0.38),
    "50140": Meaning(("not_connection",), 0.7),
    "50199": Meaning(("not_connection",), 0.6),
    # requests that a person must correct
    "54005": Meaning(("not_connection", "bad_credentials", "token_inactive"), 0.7),
    "9002313": Meaning(("bad_credentials", "not_connection"), 0.3),
    "90014": Meaning(("not_connection", "bad_credentials"), 0.75),
    "900144": Meaning(("not_connection", "bad_credentials"), 0.8),
    "90008": Meaning(("consent_missing",), 0.85),
    "50003": Meaning(("service_transient",), 0.8),
    "90024": Meaning(("throttled", "service_transient"), 0.7),
    "90086": Meaning(("token_inactive", "bad_credentials"), 0.5),
    "80012": Meaning(("account_locked", "conditional_access_blocked", "account_disabled"), 0.4),
    "80005": Meaning(("service_transient", "bad_credentials"), 0.5),
    "80007": Meaning(("bad_credentials", "service_transient"), 0.5),
    "80010": Meaning(("service_transient", "bad_credentials"), 0.5),
    "5000224": Meaning(("conditional_access_blocked", "account_disabled"), 0.5),
}
"""AADSTS codes whose group says too little."""


_SHORT: Final = 5
_KIN: Final = 0.65  # how far a code is trusted to mean what the code means that it begins with


def _kin(code: str, book: Codebook) -> Meaning:
    """An unlisted code as the listed one that it begins with: 500532 refines 50053. Assumed, so it ranks as family."""
    for length in range(len(code) - 1, _SHORT - 1, -1):
        kin = entra_meaning(code[:length], book)
        if kin.causes:
            return kin._replace(weight=min(kin.weight, _KIN), rank=FAMILY)
    return NOTHING


def entra_meaning(code: str, book: Codebook) -> Meaning:
    """What an AADSTS code stands for; `NOTHING` where neither table nor list knows it."""
    row = book.aadsts.get(code)
    meaning = MEANINGS.get(code) or (GROUPS.get(row.group, NOTHING) if row else NOTHING)
    if row is None and meaning is NOTHING and len(code) > _SHORT:
        return _kin(code, book)
    if meaning.rank != SPECIFIC:
        return meaning
    return meaning._replace(rank=DECISIVE if meaning.weight >= CLEAR else NARROW)
