"""The settings file that `holdfast init` writes: two templates with comments, filled in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from holdfast.adapters.secrets.encrypted import new_key_file
from holdfast.core.errors import SettingsError
from holdfast.settings import load
from holdfast.settings.shape import CREDENTIALS, NO_ID

KEY_FILE = "holdfast.key"
OWN_IDS = ("az", "managed_identity")
"""Credentials that bring their own client id."""


class Wanted(NamedTuple):
    """What the new tenant's table says.

    Attributes:
        store: where a new file keeps secrets, "keyring", "file" or "keyvault"; an existing one stays as it is.
        vault_url: of the key vault; `vault_client_id` who opens it, empty for the managed identity of the machine.
        ca_file: of a running sandbox; empty for a tenant of Microsoft's.
        hosts: the table of a running sandbox's hosts, else empty.
    """

    name: str
    tenant_id: str
    cloud: str
    client_id: str
    credential: str
    scope: str
    store: str
    ca_file: str = ""
    hosts: str = ""
    vault_url: str = ""
    vault_client_id: str = ""


def rehearsed(wanted: Wanted, ready: Path) -> Wanted:
    """The same for a running sandbox: its ids, and where it is.

    Raises:
        SettingsError: it is no ready file.
    """
    from holdfast.settings import from_ready

    tenant = from_ready(ready).chosen()
    admin = tenant.app_admin.client_id if tenant.app_admin else None
    client_id = tenant.reader.client_id if tenant.reader else None
    if wanted.credential == "sign_in":
        # The public client that the sandbox's people sign in through.
        client_id = json.loads(ready.read_text(encoding="utf-8"))["accounts"][0]["client_id"]
    hosts = [
        "",
        "# A running sandbox, no cloud of Microsoft's: tokens may go to these hosts.",
        f"[tenants.{wanted.name}.hosts]",
        *(f"{kind} = {json.dumps(url)}" for kind, url in tenant.hosts.given().items()),
        f"dataverse = {json.dumps(tenant.hosts.dataverse)}",
        "",
    ]
    return wanted._replace(
        tenant_id=tenant.tenant_id,
        client_id=client_id or NO_ID,
        ca_file=str(tenant.ca_file),
        hosts="\n".join(hosts),
        vault_url=str(json.loads(ready.read_text(encoding="utf-8")).get("keyvault") or ""),
        vault_client_id=admin or "",
    )


def write(wanted: Wanted, path: Path) -> Iterator[str]:
    """Write a new file, or add the tenant to the one that is there; says what was done, and the next steps.

    Raises:
        SettingsError: the file has that tenant already, or may not be written; it is as it was.
    """
    is_new, asked = not path.exists(), wanted.store
    if not is_new:
        settings = load(path, {})
        wanted = wanted._replace(store=settings.secrets.store)
        if wanted.name in settings.tenants:
            raise SettingsError(
                f"{path} has a tenant {wanted.name} already: name another with --name, or edit the file."
            )
    text = filled("holdfast.toml", wanted) if is_new else path.read_text(encoding="utf-8-sig")
    _replace(path, text.rstrip("\n") + "\n" + filled("tenant.toml", wanted))
    yield f"{'Wrote' if is_new else f'Added {wanted.name} to'} {path}."
    if asked not in (wanted.store, "keyring"):
        yield f'  Its secrets go where [secrets] of that file says, store = "{wanted.store}", and not into the {asked}.'
    key = path.with_name(KEY_FILE)
    if is_new and wanted.store == "file" and not key.exists():
        new_key_file(key)
        yield f"Made {key}, the key of the encrypted secrets: keep a copy of it elsewhere."
    yield from (f"  {step}" for step in _next_steps(wanted))


def filled(template: str, wanted: Wanted) -> str:
    """A template with the values in it."""
    text = (files("holdfast.cli") / "templates" / template).read_text(encoding="utf-8")
    values = {
        "NAME_UPPER": wanted.name.upper().replace("-", "_"),
        "NAME": wanted.name,
        "TENANT_ID": wanted.tenant_id,
        "CLOUD": wanted.cloud,
        "CLIENT_ID": wanted.client_id,
        "STORE": wanted.store,
        "KEYED": "" if wanted.store == "file" else "# ",
        "KEY_FILE": KEY_FILE if wanted.store == "file" else "/run/secrets/holdfast-key",
        "VAULTED": "" if wanted.store == "keyvault" else "# ",
        "VAULT_URL": wanted.vault_url or "https://NAME.vault.azure.net",
        "VAULT_IDENTITY": _vault_identity(wanted),
        "SCOPE": "" if wanted.scope == "own" else "# ",
        **{mark.upper(): "" if mark == wanted.credential else "# " for mark in CREDENTIALS},
    }
    for mark, value in values.items():
        text = text.replace(f"{{{mark}}}", value)
    if wanted.ca_file and template == "tenant.toml":
        text = text.replace(
            '# ca_file = "proxy-ca.pem"', f"ca_file = {json.dumps(wanted.ca_file)}\nallow_custom_hosts = true"
        )
        text += wanted.hosts
    has_none = wanted.credential == "az" or (
        wanted.credential == "managed_identity" and wanted.client_id == NO_ID
    )
    return text.replace('\nclient_id = "', '\n# client_id = "') if has_none else text


def _vault_identity(wanted: Wanted) -> str:
    out = "" if wanted.store == "keyvault" else "# "
    if not wanted.vault_client_id:
        return f'{out}managed_identity = true   # or az = true, or client_id with certificate or secret = "keyring:NAME"'
    return f'{out}client_id = "{wanted.vault_client_id}"\n{out}secret = "keyring:{wanted.name}-vault"'


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8")
        try:
            load(beside, {})
        except SettingsError:
            beside.unlink()
            raise
        beside.replace(path)
    except OSError as error:
        raise SettingsError(
            f"{path} could not be written ({error.strerror}): name another with --config."
        ) from None


def _next_steps(wanted: Wanted) -> list[str]:
    steps = []
    ids = {wanted.tenant_id} if wanted.credential in OWN_IDS else {wanted.tenant_id, wanted.client_id}
    if NO_ID in ids:
        steps.append(f"Put your ids in the place of {NO_ID} there.")
    steps.append("holdfast init --print-setup     prints how to register the reader; it runs nothing")
    if wanted.store == "keyvault":
        steps.append(
            "holdfast init --print-setup --role vault   prints how to open the key vault to holdfast"
        )
    if wanted.store == "keyvault" and wanted.vault_client_id:
        steps.append(
            f"holdfast secret set {wanted.name}-vault --in keyring   stores what opens the key vault"
        )
    if wanted.credential == "secret":
        steps.append(f"holdfast secret set {wanted.name}-reader    stores its secret")
    if wanted.credential == "certificate":
        steps.append(f"Put private key and certificate into {wanted.name}-reader.pem beside that file.")
    if wanted.credential == "federated_token_file":
        steps.append("Put the path of the token's file there.")
    if wanted.credential == "sign_in":
        steps.append("holdfast login                  signs you in")
    return [*steps, "holdfast doctor                 tells what is allowed and what is missing"]
