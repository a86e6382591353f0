"""What somebody with wrong settings is told: one sentence with the key, the place and the cure."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from holdfast.core.errors import SettingsError
from holdfast.settings.shape import (
    Alerts,
    Channel,
    Hooks,
    Hosts,
    Identity,
    Rotate,
    SecretStores,
    Settings,
    Tenant,
    Vault,
    Watch,
)

Origins = Mapping[str, str]


def complain(error: ValidationError, origins: Origins) -> SettingsError:
    """The first thing that is wrong, and how many more there are."""
    problems = error.errors(include_url=False, include_input=False)
    # A key that is misspelt is also missing; the word that was written is what helps.
    problems.sort(key=lambda problem: problem["type"] != "extra_forbidden")
    more = f" ({len(problems) - 1} more after this one)" if len(problems) > 1 else ""
    return SettingsError(f"{_sentence(problems[0], origins)}{more}.")


def place(path: tuple[str, ...], origins: Origins) -> str:
    """Where a key was set, else the first thing in it, else the nearest table above it."""
    inside = f"{'.'.join(path)}."
    within = next((where for key, where in origins.items() if key.startswith(inside)), None)
    own = origins.get(".".join(path)) or within
    above = (origins.get(".".join(path[:length])) for length in range(len(path) - 1, 0, -1))
    return own or next(filter(None, above), "the settings")


def unknown_key(path: tuple[str, ...], origins: Origins) -> str:
    """That there is no such key, with the nearest there is."""
    key, known = path[-1], known_keys(path[:-1])
    near = difflib.get_close_matches(key, known, n=1)
    elsewhere = [name for name, model in TABLES.items() if key in model.model_fields and key not in _INTERNAL]
    if elsewhere:
        hint = f"it belongs in [{elsewhere[0]}]" if elsewhere[0] else "it belongs at the top of the file"
    elif near:
        hint = f"the nearest is {near[0]}"
    elif known:
        hint = f"known here: {', '.join(known)}"
    else:
        hint = f"{'.'.join(path[:-1])} is no table"
    return f"{'.'.join(path)} ({place(path, origins)}) is no setting; {hint}"


def known_keys(table: tuple[str, ...]) -> list[str]:
    """The keys of a table, empty for a table that does not exist."""
    model = _model(table)
    return [name for name in model.model_fields if name not in _INTERNAL] if model else []


_INTERNAL = ("name", "source", "origins")
_ROLES = ("reader", "operator", "app_admin", "sql_admin", "flow_reader")
TABLES: dict[str, type[BaseModel]] = {
    "": Settings,
    "secrets": SecretStores,
    "secrets.vault": Vault,
    "secrets.vault.identity": Identity,
    "watch": Watch,
    "rotate": Rotate,
    "alerts": Alerts,
    "alerts.channels.NAME": Channel,
    "hooks": Hooks,
    "tenants.NAME": Tenant,
    "tenants.NAME.hosts": Hosts,
    **{f"tenants.NAME.{role}": Identity for role in _ROLES},
}
"""Every table of the settings, NAME for the names that people give."""


def _model(table: tuple[str, ...]) -> type[BaseModel] | None:
    if not any(table):
        return Settings
    named = {"tenants": 1, "alerts": 2}.get(table[0], len(table))
    return TABLES.get(".".join("NAME" if at == named else part for at, part in enumerate(table)))


_KINDS = {
    "string_type": "must be text",
    "dict_type": "must be a table",
    "mapping_type": "must be a table",
    "model_type": "must be a table",
    "tuple_type": "must be a list",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "path_type": "must be a path",
}
_TENANT_TABLE = ("tenant",)


def _sentence(problem: Any, origins: Origins) -> str:
    path = tuple(str(part) for part in problem["loc"] if isinstance(part, str) and "[" not in part)
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "extra_forbidden":
        return unknown_key(path, origins)
    if kind == "contradiction":
        both = " and ".join(f"{key} ({place((*path, key), origins)})" for key in context["keys"])
        return f"{'.'.join(path)} has {both}: {problem['msg']}"
    if kind == "missing":
        return f"{'.'.join(path)} is missing ({place(path, origins)})"
    if kind == "enum":
        return f"{'.'.join(path)} ({place(path, origins)}) must be one of {context['expected']}"
    if kind == "greater_than_equal":
        return f"{'.'.join(path)} ({place(path, origins)}) must be {context['ge']} or more"
    words = _KINDS.get(kind) or (problem["msg"][:1].lower() + problem["msg"][1:]).replace(
        "input should be", "must be"
    )
    if path == _TENANT_TABLE and kind == "string_type":
        words += ": it chooses one of the tables [tenants.NAME], which describe them"
    return f"{'.'.join(path)} ({place(path, origins)}) {words}"
