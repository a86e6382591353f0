"""The page of settings, from the models that read them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

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
    from holdfast.settings.shape import Hosts, Identity, SecretStores, Settings, Tenant, Vault, Watch

    tables: list[tuple[str, str, type[BaseModel]]] = [
        ("At the top of the file", "", Settings),
        ("`[secrets]`", "secrets.", SecretStores),
        ("`[secrets.vault]`", "secrets.vault.", Vault),
        ("`[watch]`", "watch.", Watch),
        ("`[tenants.NAME]`", "tenants.NAME.", Tenant),
        ("`[tenants.NAME.hosts]`", "tenants.NAME.hosts.", Hosts),
        (
            "`[tenants.NAME.reader]`, and likewise `operator`, `app_admin`, `sql_admin`, `flow_reader`, and `[secrets.vault.identity]`",
            "tenants.NAME.reader.",
            Identity,
        ),
    ]
    lines = [HEAD]
    for title, prefix, model in tables:
        lines += [f"## {title}", "", _first_sentences(model), ""]
        lines += ["| Key | Default | Meaning |", "| --- | --- | --- |", *_rows(prefix, model), ""]
    return "\n".join(lines)


def _rows(prefix: str, model: type[BaseModel]) -> Iterator[str]:
    from holdfast.settings.complaint import known_keys

    said = attributes(model.__doc__ or "")
    for key in known_keys(tuple(prefix.rstrip(".").split(".")) if prefix else ()):
        if key not in (
            "tenants",
            "hosts",
            "secrets",
            "vault",
            "identity",
            "watch",
            "reader",
            "operator",
            "app_admin",
            "sql_admin",
            "flow_reader",
        ):
            default = _default(model.model_fields[key].default)
            yield f"| `{prefix}{key}` | {default} | {said.get(key, '')} |"


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return ""
    if isinstance(value, timedelta):
        return f"`{value // timedelta(hours=1)}h`"
    return "" if value is None or value == () else f"`{str(value).lower()}`"


def _first_sentences(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").partition("Attributes:")[0].split())


def attributes(docstring: str) -> dict[str, str]:
    """The "Attributes" part of a Google docstring, by name."""
    part = docstring.partition("Attributes:")[2]
    found = re.findall(r"^        (\w+): (.*?)(?=^        \w+: |\Z)", part, re.MULTILINE | re.DOTALL)
    return {name: _sentence(" ".join(words.split())) for name, words in found}


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
