"""Inventory and supposed changes → which connections die, when, and whether they come back (pure).

What each change does is written here from the documents, not taken from the sandbox: that both agree is a test.
Sources: entra-docs refresh-tokens.md @0122266 (the revocation matrix), users-revoke-access.md @07d3251, Power
Platform troubleshoot-broken-connections.md @051c368, concept-session-lifetime.md @0039785.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from holdfast.core.evidence import Evidence, EvidenceKind
from holdfast.core.facts import REFRESH_TOKEN_IDLE_LIMIT
from holdfast.core.finding import End
from holdfast.core.horizon import Condition, Interval
from holdfast.core.inventory import Flow
from holdfast.core.policies import AccessPolicy
from holdfast.core.verdict import Remedy
from holdfast.diagnosis.diagnose import diagnose
from holdfast.diagnosis.forecast import Known, forecast
from holdfast.diagnosis.policies import hit_of, names_of
from holdfast.diagnosis.usage import is_kept_alive, runs_per_week_of
from holdfast.reading.credentials import CAUSE_OF_KIND, candidates
from holdfast.reading.witnesses import last_refresh


class Certainty(StrEnum):
    """How surely."""

    CERTAIN = "certain"
    POSSIBLE = "possible"  # sources conflict, or something about it is out of sight


@dataclass(frozen=True, slots=True)
class Supposition:
    """One change that is supposed.

    Attributes:
        verb: one of VERBS.
        target: whom or what it concerns; "" for everybody.
        policy: for "policy".
        length: for "advance".
    """

    verb: str
    target: str = ""
    policy: AccessPolicy | None = None
    length: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Death:
    """That a connection dies of a supposed change.

    Attributes:
        verb: of the supposition that does it.
        code: what the error will say; "" where it says none.
        at: not before; the access token that it holds works to its end.
        because: in a sentence, with the source where sources conflict.
    """

    verb: str
    cause: str
    code: str
    end: End
    certainty: Certainty
    at: datetime
    because: str


@dataclass(frozen=True, slots=True)
class Consequence:
    """What the supposed changes do to one connection.

    Attributes:
        deaths: surest and earliest first; never empty.
        stops: switched-on flows that it carries.
        runs_lost_per_week: of those with a schedule; None where none has one.
        before: what can be done before the change, best first.
    """

    known: Known
    deaths: tuple[Death, ...]
    stops: tuple[Flow, ...]
    runs_lost_per_week: float | None
    before: tuple[Remedy, ...]


def consequence(known: Known, supposed: Sequence[Supposition], now: datetime) -> Consequence | None:
    """What happens to one connection; None if it lives on, or is broken already.

    Changes happen in the order given; time that passes passes for those before it, too.
    """
    if known.verdict is not None:
        return None
    deaths: list[Death] = []
    for each in supposed:
        deaths += VERBS[each.verb].effect(known, each, now)
        if each.verb == "advance":
            now += each.length
            deaths += _idle_meanwhile(known, deaths, now)
    if not deaths:
        return None
    ranked = tuple(sorted(deaths, key=lambda death: (death.certainty is Certainty.POSSIBLE, death.at)))
    stops = tuple(flow for flow in known.flows if flow.is_on)
    return Consequence(known, ranked, stops, runs_per_week_of(stops), _before(ranked[0]))


def _person(known: Known, each: Supposition) -> bool:
    if not known.connection.sign_in.has_refresh_token:
        return False
    return not each.target or each.target.casefold() in names_of(known.connection)


def _application(known: Known, each: Supposition) -> bool:
    client = known.connection.client_id
    app = known.apps.get(client) if known.apps is not None and client is not None else None
    if client is None or not known.connection.sign_in.credential:
        return False
    named = {client.casefold(), *((app.display_name.casefold(), app.object_id.casefold()) if app else ())}
    return each.target.partition("/")[0].casefold() in named


def _at(known: Known, now: datetime) -> datetime:
    """Not before its cached access token ends."""
    return max(now, known.connection.token_expires_at or now)


def _of_person(
    cause: str, code: str, end: End, because: str, certainty: Certainty = Certainty.CERTAIN
) -> Effect:
    """The effect of a change to the account behind a connection."""

    def effect(known: Known, each: Supposition, now: datetime) -> Iterator[Death]:
        if _person(known, each):
            yield Death(each.verb, cause, code, end, certainty, _at(known, now), because)

    return effect


def _of_application(cause: str, code: str, because: str) -> Effect:
    """The effect of a change to the application behind a connection."""

    def effect(known: Known, each: Supposition, now: datetime) -> Iterator[Death]:
        if _application(known, each):
            yield Death(each.verb, cause, code, End.REFUSED, Certainty.CERTAIN, _at(known, now), because)

    return effect


def _secret_ends(known: Known, each: Supposition, now: datetime) -> Iterator[Death]:
    """A secret is removed or expires: APP, or APP/KEY for one of several."""
    if not _application(known, each):
        return
    kind = known.connection.sign_in.credential
    app = (known.apps or {}).get(known.connection.client_id or "")
    if app is None:
        because = (
            f"Which {kind}s the application has could not be read, so that this may be the one it holds."
        )
        yield _secret_death(known, each, now, Certainty.POSSIBLE, because)
        return
    held = candidates(known.connection, app, last_refresh(known.witnesses))
    live = [secret for secret in held if secret.expires_at is None or secret.expires_at > now]
    key = each.target.partition("/")[2].casefold()
    ended = [s for s in live if not key or key in (s.key_id.casefold(), s.display_name.casefold())]
    if not ended:
        return
    name = app.display_name or app.client_id
    if len(ended) == len(live):
        yield _secret_death(known, each, now, Certainty.CERTAIN, f"It holds this {kind} of {name}.")
        return
    because = f"{len(live)} {kind}s of {name} can be the one it holds; the platform does not tell which."
    yield _secret_death(known, each, now, Certainty.POSSIBLE, because)


def _secret_death(
    known: Known, each: Supposition, now: datetime, certainty: Certainty, because: str
) -> Death:
    kind = known.connection.sign_in.credential
    expired = each.verb == "expire-secret"
    cause = CAUSE_OF_KIND[kind] if expired or kind == "certificate" else "secret_invalid"
    code = "AADSTS700027" if kind == "certificate" else "AADSTS7000222" if expired else "AADSTS7000215"
    end = End.EXPIRED if expired else End.REFUSED
    return Death(each.verb, cause, code, end, certainty, _at(known, now), because)


def _policy(known: Known, each: Supposition, now: datetime) -> Iterator[Death]:
    hit = hit_of(each.policy, known.connection) if each.policy is not None else None
    if hit is not None:
        certainty = Certainty.CERTAIN if hit.is_certain else Certainty.POSSIBLE
        revoked = hit.cause == "signin_frequency"
        yield Death(
            each.verb,
            hit.cause,
            hit.code,
            End.REVOKED if revoked else End.REFUSED,
            certainty,
            _at(known, now),
            hit.because,
        )


def _connector_blocked(known: Known, each: Supposition, now: datetime) -> Iterator[Death]:
    if not each.target or each.target.casefold() == known.connection.environment.casefold():
        because = (
            "A data policy that blocks the connector suspends its flows, and does not switch them on again."
        )
        yield Death(each.verb, "dlp_blocked", "", End.BLOCKED, Certainty.CERTAIN, now, because)


def _time_passes(known: Known, each: Supposition, now: datetime) -> Iterator[Death]:
    """What is foreseen up to then."""
    until = now + each.length
    for horizon in forecast(known._replace(seen_at=now)):
        if horizon.latest is None or horizon.earliest is None or horizon.earliest > until:
            continue
        if horizon.condition is Condition.IF_UNUSED and is_kept_alive(known.flows):
            continue
        sure = horizon.condition is Condition.EXPECTED and horizon.latest <= until
        code = {"token_inactive": "AADSTS700082", "secret_expired": "AADSTS7000222"}.get(horizon.cause, "")
        yield Death(
            each.verb,
            horizon.cause,
            code,
            End.EXPIRED,
            Certainty.CERTAIN if sure else Certainty.POSSIBLE,
            horizon.latest,
            horizon.assumptions[0] if horizon.assumptions else "As foreseen.",
        )


def _idle_meanwhile(known: Known, deaths: Sequence[Death], now: datetime) -> Iterator[Death]:
    """A sign-in that is refused is not refreshed either: its ninety days run on."""
    refused = next((d for d in deaths if d.end is End.REFUSED and d.certainty is Certainty.CERTAIN), None)
    refreshed = last_refresh(known.witnesses)
    if refused is None or refreshed is None or not known.connection.sign_in.has_refresh_token:
        return
    # It may have been refreshed until it was refused.
    dies = Interval(refreshed.earliest, max(refreshed.latest, refused.at)).shifted(REFRESH_TOKEN_IDLE_LIMIT)
    if dies.latest <= now and all(death.cause != "token_inactive" for death in deaths):
        yield Death(
            "advance",
            "token_inactive",
            "AADSTS700082",
            End.EXPIRED,
            Certainty.CERTAIN,
            dies.latest,
            "While it is refused nothing refreshes it, so its 90 days run out and undoing the change no longer helps.",
        )


def _before(death: Death) -> tuple[Remedy, ...]:
    """The remedies of the cause's own page that make sense while all is well."""
    evidence = Evidence(EvidenceKind.STATUS, death.code or death.cause, causes=(death.cause,))
    return tuple(each for each in diagnose([evidence])[0].remedies if each.id not in AFTERWARDS)


AFTERWARDS: Final = frozenset({"sign_in_again", "find_who_revoked", "show_the_evidence"})
"""Remedies of what is broken already."""

Effect = Callable[[Known, Supposition, datetime], Iterator[Death]]


@dataclass(frozen=True, slots=True)
class Verb:
    """A change that can be supposed.

    Attributes:
        operand: what it takes: "", "person", "person?", "application", "environment?", "file" or "length".
    """

    operand: str
    does: str
    effect: Effect


VERBS: Final[Mapping[str, Verb]] = {
    "require-mfa": Verb(
        "person?",
        "demand a second factor of one person, or of everybody",
        _of_person(
            "mfa_required",
            "AADSTS50076",
            End.REFUSED,
            "Each refresh is judged anew; a sign-in that was made with a second factor carries the proof on, and"
            " how this one was made is not known here.",
            Certainty.POSSIBLE,
        ),
    ),
    "policy": Verb(
        "file",
        "switch on a Conditional Access policy: a file as Graph writes it, or a scanned one by name",
        _policy,
    ),
    "reset-password": Verb(
        "person",
        "an administrator resets the password",
        _of_person(
            "password_changed",
            "AADSTS50173",
            End.REVOKED,
            "A reset in the Entra admin center revokes every token (documented); one in the Azure portal may spare it.",
        ),
    ),
    "change-password": Verb(
        "person",
        "the person changes the password",
        _of_person(
            "password_changed",
            "AADSTS50173",
            End.REVOKED,
            "Sources conflict: the revocation matrix spares confidential clients, the platform's own page on broken"
            " connections quotes this error after a password change.",
            Certainty.POSSIBLE,
        ),
    ),
    "revoke-sessions": Verb(
        "person",
        "every session of the person is revoked",
        _of_person(
            "session_revoked",
            "AADSTS50173",
            End.REVOKED,
            "Tokens issued before are refused for good (documented).",
        ),
    ),
    "disable-account": Verb(
        "person",
        "sign-in of the account is blocked",
        _of_person(
            "account_disabled",
            "AADSTS50057",
            End.REFUSED,
            "Each refresh is judged anew; enabled again, the token works unless sessions were revoked, too.",
        ),
    ),
    "delete-account": Verb(
        "person",
        "the account is deleted",
        _of_person(
            "account_deleted",
            "AADSTS500341",
            End.REFUSED,
            "No token is issued for a deleted account; it can be restored for 30 days.",
        ),
    ),
    "delete-secret": Verb("application", "a client secret is removed: APP or APP/KEY", _secret_ends),
    "expire-secret": Verb("application", "a client secret ends: APP or APP/KEY", _secret_ends),
    "disable-app": Verb(
        "application",
        "the application is disabled in the tenant",
        _of_application(
            "app_disabled_or_missing",
            "AADSTS7000112",
            "A disabled application gets no token; enabled, it does again.",
        ),
    ),
    "delete-app": Verb(
        "application",
        "the application is deleted",
        _of_application(
            "app_disabled_or_missing",
            "AADSTS700016",
            "No token is issued for an application that is not there.",
        ),
    ),
    "block-connector": Verb(
        "environment?",
        "a data policy blocks the SQL connector in one environment, or everywhere",
        _connector_blocked,
    ),
    "advance": Verb("length", "so much time passes", _time_passes),
}
