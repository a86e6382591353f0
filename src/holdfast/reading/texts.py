"""A raw error text → evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Final, NamedTuple

from holdfast.core.evidence import Evidence, EvidenceKind
from holdfast.core.inventory import Fault
from holdfast.reading.codes import (
    CLEAR,
    ENVELOPE,
    FAMILY,
    HINT,
    NOTHING,
    SPECIFIC,
    Codebook,
    Meaning,
    entra_meaning,
)
from holdfast.reading.compounds import compounds
from holdfast.reading.hresults import hresult
from holdfast.reading.normal import plain
from holdfast.reading.particulars import instant, particulars
from holdfast.reading.platform_codes import PLATFORM_CODES
from holdfast.reading.sql_codes import Number, call, numbers, severity, states
from holdfast.reading.wordings import ONE_WORD, WORD, Index, Spotted
from holdfast.reading.wordings.entra_list import ENTRA_LIST
from holdfast.reading.wordings.localised import LOCALISED
from holdfast.reading.wordings.network import NETWORK
from holdfast.reading.wordings.pairs import failure_of_something_else, pairs
from holdfast.reading.wordings.platform import PLATFORM
from holdfast.reading.wordings.signin import SIGN_IN
from holdfast.reading.wordings.sql import SQL
from holdfast.reading.wordings.sql_client_translated import TRANSLATED_CLIENT
from holdfast.reading.wordings.sql_engine import SQL_ENGINE

INDEX: Final = Index(
    (*SIGN_IN, *ENTRA_LIST, *SQL, *SQL_ENGINE, *NETWORK, *PLATFORM, *LOCALISED, *TRANSLATED_CLIENT)
)
"""All wordings."""
_AADSTS: Final = re.compile(r"aadsts\s?(\d{5,7})(?!\d)")
_LISTED: Final = re.compile(
    r"error_?codes?[\"' ]{0,2}[:=] ?\[([\d, ]{5,80})\]|error\?code=(\d{5,7})(?!\d)|error\(s\): ?([\d, ]{5,80})"
    r"|sign-?in error code: ?(\d{5,7})(?!\d)|error_?code[\"']? ?: ?[\"']?(\d{5,7})(?=[\"' ]*,?[\"' ]*(?:failure|additional))"
)
_LISTING: Final = ("error_code", "errorcode", "error?code=", "error(s)", "in error code")
_HEX: Final = re.compile(r"0x([0-9a-f]{8})(?![0-9a-f])")
_SIGNED: Final = re.compile(r"-(2\d{9})(?!\d)")
_STATUS: Final = re.compile(r"[45]\d\d(?![\w.]?\d|[\w%])")
_IN_NUMBERS: Final = frozenset("0123456789abcdefghijklmnopqrstuvwxyz_-.")
_BEFORE_STATUS: Final = re.compile(
    r"(?:status(?:[ _]?code)?|http(?:/\d(?:\.\d)?)?|returned|error(?: code)?|code|response)[\s:=\"'(\[]{1,4}$|\($"
)
_AFTER_STATUS: Final = (
    " unauthorized",
    " forbidden",
    " too many",
    " service unavailable",
    " bad gateway",
    " gateway time",
    " internal server",
    " proxy auth",
    " request timeout",
    " not found",
    " method not allowed",
    " conflict",
    " precondition failed",
    " payload too large",
    " request entity too large",
    " unsupported media",
    " unprocessable",
)
_HTTP: Final = {
    "401": Meaning(("bad_credentials", "role_or_assignment_missing", "session_revoked"), 0.42, ENVELOPE),
    "403": Meaning(("role_or_assignment_missing", "conditional_access_blocked"), 0.45, ENVELOPE),
    "404": Meaning(("not_connection", "connection_missing_or_unshared"), 0.45, ENVELOPE),
    "405": Meaning(("not_connection",), 0.6, ENVELOPE),
    "407": Meaning(("network_or_tls",), 0.85),
    "408": Meaning(("network_or_tls", "service_transient"), 0.4, ENVELOPE),
    "409": Meaning(("not_connection",), 0.65, ENVELOPE),
    "412": Meaning(("not_connection",), 0.7, ENVELOPE),
    "413": Meaning(("not_connection",), 0.85, ENVELOPE),
    "415": Meaning(("not_connection",), 0.8, ENVELOPE),
    "422": Meaning(("not_connection",), 0.75, ENVELOPE),
    "429": Meaning(("throttled",), 0.92),
    "500": Meaning(("service_transient",), 0.38, ENVELOPE),
    "502": Meaning(("service_transient", "gateway_offline", "network_or_tls"), 0.6, ENVELOPE),
    "503": Meaning(("service_transient",), 0.75, ENVELOPE),
    "504": Meaning(("service_transient", "network_or_tls", "gateway_offline"), 0.55, ENVELOPE),
}
_PATH: Final = re.compile(r"(?<=://)[^\s/\"'<>]+/[^\s/\"'<>]+/[^\s\"'<>)]+")
"""Where an address leads, but for the short ones that stand for one page of advice."""
_MADE_OF_WORDS: Final = 0.75  # the most that the words within a code are trusted
_BARE: Final = 2  # a code of so few words names no thing
_QUOTE: Final = 160
READ_AT_MOST: Final = 1_000_000
"""Characters of one text: its first and its last half million. Errors are short; what is longer is a log or
meant to keep us busy."""
_CODE_AND_WORDS: Final = re.compile(r"AADSTS\d{5,7}[^\n]{0,200}")
_SECRET: Final = re.compile(
    r"\b(?:password|pwd|client_?secret|secret|sig|accountkey|sharedaccesskey|api_?key|assertion|(?:refresh|access|id)_token)"
    r"(?:[\"']? ?= ?[\"']?|[\"']: ?[\"']|: ?(?=[^\s;&\"',]{0,40}\d))([^\s;&\"',]{6,})|\b(eyj[\w-]{8,}\.[\w.-]+)"
)
_SECRET_MARKS: Final = (
    "password",
    "pwd",
    "secret",
    "sig=",
    "accountkey",
    "accesskey",
    "apikey",
    "api_key",
    "assertion",
    "_token",
    "eyj",
)


class _Sign(NamedTuple):
    """Something recognised in the line, before it is weighed against the rest."""

    kind: EvidenceKind
    code: str
    meaning: Meaning
    start: int
    end: int


def read_text(text: str, book: Codebook, origin: str = "text") -> tuple[Evidence, ...]:
    """What the text says, in the order in which it says it; empty where nothing is recognised.

    Signs that only wrap more telling ones are kept without causes: they are evidence of nothing by themselves.
    The first telling one carries the particulars of the text as its details, and the instant of the refusal.

    Args:
        origin: where the text was seen, kept in each piece of evidence.
    """
    line = plain(within_reach(text))
    folded = line.lower()
    if len(folded) != len(line):  # a few letters grow when lowered; places must stay true
        line = folded
    signs = sorted(_signs(line, folded, book), key=lambda sign: (sign.start, sign.end, sign.code))
    top = max((sign.meaning.rank for sign in signs if sign.meaning.causes), default=ENVELOPE)
    secrets = _secrets(folded)
    facts: dict[tuple[EvidenceKind, str], Evidence] = {}
    told: dict[str, str] | None = None
    for kind, code, meaning, start, end in _strongest(signs):
        tells = meaning.rank == top and bool(meaning.causes)
        first = tells and told is None
        if first:
            told = particulars(line, folded)
        facts[kind, code] = Evidence(
            kind,
            code,
            _quoted(line, start, end, secrets),
            origin,
            at=instant(told["refused_at"]) if first and told and "refused_at" in told else None,
            causes=meaning.causes if tells else (),
            weight=meaning.weight,
            details=told if first and told else {},
        )
    return tuple(facts.values())


def _strongest(signs: list[_Sign]) -> Iterable[_Sign]:
    """Each sign once, where it tells most."""
    kept: dict[tuple[EvidenceKind, str], _Sign] = {}
    for sign in signs:
        key = (sign.kind, sign.code)
        if key not in kept or sign.meaning.rank > kept[key].meaning.rank:
            kept[key] = sign
    return kept.values()


def within_reach(text: str) -> str:
    """The text; of one that is longer than we read its beginning and its end, and Entra's codes between them."""
    if len(text) <= READ_AT_MOST:
        return text
    half = READ_AT_MOST // 2
    codes = dict.fromkeys(found[0] for found in _CODE_AND_WORDS.finditer(text, half, len(text) - half))
    return f"{text[:half]} {' '.join(islice(codes, 1000))} {text[-half:]}"


def read_fault(fault: Fault, book: Codebook, origin: str = "connection") -> tuple[Evidence, ...]:
    """What a connection's recorded fault says: its code and its message read as one text."""
    return read_text(f"{fault.code}: {fault.message}", book, origin)


_DATA: Final = ("not_connection",)
_RIGHT: Final = "role_or_assignment_missing"
_OTHERWISE: Final = frozenset(
    ["not_connection", "network_or_tls", "sql_transient", "service_transient", "gateway_offline"]
)
"""What it cannot be where somebody answered and let nobody in."""


def _signs(line: str, folded: str, book: Codebook) -> list[_Sign]:
    said = folded.replace(*ONE_WORD)
    if "://" in folded:  # a page about a matter is no sentence about it
        said = _PATH.sub(lambda path: " " * len(path[0]), said)
    words = set(WORD.findall(said))
    signs = [*_codes(line, folded, words, book), *map(_worded, INDEX.spot(said, words))]
    top = max((sign.meaning.rank for sign in signs if sign.meaning.causes), default=ENVELOPE)
    if top <= FAMILY:
        compound = list(_compound(line))
        signs += compound
        top = max((sign.meaning.rank for sign in compound), default=top)
    if top < FAMILY:
        numbered = list(map(_numbered, chain(call(folded), severity(folded))))
        signs += numbered
        top = FAMILY if numbered else top
    if top <= HINT:
        hints = list(map(_worded, pairs(_without_wrappers(said, signs), words)))
        if not (_refused(signs) and all(_OTHERWISE.issuperset(hint.meaning.causes[:1]) for hint in hints)):
            signs += hints
    if not any(sign.meaning.causes for sign in signs) and (other := failure_of_something_else(said)):
        signs.append(_worded(other))
    return signs


def _refused(signs: list[_Sign]) -> bool:
    """Whether a status says that somebody was not let in: what words say of data or of the way there does not weigh
    against it."""
    return any(sign.meaning.rank == ENVELOPE and _RIGHT in sign.meaning.causes for sign in signs)


def _without_wrappers(folded: str, signs: list[_Sign]) -> str:
    """The line with blanks where words only say that something failed: they hint at nothing."""
    for sign in signs:
        if sign.meaning.rank == ENVELOPE and sign.kind is EvidenceKind.WORDING:
            folded = f"{folded[: sign.start]}{' ' * (sign.end - sign.start)}{folded[sign.end :]}"
    return folded


def _compound(line: str) -> Iterator[_Sign]:
    """Codes nobody listed, by the words they are made of; they name the kind of failure, no more."""
    for code, sentence, start, end in compounds(line):
        if code.lower() in PLATFORM_CODES:
            continue
        words = set(sentence.split())
        for spotted in INDEX.spot(sentence, words) or pairs(sentence, words):
            meaning = spotted.wording.meaning
            if meaning.causes and meaning.rank > ENVELOPE:
                weight = min(meaning.weight, _MADE_OF_WORDS)
                # "NotFound" is what any failure wears; what stands beside it says of what.
                bare = meaning.rank == HINT and meaning.causes[:1] == _DATA and len(words) <= _BARE
                rank = ENVELOPE if bare else FAMILY
                yield _Sign(
                    EvidenceKind.CONNECTOR, code, meaning._replace(weight=weight, rank=rank), start, end
                )
                break


def _codes(line: str, folded: str, words: set[str], book: Codebook) -> Iterator[_Sign]:
    yield from _entra(folded, book)
    yield from _entra_names(line, folded, words, book)
    yield from map(_numbered, chain(numbers(folded, words, book), states(folded)))
    for word in PLATFORM_CODES.keys() & words:
        known = PLATFORM_CODES[word]
        at = folded.find(word)
        # "unauthorized" in a sentence is a word; as a code the service writes it with a capital.
        if not known.code[0].isupper() or line[at].isupper():
            yield _Sign(known.kind, known.code, known.meaning, at, at + len(word))
    yield from _hresults(folded)
    yield from _statuses(folded)


def _numbered(found: Number) -> _Sign:
    return _Sign(EvidenceKind.SQL, found.number, found.meaning, found.start, found.end)


def _worded(spotted: Spotted) -> _Sign:
    wording, start, end = spotted
    return _Sign(wording.kind, wording.code, wording.meaning, start, end)


def _entra(folded: str, book: Codebook) -> Iterator[_Sign]:
    """Codes in the words of the service, and in the lists that stand beside them."""
    seen: set[str] = set()
    found = [(one[1], one) for one in _AADSTS.finditer(folded)] if "aadsts" in folded else []
    if any(mark in folded for mark in _LISTING):
        found += [(code, one) for one in _LISTED.finditer(folded) for code in re.findall(r"\d{5,7}", one[0])]
    for code, place in found:
        if code not in seen and (place.re is _AADSTS or code in book.aadsts):
            seen.add(code)
            meaning = entra_meaning(code, book)
            yield _Sign(EvidenceKind.AADSTS, f"AADSTS{code}", meaning, place.start(), place.end())


def _entra_names(line: str, folded: str, words: set[str], book: Codebook) -> Iterator[_Sign]:
    """Codes by their names, as sign-in logs and documents write them."""
    for word in book.names.keys() & words:
        at = folded.find(word)
        if line[at].isupper() and word not in PLATFORM_CODES:
            meaning = entra_meaning(book.names[word], book)
            rank = SPECIFIC if meaning.weight >= CLEAR else FAMILY
            code = f"AADSTS{book.names[word]}"
            yield _Sign(EvidenceKind.AADSTS, code, meaning._replace(rank=rank), at, at + len(word))


def _hresults(folded: str) -> Iterator[_Sign]:
    found = [(one[1], one.span()) for one in _HEX.finditer(folded)] if "0x" in folded else []
    if "-2" in folded:
        found += [(f"{(1 << 32) - int(one[1]):08x}", one.span()) for one in _SIGNED.finditer(folded)]
    seen: set[str] = set()
    for digits, (start, end) in found:
        known = hresult(digits)
        if known and digits not in seen:
            seen.add(digits)
            yield _Sign(known.kind, known.code, known.meaning, start, end)


def _statuses(folded: str) -> Iterator[_Sign]:
    seen: set[str] = set()
    for found in _STATUS.finditer(folded):
        start, end = found.span()
        if found[0] in seen or (start and folded[start - 1] in _IN_NUMBERS):
            continue
        if folded.startswith(_AFTER_STATUS, end) or _BEFORE_STATUS.search(folded[max(0, start - 24) : start]):
            seen.add(found[0])
            yield _Sign(EvidenceKind.HTTP, found[0], _HTTP.get(found[0], NOTHING), start, end)


def _secrets(folded: str) -> list[tuple[int, int]]:
    """Where values stand that look like secrets; their names may be quoted, they may not."""
    if not any(mark in folded for mark in _SECRET_MARKS):
        return []
    return [found.span(found.lastindex or 0) for found in islice(_SECRET.finditer(folded), 100)]


def _quoted(line: str, start: int, end: int, secrets: list[tuple[int, int]]) -> str:
    """The piece of the line around a sign, cut at words, secrets masked."""
    left = max(0, start - 40)
    if left:
        left = line.find(" ", left, start) + 1 or start
    right = min(len(line), max(end, left + _QUOTE))
    if right < len(line):
        right = max(line.rfind(" ", end, right), end)
    piece = line[left:right]
    for first, last in reversed(secrets):
        if first < right and last > left:
            piece = f"{piece[: max(0, first - left)]}***{piece[max(0, last - left) :]}"
    return f"{'…' if left else ''}{piece}{'…' if right < len(line) else ''}"
