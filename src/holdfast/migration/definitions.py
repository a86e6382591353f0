"""A flow's definition with server and database in plain words and a connection reference of its own. Pure."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

NEW_FORMS: Final = ("OpenApiConnection", "OpenApiConnectionWebhook", "OpenApiConnectionNotification")
_KEYS: Final = ("connectionName", "connection", "connectionReferenceName")
"""How an action names its entry in the map of connections; the designer writes any of them."""


class Edit(NamedTuple):
    """One change of a definition.

    Attributes:
        where: action names from the root joined by "/", or the key of an entry in the map of connections.
        what: the parameter, or "reference".
    """

    where: str
    what: str
    before: str
    after: str


class Rewritten(NamedTuple):
    """A definition as it will be, and what changes in it."""

    clientdata: str
    edits: tuple[Edit, ...]


def fingerprint(clientdata: str) -> str:
    """SHA-256 over what a flow does and by which references, in canonical JSON: by it an edit is noticed.

    The ids of connections stay out: the environment may write them in when a reference is bound anew.
    """
    try:
        properties = json.loads(clientdata)["properties"]
        entries = properties["connectionReferences"]
        named = {
            key: (entry.get("connection") or {}).get("connectionReferenceLogicalName")
            for key, entry in entries.items()
        }
        text = json.dumps([properties["definition"], named], sort_keys=True)
    except (ValueError, KeyError, TypeError, AttributeError):
        text = clientdata
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def rewritten(
    clientdata: str, keys: frozenset[str], reference: str, server: str | None, database: str | None
) -> Rewritten:
    """The definition bound to another reference, with literals where it leaves server and database to the connection.

    Args:
        keys: the entries of the map of connections that are bound anew.
        reference: logical name of the new reference.
        server: of the connection, for actions that say `default`; `database` likewise.

    Raises:
        ValueError: it cannot be rewritten; the message is a sentence.
    """
    try:
        content = json.loads(clientdata)
        properties = content["properties"]
        entries, definition = properties["connectionReferences"], properties["definition"]
    except (ValueError, KeyError, TypeError):
        raise ValueError("it is no flow definition that holdfast reads.") from None
    changed = copy.deepcopy(content)
    edits = []
    for key in sorted(keys):
        if key not in entries:
            raise ValueError(f"its map of connections has no entry {key!r}.")
        before = entries[key].get("connection") or {}
        named = before.get("connectionReferenceLogicalName") or before.get("name") or ""
        changed["properties"]["connectionReferences"][key]["connection"] = {
            "connectionReferenceLogicalName": reference
        }
        edits.append(Edit(key, "reference", str(named), reference))
    literals = {"server": server, "database": database}
    for path, node in _uses(changed["properties"]["definition"], keys):
        edits += _made_literal(path, node, literals)
    _refuse_old_form(definition, keys)
    return Rewritten(json.dumps(changed, ensure_ascii=False, separators=(",", ":")), tuple(edits))


def diff(flow: str, edits: tuple[Edit, ...]) -> str:
    """The edits as people read a diff."""
    lines = [f"--- {flow}", f"+++ {flow}"]
    for edit in edits:
        lines += [f"@@ {edit.where} @@", f"-{edit.what}: {edit.before}", f"+{edit.what}: {edit.after}"]
    return "\n".join(lines) + "\n"


def _made_literal(path: str, node: Mapping[str, Any], literals: Mapping[str, str | None]) -> Iterator[Edit]:
    parameters = node["inputs"].get("parameters")
    if not isinstance(parameters, dict):
        raise ValueError(f"what {path!r} is asked for cannot be read.")
    for name, literal in literals.items():
        said = parameters.get(name)
        if isinstance(said, str) and said.strip().casefold() not in ("", "default"):
            continue
        if literal is None:
            raise ValueError(f"{path!r} leaves the {name} to the connection, which does not tell it.")
        parameters[name] = literal
        yield Edit(path, name, str(said or ""), literal)


def _uses(definition: Any, keys: frozenset[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, node in nodes(definition):
        if node.get("type") in NEW_FORMS and _key_of(node) in keys:
            yield path, node


def _key_of(node: Mapping[str, Any]) -> str | None:
    inputs = node.get("inputs")
    host = inputs.get("host") if isinstance(inputs, dict) else None
    found = next((host[name] for name in _KEYS if name in host), None) if isinstance(host, dict) else None
    return found if isinstance(found, str) else None


def _refuse_old_form(definition: Any, keys: frozenset[str]) -> None:
    for path, node in nodes(definition):
        if node.get("type") in ("ApiConnection", "ApiConnectionWebhook", "ApiConnectionNotification"):
            host = (node.get("inputs") or {}).get("host") or {}
            said = json.dumps(host.get("connection", ""))
            if any(f"'{key}'" in said for key in keys):
                raise ValueError(f"{path!r} is written in the old form, with the server inside its address.")


def nodes(definition: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every trigger and action with its path, containers before what is in them."""
    if not isinstance(definition, dict):
        return
    for kind in ("triggers", "actions"):
        yield from _within(definition.get(kind), "")


def _within(named: Any, before: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if not isinstance(named, dict):
        return
    for name, node in named.items():
        if not isinstance(node, dict):
            continue
        path = f"{before}{name}"
        yield path, node
        for inner in _branches(node):
            yield from _within(inner, f"{path}/")


def _branches(node: Mapping[str, Any]) -> Iterator[Any]:
    yield node.get("actions")
    for branch in ("else", "default"):
        if isinstance(node.get(branch), dict):
            yield node[branch].get("actions")
    cases = node.get("cases")
    if isinstance(cases, dict):
        for case in cases.values():
            if isinstance(case, dict):
                yield case.get("actions")
