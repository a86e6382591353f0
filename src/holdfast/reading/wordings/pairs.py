"""Two words near each other that tell a state in a sentence nobody listed: a thing, and what is wrong with it.

A pair hints and does not prove, so it speaks only where no listed phrase and no code says more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from holdfast.core.evidence import EvidenceKind
from holdfast.reading.codes import HINT, Meaning
from holdfast.reading.wordings import Spotted, Wording

NEAR: Final = 9
"""How many words may lie between the two."""
READ: Final = 1500
"""Words of a text that are looked at: a sentence that matters stands near the beginning."""
_TOKEN: Final = re.compile(r"[\w']+|[.;!?](?=\s|$)")


class Pair(NamedTuple):
    """A state by its words: one of `things` and, in the same sentence, one of `states`."""

    wording: Wording
    things: frozenset[str]
    states: frozenset[str]


def _pair(code: str, causes: str, weight: float, things: str, states: str) -> Pair:
    meaning = Meaning(tuple(causes.split()), weight, HINT)
    return Pair(
        Wording(code, EvidenceKind.WORDING, meaning, ()), frozenset(things.split()), frozenset(states.split())
    )


PAIRS: Final = (
    _pair(
        "a device that is not accepted",
        "device_not_compliant conditional_access_blocked",
        0.7,
        "device devices",
        "managed compliant compliance joined registered enrolled unmanaged noncompliant",
    ),
    _pair(
        "a connection that cannot be used",
        "connection_missing_or_unshared",
        0.6,
        "connection connections connectionreference connectionid",
        "shared share unshared permission permissions bind unbound owner reference references",
    ),
    _pair(
        "a connection that is not there",
        "connection_missing_or_unshared",
        0.55,
        "connectionreference connectionid connectionname connections",
        "missing found exist exists deleted removed invalid unauthorized unauthenticated",
    ),
    _pair(
        "a gateway that does not answer",
        "gateway_offline network_or_tls",
        0.75,
        "gateway gateways runtime shir opdg",
        "offline unreachable online reach reached unavailable down running stopped responding unresponsive disconnected",
    ),
    _pair(
        "a flow that is off",
        "flow_suspended",
        0.7,
        "flow flows workflow workflows",
        "off suspended disabled stopped deactivated inactive",
    ),
    _pair(
        "a policy on data",
        "dlp_blocked",
        0.7,
        "connector connectors apis",
        "policy policies group groups blocked restricts restricted business prohibited",
    ),
    _pair(
        "a policy that is broken",
        "dlp_blocked conditional_access_blocked",
        0.7,
        "policy apipolicy dlp",
        "violation violations violated violates",
    ),
    _pair(
        "a firewall in between",
        "sql_firewall",
        0.7,
        "firewall publicnetworkaccess",
        "rule rules blocked denied allow allowed deny enable access add",
    ),
    _pair(
        "an address that may not in",
        "sql_firewall",
        0.7,
        "ip",
        "allowed allow denied blocked whitelist allowlist permitted",
    ),
    _pair(
        "public access is off",
        "sql_firewall network_or_tls",
        0.75,
        "public",
        "network endpoint",
    ),
    _pair(
        "a token past its time",
        "token_inactive session_revoked bad_credentials",
        0.6,
        "token tokens grant sign-in session assertion",
        "expired expires expiry lapsed stale inactivity inactive",
    ),
    _pair(
        "a token taken back",
        "session_revoked password_changed",
        0.65,
        "token tokens session sessions grant access",
        "revoked invalidated revocation",
    ),
    _pair(
        "a token that is not accepted",
        "bad_credentials token_audience_or_tenant_wrong token_inactive",
        0.5,
        "token tokens jwt bearer",
        "validation fail failed parsing invalid malformed rejected missing unreadable corrupt corrupted",
    ),
    _pair(
        "the wrong audience",
        "token_audience_or_tenant_wrong",
        0.7,
        "audience issuer tenant tid iss aud",
        "invalid wrong incorrect mismatch match unexpected different expected",
    ),
    _pair(
        "a password past its time", "password_expired", 0.75, "password kennwort", "expired expire expires"
    ),
    _pair(
        "a password that must change",
        "password_expired password_changed",
        0.6,
        "password",
        "change changed reset",
    ),
    _pair(
        "a password that is wrong",
        "bad_credentials",
        0.65,
        "password passwords username credentials credential creds apikey",
        "incorrect wrong invalid rejected bad mismatch missing unknown denied",
    ),
    _pair(
        "an account that is off",
        "account_disabled",
        0.75,
        "account user accountenabled",
        "disabled deactivated inactive suspended",
    ),
    _pair(
        "an account that is locked", "account_locked", 0.8, "account user login", "locked lockout locked_out"
    ),
    _pair(
        "an account that is gone",
        "account_deleted",
        0.65,
        "account user",
        "deleted removed nonexistent exist",
    ),
    _pair(
        "a second factor",
        "mfa_required",
        0.75,
        "mfa multi-factor multifactor factor 2fa otp",
        "required require requires authentication must needed verify enforced enrolled",
    ),
    _pair(
        "a risk",
        "conditional_access_blocked",
        0.65,
        "risk risky",
        "user sign blocked high policy login signin",
    ),
    _pair(
        "a policy of access", "conditional_access_blocked", 0.6, "access sign policy", "conditional blocked"
    ),
    _pair("terms to accept", "terms_of_use", 0.75, "terms", "accept accepted use agree"),
    _pair(
        "a consent that lacks",
        "consent_missing",
        0.75,
        "consent",
        "required missing granted grant admin user given needed not",
    ),
    _pair(
        "a secret past its time",
        "secret_expired",
        0.8,
        "secret secrets clientsecret",
        "expired expire expires expiry",
    ),
    _pair(
        "a secret that is wrong",
        "secret_invalid",
        0.75,
        "secret clientsecret client_secret",
        "invalid wrong incorrect missing mismatch",
    ),
    _pair(
        "a certificate of a server",
        "network_or_tls certificate_invalid",
        0.6,
        "certificate cert ssl tls",
        "trusted untrusted verify verification chain self hostname handshake secure channel validation",
    ),
    _pair(
        "a certificate",
        "certificate_invalid network_or_tls",
        0.5,
        "certificate cert thumbprint pfx",
        "signing load private password expired invalid found missing revoked",
    ),
    _pair(
        "an application that is off or gone",
        "app_disabled_or_missing",
        0.65,
        "application app serviceprincipal principal",
        "disabled deleted exist removed uninstalled",
    ),
    _pair(
        "a right that lacks",
        "role_or_assignment_missing",
        0.6,
        "permission permissions role roles privilege privileges rights authorized authorization entitled",
        "missing denied required insufficient lacks lack lacking not without need needs sufficient",
    ),
    _pair(
        "a database that is not there",
        "sql_database_unavailable sql_transient",
        0.65,
        "database pool warehouse capacity lakehouse",
        "paused offline restoring recovering unavailable resuming suspect available active inactive suspended stopped",
    ),
    _pair(
        "a limit that is reached",
        "throttled",
        0.65,
        "rate requests request calls throttle throttling quota limit",
        "exceeded exceed exceeds limit throttled many reached",
    ),
    _pair(
        "a name that does not resolve",
        "network_or_tls",
        0.75,
        "dns host hostname resolve resolution",
        "resolve resolved unknown found failed failure lookup name",
    ),
    _pair(
        "a connection that is not made",
        "network_or_tls",
        0.6,
        "connection connect socket server port endpoint tcp",
        "refused timeout timed reset unreachable established aborted closed",
    ),
    _pair(
        "a service that is down",
        "service_transient",
        0.6,
        "service server backend",
        "unavailable busy outage overloaded maintenance temporarily",
    ),
    _pair(
        "a piece of the flow or of the data",
        "not_connection",
        0.6,
        "column columns table property properties parameter parameters expression json schema variable field object type file item action template syntax query conversion convert value string integer array body resource list site folder document record row page sheet worksheet workbook cell recipient attachment calendar event channel loop condition trigger formula step steps",
        "found invalid missing required type expected supported valid allowed exists exist parse parsed match initialized duplicate converted unexpected none empty specified requires unsupported unknown ambiguous incompatible truncated locked mismatch undefined exceeds large long range format",
    ),
    _pair(
        "a thing that is not supported",
        "not_connection",
        0.65,
        "supported unsupported",
        "driver feature platform authentication source provider keyword method operation version type connector data not",
    ),
    _pair(
        "a feature that is not there",
        "not_connection",
        0.6,
        "feature edition sku tier option",
        "available unavailable enabled disabled allowed",
    ),
    _pair(
        "a licence or a quota",
        "not_connection",
        0.7,
        "license licence plan capacity storage trial premium subscription",
        "required missing exceeded expired need needs assigned correct purchase run full upgrade",
    ),
)


def pairs(line: str, words: set[str]) -> Iterator[Spotted]:
    """Each pair that the line holds, once."""
    wanted = [
        pair for pair in PAIRS if not pair.things.isdisjoint(words) and not pair.states.isdisjoint(words)
    ]
    if not wanted:
        return
    places: dict[str, list[tuple[int, int, int]]] = {}
    sentence = position = 0
    for found in _TOKEN.finditer(line):
        word = found[0]
        if word in ".;!?":
            sentence += 100  # so far apart that nothing is near across it
        else:
            places.setdefault(word, []).append((position + sentence, found.start(), found.end()))
            position += 1
        if position > READ:
            break
    for pair in wanted:
        if place := _nearest(pair, places):
            yield Spotted(pair.wording, *place)


def _nearest(pair: Pair, places: dict[str, list[tuple[int, int, int]]]) -> tuple[int, int] | None:
    things = [place for word in pair.things & places.keys() for place in places[word][:20]]
    states = [place for word in pair.states & places.keys() for place in places[word][:20]]
    best = min(
        (
            (abs(thing[0] - state[0]), min(thing[1], state[1]), max(thing[2], state[2]))
            for thing in things
            for state in states
            if thing != state
        ),
        default=None,
    )
    return best[1:] if best and best[0] <= NEAR else None
