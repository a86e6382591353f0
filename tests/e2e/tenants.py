"""Settings for a running sandbox, as somebody would write them by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from holdfast.adapters.secrets.encrypted import new_key_file

NOON = datetime(2026, 7, 6, 12, tzinfo=UTC)
"""When a tenant is born whose forecasts are compared with what comes: far from the nightly runs, since what happens
within minutes of a refresh nobody can put before or after it, and not in a season in which three months are 90 days."""

KINDS = ("authority", "graph", "powerapps", "bap", "flow", "powerplatform", "apihub")


def app_of(ready: dict[str, Any], role: str = "reader") -> dict[str, Any]:
    """The application that plays a role."""
    app: dict[str, Any] = next(app for app in ready["apps"] if app["name"] == ready["roles"][role])
    return app


def settings_for(
    ready: dict[str, Any], folder: Path, *, reader: str, vault: str = "", **changes: str
) -> Path:
    """A settings file with one tenant `c`; secrets lie in an encrypted file.

    Args:
        reader: lines of the reader's table.
        vault: role whose application keeps secrets in the sandbox's key vault instead; others are set up then too.
        changes: TOML values that replace lines of the tenant's table.
    """
    if not (folder / "key").exists():
        new_key_file(folder / "key")
    given = {
        "tenant_id": f'"{ready["tenant_id"]}"',
        "ca_file": f'"{ready["ca_file"]}"',
        "allow_custom_hosts": "true",
    }
    lines = ["[secrets]", f'store = "{"keyvault" if vault else "file"}"', 'key_file = "key"']
    if vault:
        lines += ["[secrets.vault]", f'url = "{ready["keyvault"]}"', "[secrets.vault.identity]"]
        lines += [f'client_id = "{app_of(ready, vault)["client_id"]}"', 'secret = "env:VAULT_SECRET"']
    lines += ["[tenants.c]"]
    lines += [f"{key} = {value}" for key, value in (given | changes).items()]
    lines += ["[tenants.c.hosts]", *(f'{kind} = "{ready[kind]}"' for kind in KINDS)]
    lines += [
        f"dataverse = {sorted({hosts_of(url) for url in ready['dataverse'].values()})}".replace("'", '"')
    ]
    if vault:
        sql = ready["sql"]
        places = [f"{sql['host']}:{sql['port']}"]
        places += [f"{name}={sql['host']}:{port}" for name, port in sql["servers"].items()]
        lines += [f"sql = {json.dumps(places)}"]
    lines += ["[tenants.c.reader]", reader, ""]
    for role in ("operator", "app_admin", "sql_admin") if vault else ():
        client_id = app_of(ready, role)["client_id"]
        lines += [
            f"[tenants.c.{role}]",
            f'client_id = "{client_id}"',
            f'secret = "env:{role.upper()}_SECRET"',
        ]
    file = folder / "holdfast.toml"
    file.write_text("\n".join(lines))
    return file


def hosts_of(url: str) -> str:
    """Scheme, host and port."""
    return "/".join(url.split("/")[:3])
