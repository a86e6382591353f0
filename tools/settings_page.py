"""The page of settings, from the models that read them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from holdfast.cli.commands.config import in_words

HEAD = """# Settings

One TOML file, then environment variables, then flags; the later wins. The file is the one of `--config`, else that of
`HOLDFAST_CONFIG`, else `holdfast.toml` in your user's configuration folder (`holdfast config path` prints where); never one in
the current directory. `holdfast init` writes it with comments, `holdfast config show` prints what is in effect and where
each value comes from, secrets masked.

A variable is named like the key, in capitals, with `HOLDFAST_` before it and two underscores for each dot:
`HOLDFAST_TENANTS__CONTOSO__READER__CLIENT_ID`. Lists have commas between. The usual `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and one of
`AZURE_CLIENT_SECRET`, `AZURE_CLIENT_CERTIFICATE_PATH` and `AZURE_FEDERATED_TOKEN_FILE` fill the reader of that tenant, where the
settings give it no credential, and no other role. Paths in the file are relative to the file.

A secret never stands in the file. It is referred to: `keyring:NAME` (the operating system's keyring), `file:NAME` (the
encrypted file), `keyvault:NAME` (an Azure key vault) or `env:VARIABLE`; `holdfast secret set NAME` stores one. Made from the code by `make docs`.
"""


def page() -> str:
    """Markdown."""
    from holdfast.settings.complaint import TABLES

    lines = [HEAD]
    for name, model in TABLES.items():
        if name in _LIKE_THE_READER:
            continue
        lines += [f"## {_title(name)}", "", _first_sentences(model), ""]
        lines += ["| Key | Default | Meaning |", "| --- | --- | --- |", *_rows(name, model), ""]
    return "\n".join(lines)


_OTHER_ROLES = ("operator", "app_admin", "sql_admin", "flow_reader")
_LIKE_THE_READER = {*(f"tenants.NAME.{role}" for role in _OTHER_ROLES), "secrets.vault.identity"}


def _title(name: str) -> str:
    if name == "tenants.NAME.reader":
        others = ", ".join(f"`{role}`" for role in _OTHER_ROLES)
        return f"`[{name}]`, and likewise {others}, and `[secrets.vault.identity]`"
    return f"`[{name}]`" if name else "At the top of the file"


def _rows(table: str, model: type[BaseModel]) -> Iterator[str]:
    from holdfast.settings.complaint import TABLES, known_keys

    said = attributes(model.__doc__ or "")
    prefix = f"{table}." if table else ""
    for key in known_keys(tuple(table.split("."))):
        if any(f"{each}.".startswith(f"{prefix}{key}.") for each in TABLES):
            continue
        default = _default(model.model_fields[key].default)
        yield f"| `{prefix}{key}` | {default} | {said.get(key, '')} |"


def _default(value: Any) -> str:
    if value is PydanticUndefined or value is None or value in ((), ""):
        return ""
    if isinstance(value, tuple):
        return f"`{', '.join(value)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else in_words(value)}`"


def _first_sentences(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").partition("Attributes:")[0].split())


def attributes(docstring: str) -> dict[str, str]:
    """The "Attributes" part of a Google docstring, by name."""
    part = docstring.partition("Attributes:")[2]
    found = re.findall(r"^        (\w+): (.*?)(?=^        \w+: |\Z)", part, re.MULTILINE | re.DOTALL)
    return {name: _sentence(" ".join(words.split())) for name, words in found}


def _sentence(words: str) -> str:
    return words if "://" in words.split()[0] else words[:1].upper() + words[1:]
