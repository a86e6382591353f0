"""Evidence from other tools, whole, truncated or half wrong → the texts in it that can be explained.

A connection or a run as the platform's APIs write it, sign-in logs as Graph or the portal exports them, lists of
these. What cannot be read is said; what is not known is taken as raw text, which is read for codes and wordings.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

MOST_PIECES: Final = 10_000
_DECODER: Final = json.JSONDecoder()
_CSV_CODE: Final = "Sign-in error code"
_CSV_REASON: Final = "Failure reason"


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing in a document.

    Attributes:
        id: as the document names it, else its number.
        kind: "connection", "run", "action", "sign-in" or "text".
        text: what is to be explained; empty where nothing in it speaks of a failure.
        missing: what was not there or could not be read, a sentence each.
    """

    id: str
    kind: str
    text: str
    missing: tuple[str, ...] = ()


def is_document(head: str) -> bool:
    """Whether this is one document rather than JSON lines of `{"id","text"}`, by how it begins."""
    lines = [line for line in head.lstrip("\ufeff").splitlines() if line.strip()]
    if not lines or any(_is_row(line) for line in lines[:20]):
        return False
    first, rest = lines[0].strip(), lines[1:]
    if _CSV_CODE in first and "," in first:
        return True
    if not first.startswith(("[", "{")):
        return False
    whole = _parsed(first)
    if whole is not None:
        if isinstance(whole, dict):
            return bool(_KNOWN & whole.keys())
        return isinstance(whole, list) and not rest
    if first in ("[", "{") or any(line[0] in " \t" for line in rest[:1]):
        return True
    return not rest and (
        first.startswith("[") or any(f'"{name}"' in first for name in ("properties", "value"))
    )


_KNOWN: Final = frozenset({"properties", "value", "status", "statusCode"})


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _is_row(line: str) -> bool:
    row = _parsed(line)
    return isinstance(row, dict) and "text" in row


def pieces(text: str) -> Iterator[Piece]:
    """Everything in a document that can be told apart; the last piece says where reading ended early."""
    text = text.lstrip("\ufeff \r\n\t")
    if not text.startswith(("{", "[")):
        yield from _of_csv(text)
        return
    for number, found in enumerate(_things(text), 1):
        if number > MOST_PIECES:
            yield Piece(
                str(number),
                "text",
                "",
                (f"Only the first {MOST_PIECES:,} things were read; split the file.",),
            )
            return
        yield found if isinstance(found, Piece) else _piece(found, str(number))


def _things(text: str) -> Iterator[Any]:
    """The document's items: of a list, of `value`, or the document itself, or several written one after the other."""
    try:
        whole = json.loads(text)
    except RecursionError:
        yield Piece("1", "text", "", ("It is nested too deeply and cannot be read.",))
        return
    except ValueError as error:
        several = isinstance(error, json.JSONDecodeError) and error.msg == "Extra data"
        yield from _whole_ones(text, str(error), several=several)
        return
    listed = whole.get("value") if isinstance(whole, dict) else whole
    if isinstance(listed, list):
        yield from listed
    else:
        yield whole


def _begin(text: str) -> int:
    """Where the items of a list begin; the end of the text where there is no list."""
    bracket = 0 if text.startswith("[") else text.find("[", at) if (at := text.find('"value"')) >= 0 else -1
    return bracket + 1 if bracket >= 0 else len(text)


def _whole_ones(text: str, why: str, *, several: bool) -> Iterator[Any]:
    """Of several documents each, of a broken list the items before the break; then the rest as raw text."""
    at, read = 0 if several else _begin(text), 0
    while at < len(text):
        while at < len(text) and text[at] in " \r\n\t,":
            at += 1
        if at >= len(text) or text[at] == "]":
            break
        try:
            thing, at = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        read += 1
        yield thing
    if several and at >= len(text):
        return
    rest = text[at:] if read else text
    said = f"It is not whole JSON ({why}): {read} things before the break were read one by one, the rest as raw text."
    yield Piece(str(read + 1), "text", rest, (said,))


def _piece(thing: Any, number: str) -> Piece:
    if not isinstance(thing, dict):
        return Piece(number, "text", thing if isinstance(thing, str) else json.dumps(thing))
    id = next((str(thing[k]) for k in ("name", "id") if isinstance(thing.get(k), str | int)), number)
    properties = thing.get("properties")
    if isinstance(properties, dict) and ("statuses" in properties or "overallStatus" in properties):
        return _connection(properties, id)
    if isinstance(properties, dict) and ("status" in properties or "error" in properties):
        return _run(properties, id)
    status = thing.get("status")
    if isinstance(status, dict) and "errorCode" in status:
        return _sign_in(thing, status, id)
    if "statusCode" in thing and "body" in thing:
        return Piece(id, "action", f"HTTP {thing['statusCode']} {json.dumps(thing['body'])}")
    if isinstance(thing.get("text"), str):
        return Piece(id, "text", thing["text"])
    return Piece(id, "text", json.dumps(thing, ensure_ascii=False))


def _connection(properties: Mapping[str, Any], id: str) -> Piece:
    missing = []
    statuses = properties.get("statuses")
    found = []
    for status in statuses if isinstance(statuses, list) else []:
        error = status.get("error") if isinstance(status, dict) else None
        if error:
            found.append(_told(error))
        elif not isinstance(status, dict):
            missing.append("A status of it is no object, and was left out.")
    if not isinstance(statuses, list):
        missing.append("Its statuses are not there.")
    if not properties.get("expirationTime"):
        missing.append("No expirationTime: when it was last refreshed is not told.")
    if not found:
        missing.append("No error is recorded in it; the status is only what the last use left behind.")
    return Piece(id, "connection", "\n".join(found), tuple(missing))


def _told(error: Any) -> str:
    """What an error says: its code and its message, or all of it where it is no such object."""
    if isinstance(error, dict) and isinstance(error.get("message") or "", str):
        return f"{error.get('code') or ''}: {error.get('message') or ''}"
    return error if isinstance(error, str) else json.dumps(error, ensure_ascii=False)


def _run(properties: Mapping[str, Any], id: str) -> Piece:
    error, actions = properties.get("error"), properties.get("actions")
    said = _told(error) if error else str(properties.get("code") or "")
    if properties.get("status") == "Succeeded":
        return Piece(id, "run", "", ("It succeeded.",))
    missing = []
    failed = [
        _told(action["error"])
        for action in (
            actions.values() if isinstance(actions, dict) else ()
        )  # as `$expand=properties/actions` gives
        if isinstance(action, dict) and action.get("error") and action.get("status") != "Skipped"
    ]
    failed = [
        said for said in failed if not said.startswith("ActionFailed")
    ] or failed  # a scope's, of what is in it
    if failed:
        said = "\n".join(failed)
    elif "ActionFailed" in said or not error:
        missing.append(
            "A run's own error never tells the cause: give the outputs of its first failed action, which lie behind"
            " its outputsLink."
        )
    return Piece(id, "run", said, tuple(missing))


def _sign_in(row: Mapping[str, Any], status: Mapping[str, Any], id: str) -> Piece:
    code = str(status.get("errorCode"))
    if code == "0":
        return Piece(id, "sign-in", "", ("It succeeded.",))
    applied = row.get("appliedConditionalAccessPolicies")
    names = [
        str(policy.get("displayName") or policy.get("id"))
        for policy in (applied if isinstance(applied, list) else [])
        if isinstance(policy, dict) and policy.get("result") == "failure"
    ]
    missing = () if isinstance(applied, list) else ("Which policies were applied is not in it.",)
    by = f" Refused by {', '.join(names)}." if names else ""
    return Piece(id, "sign-in", f"AADSTS{code}: {status.get('failureReason') or ''}{by}", missing)


def _of_csv(text: str) -> Iterator[Piece]:
    """The portal's download of the sign-in log (column names from public exports, not documented)."""
    try:
        for number, row in enumerate(csv.DictReader(io.StringIO(text)), 1):
            if number > MOST_PIECES:
                yield Piece(str(number), "text", "", (f"Only the first {MOST_PIECES:,} rows were read.",))
                return
            code = (row.get(_CSV_CODE) or "").strip()
            id = row.get("Request ID") or str(number)
            if not code.isdigit():
                yield Piece(id, "sign-in", "", (f"Row {number} has no whole error code.",))
            elif code == "0":
                yield Piece(id, "sign-in", "", ("It succeeded.",))
            else:
                yield Piece(id, "sign-in", f"AADSTS{code}: {row.get(_CSV_REASON) or ''}")
    except csv.Error as error:
        yield Piece("0", "text", "", (f"The table cannot be read on: {error}.",))
