"""A flow as Dataverse keeps it: one JSON text that holds the definition and the map of its connections."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from holdfast.sandbox.flows.definitions import DefinitionError, keys_used, read_definition
from holdfast.sandbox.records.platform import Flow, FlowConnection

SOURCES = {"embedded": "Embedded", "invoker": "Invoker"}


class ClientData(NamedTuple):
    """What a ``clientdata`` says."""

    definition: dict[str, Any]
    connections: dict[str, FlowConnection]


def written(flow: Flow) -> str:
    """The flow's ``clientdata``."""
    content = {
        "properties": {
            "connectionReferences": {key: _entry(named) for key, named in flow.connections.items()},
            "definition": flow.definition,
        },
        "schemaVersion": "1.0.0.0",
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _entry(named: FlowConnection) -> dict[str, Any]:
    connection: dict[str, Any] = {}
    if named.connection_id is not None:
        connection["name"] = named.connection_id
    if named.reference is not None:
        connection["connectionReferenceLogicalName"] = named.reference
    return {"runtimeSource": named.source.lower(), "connection": connection, "api": {"name": named.connector}}


def read(text: str) -> ClientData:
    """The definition and connections of a ``clientdata``.

    Raises:
        DefinitionError: it is no such JSON, its definition cannot run, or a key that it uses is not in the map.
    """
    try:
        properties = json.loads(text)["properties"]
        references, definition = properties.get("connectionReferences") or {}, properties["definition"]
        connections = {str(key): connection_of(entry) for key, entry in references.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise DefinitionError(
            "The clientdata holds no properties with a definition and connectionReferences."
        ) from None
    check(definition, connections)
    return ClientData(definition, connections)


def connection_of(entry: Mapping[str, Any]) -> FlowConnection:
    """One entry of the map. Raises AttributeError or TypeError for what is none."""
    connection = entry.get("connection") or {}
    return FlowConnection(
        connector=str((entry.get("api") or {}).get("name") or "shared_sql"),
        connection_id=connection.get("name"),
        reference=connection.get("connectionReferenceLogicalName"),
        source=SOURCES.get(str(entry.get("runtimeSource", "embedded")).lower(), "Embedded"),
    )


def check(definition: Any, connections: Mapping[str, FlowConnection]) -> None:
    """Raise DefinitionError for a definition that cannot run, or that names a connection which it does not list."""
    if not isinstance(definition, dict):
        raise DefinitionError("The definition must be an object.")
    for key in keys_used(read_definition(definition)):
        if key not in connections:
            raise DefinitionError(
                f"The connection reference '{key}' is used but not listed in connectionReferences."
            )
