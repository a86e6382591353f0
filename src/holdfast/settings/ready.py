"""The settings of a running sandbox, from the ready file that it wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs
from pydantic import SecretStr

from holdfast.core.errors import SettingsError
from holdfast.core.identity import Role
from holdfast.settings.load import build
from holdfast.settings.shape import Settings

KINDS = ("authority", "graph", "powerapps", "bap", "flow", "powerplatform", "apihub")


KEY_FILE = "secrets.key"
"""In the state folder: what a sandbox's secrets are encrypted with, so that no keyring is asked for them."""


def from_ready(ready: Path | Mapping[str, Any], state_dir: Path | None = None) -> Settings:
    """One tenant named `sandbox` with the hosts and identities of a running sandbox.

    That the sandbox still runs shows when it is asked.

    Args:
        ready: the file, or what stands in it.
        state_dir: where holdfast keeps what it learns; None is a folder of its own beside the user's state.

    Raises:
        SettingsError: it is no ready file.
    """
    content = ready if isinstance(ready, Mapping) else _read(ready)
    name = "the ready file" if isinstance(ready, Mapping) else str(ready)
    missing = [key for key in ("tenant_id", "ca_file", *KINDS) if not content.get(key)]
    if missing:
        raise SettingsError(
            f"{name} is no ready file of `holdfast sandbox up`: it has no {', '.join(missing[:3])}."
        )
    tenant = {
        "tenant_id": content["tenant_id"],
        "hosts": {
            **{kind: content[kind] for kind in KINDS},
            "dataverse": sorted({_host_of(url) for url in (content.get("dataverse") or {}).values()}),
            **_sql(content),
        },
        "ca_file": content["ca_file"],
        "allow_custom_hosts": True,
        **_identities(content),
    }
    state = state_dir or platformdirs.user_state_path("holdfast", appauthor=False) / "sandbox"
    secrets = {"store": "file", "key_file": state / KEY_FILE}
    return build(
        {"state_dir": state, "secrets": secrets, "tenants": {"sandbox": tenant}},
        {"tenants": name, "state_dir": "default", "secrets": "default"},
    )


def _host_of(url: str) -> str:
    # A running sandbox tells its organisations apart by path, the cloud by host.
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _sql(content: Mapping[str, Any]) -> dict[str, list[str]]:
    sql = content.get("sql") or {}
    host, port = sql.get("host"), sql.get("port")
    if not host or not port:
        return {}
    named = [f"{name}={host}:{each}" for name, each in (sql.get("servers") or {}).items()]
    return {"sql": [f"{host}:{port}", *named]}


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"There is no running sandbox at {path} ({error.strerror}): start one with `holdfast sandbox up --ready-file {path}`."
        ) from None
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise SettingsError(f"{path} is no ready file of `holdfast sandbox up`: it is not a JSON object.")
    return content


def _identities(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Per role, the application that the ready file names for it."""
    apps = {app.get("name"): app for app in content.get("apps") or ()}
    roles = content.get("roles") or {}
    return {
        role.value: {"client_id": app["client_id"], "secret": SecretStr(app["secret"])}
        for role in Role
        if (app := apps.get(roles.get(role.value))) and app.get("secret")
    }
