"""Secrets of the vault: versions, listing, and the two ways of being deleted."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.responses import Response

from holdfast.sandbox.frame import Call, CallRefusedError, answer
from holdfast.sandbox.keyvault.access import RECORDED, admitted, refusal
from holdfast.sandbox.records.vault import VaultSecret, VaultVersion
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.tenant import Host

RECOVERABLE_DAYS = 90
PAGE = 25
LARGEST_TEXT = 25 * 1024
LONGEST_NAME = 127
SETTLING = timedelta(seconds=2)

SOFT_DELETE = Rule(
    "deleted_secrets_keep_their_name",
    "A deleted secret can be recovered or purged for 90 days; until then its name is taken: 409 ObjectIsDeletedButRecoverable.",
    Mark.RECORDED,
    "azure-sdk-for-net Sample4_ErrorResponse; azure-docs soft-delete-overview",
)
TAKES_A_WHILE = Rule(
    "deleting_and_recovering_take_seconds",
    "For two seconds a deleted secret is in neither list, and a recovered one neither; writing meets 409 ObjectIsBeingDeleted or ObjectIsBeingRecovered. Not at the cloud's kindest.",
    Mark.RECORDED,
    f"{RECORDED} recording_can_recover_a_deleted_secret @ece126e shows 4 s; ObjectIsBeingRecovered: azure-sdk-for-net#31581",
)
EMPTY_PAGES = Rule(
    "vault_pages_may_be_empty",
    "A page of a list may hold nothing and still name a next one. Not at the cloud's kindest.",
    Mark.RECORDED,
    f"{RECORDED} recording_can_list_secrets_by_page @214f084",
)
DISABLED = Rule(
    "disabled_secrets_are_not_read",
    "A disabled secret is refused with 403 SecretDisabled; one outside its dates is read all the same.",
    Mark.RECORDED,
    f"{RECORDED} recording_cant_get_a_disabled_secret @aae9f4a; azure-docs about-secrets @098e96c",
)
LIMITS = Rule(
    "limits_of_a_vault_secret",
    "A name is 1 to 127 letters, digits and dashes, in any case; a text has 25 kB at most, and there are 15 tags of 256 characters.",
    Mark.DOCUMENTED,
    "azure-docs about-keys-secrets-certificates, about-secrets @098e96c; the words of the refusals are assumed",
)
VAULT_THROTTLING = Rule(
    "vaults_are_not_throttled",
    "A vault's limits (4,000 requests in 10 seconds) are not counted here.",
    Mark.ABSENT,
    "azure-docs key-vault/general/service-limits",
)
RULES = (SOFT_DELETE, TAKES_A_WHILE, EMPTY_PAGES, DISABLED, LIMITS, VAULT_THROTTLING)

_NAME = re.compile(rf"[0-9A-Za-z-]{{1,{LONGEST_NAME}}}")
_BODY = frozenset({"value", "contentType", "tags", "attributes"})
_ATTRIBUTES = frozenset({"enabled", "exp", "nbf", "created", "updated", "recoveryLevel", "recoverableDays"})


# --- the secrets as they stand -----------------------------------------------------------------------------


def _kept(call: Call) -> VaultSecret | None:
    """The secret of that name, deleted or not; what was purged by time is gone."""
    name = call.params["name"].lower()
    found = call.world.vault.secrets.get(name)
    if found is not None and found.deleted_at is not None and call.now >= _purged_at(found.deleted_at):
        del call.world.vault.secrets[name]
        return None
    return found


def _purged_at(deleted_at: datetime) -> datetime:
    return deleted_at + timedelta(days=RECOVERABLE_DAYS)


def _settles(secret: VaultSecret, now: datetime) -> bool:
    return secret.settles_at is not None and now < secret.settles_at


def _begin(call: Call, secret: VaultSecret) -> None:
    """Something about the secret is under way from now on, unless the cloud is kind."""
    secret.settles_at = call.now + SETTLING if call.world.is_unkind else None


def _living(call: Call) -> VaultSecret:
    found = _kept(call)
    if found is None or found.deleted_at is not None or _settles(found, call.now):
        raise _not_found(call.params["name"])
    return found


def _deleted(call: Call) -> VaultSecret:
    found = _kept(call)
    if found is None or found.deleted_at is None or _settles(found, call.now):
        raise refusal(404, "SecretNotFound", f"Deleted Secret not found: {call.params['name']}")
    return found


def _not_found(name: str) -> CallRefusedError:
    return refusal(
        404,
        "SecretNotFound",
        f"A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret you may be"
        " able to recover it using the correct recovery command. For help resolving this issue, please see"
        " https://go.microsoft.com/fwlink/?linkid=2125182",
    )


def _in_the_way(secret: VaultSecret, now: datetime) -> CallRefusedError | None:
    """What keeps the name from being written."""
    if _settles(secret, now):
        doing = "deleted" if secret.deleted_at is not None else "recovered"
        inner = f"ObjectIsBeing{doing.capitalize()}"
        return refusal(409, "Conflict", f"Secret {secret.name} is currently being {doing}.", inner)
    if secret.deleted_at is None:
        return None
    message = (
        f"Secret {secret.name} is currently in a deleted but recoverable state, and its name cannot be reused; in this"
        " state, the secret can only be recovered or purged."
    )
    return refusal(409, "Conflict", message, "ObjectIsDeletedButRecoverable")


def _version(call: Call, secret: VaultSecret) -> VaultVersion:
    wanted = call.params.get("version", "")
    found = [one for one in secret.versions if one.id == wanted] if wanted else secret.versions[-1:]
    if not found:
        raise _not_found(f"{secret.name}/{wanted}")
    return found[0]


# --- how they look -----------------------------------------------------------------------------------------


def _attributes(call: Call, version: VaultVersion) -> dict[str, Any]:
    level = "Recoverable" if call.world.vault.purge_protected else "Recoverable+Purgeable"
    dates = {"nbf": version.not_before, "exp": version.expires}
    return {
        "enabled": version.enabled,
        **{name: value for name, value in dates.items() if value is not None},
        "created": int(version.created_at.timestamp()),
        "updated": int(version.updated_at.timestamp()),
        "recoveryLevel": level,
        "recoverableDays": RECOVERABLE_DAYS,
    }


def _row(call: Call, secret: VaultSecret, version: VaultVersion, *, of_version: bool) -> dict[str, Any]:
    """Without its text, as lists and deletions show it."""
    base = f"{call.tenant.urls[Host.KEYVAULT]}/secrets/{secret.name}"
    more = {"contentType": version.content_type, "tags": version.tags}
    return {
        "id": f"{base}/{version.id}" if of_version else base,
        "attributes": _attributes(call, version),
        **{name: value for name, value in more.items() if value is not None},
    }


def _whole(call: Call, secret: VaultSecret, version: VaultVersion) -> Response:
    return answer({"value": version.text, **_row(call, secret, version, of_version=True)})


def _grave(call: Call, secret: VaultSecret, *, of_version: bool) -> dict[str, Any]:
    deleted_at = secret.deleted_at or call.now
    return {
        "recoveryId": f"{call.tenant.urls[Host.KEYVAULT]}/deletedsecrets/{secret.name}",
        "deletedDate": int(deleted_at.timestamp()),
        "scheduledPurgeDate": int(_purged_at(deleted_at).timestamp()),
        **_row(call, secret, secret.versions[-1], of_version=of_version),
    }


# --- what is asked -----------------------------------------------------------------------------------------


def _body(call: Call, known: Iterable[str]) -> Mapping[str, Any]:
    body = call.json()
    if not isinstance(body, dict):
        raise refusal(400, "BadParameter", "The request body is not a JSON object.")
    attributes = body.get("attributes") or {}
    unknown = sorted((set(body) - set(known)) | (set(attributes) - _ATTRIBUTES))
    if unknown:
        raise refusal(400, "BadParameter", f"Unrecognized field: {unknown[0]}")
    tags = body.get("tags") or {}
    if len(tags) > 15 or any(len(key) > 256 or len(str(value)) > 256 for key, value in tags.items()):
        raise refusal(400, "BadParameter", "There may be 15 tags, with 256 characters each.")
    return body


def _apply(version: VaultVersion, body: Mapping[str, Any]) -> None:
    attributes = body.get("attributes") or {}
    version.enabled = bool(attributes.get("enabled", version.enabled))
    version.not_before = attributes.get("nbf", version.not_before)
    version.expires = attributes.get("exp", version.expires)
    version.content_type = body.get("contentType", version.content_type)
    version.tags = body.get("tags", version.tags)


def set_secret(call: Call) -> Response:
    """PUT /secrets/{name}: a new version."""
    admitted(call, "set")
    name, secret = call.params["name"], _kept(call)
    if not _NAME.fullmatch(name):
        raise refusal(400, "BadParameter", f"The request URI contains an invalid name: {name}")
    body = _body(call, _BODY)
    text = body.get("value")
    if not isinstance(text, str):
        raise refusal(400, "BadParameter", "Property  has invalid value\r\n")
    if len(text.encode()) > LARGEST_TEXT:
        raise refusal(400, "BadParameter", "Secret value is larger than 25 kilobytes.")
    if secret is not None and (conflict := _in_the_way(secret, call.now)):
        raise conflict
    secret = call.world.vault.secrets.setdefault(name.lower(), VaultSecret(name=name))
    id = call.world.fresh("vault version").replace("-", "")
    version = VaultVersion(id=id, text=text, created_at=call.now, updated_at=call.now)
    _apply(version, body)
    secret.versions.append(version)
    return _whole(call, secret, version)


def get_secret(call: Call) -> Response:
    """GET /secrets/{name}/{version}, the newest without a version."""
    admitted(call, "get")
    secret = _living(call)
    version = _version(call, secret)
    if not version.enabled:
        message = "Operation get is not allowed on a disabled secret."
        raise refusal(403, "Forbidden", message, "SecretDisabled")
    return _whole(call, secret, version)


def change_secret(call: Call) -> Response:
    """PATCH /secrets/{name}/{version}: attributes, not the text."""
    admitted(call, "update")
    secret = _living(call)
    version = _version(call, secret)
    _apply(version, _body(call, _BODY - {"value"}))
    version.updated_at = call.now
    return answer(_row(call, secret, version, of_version=True))


def delete_secret(call: Call) -> Response:
    """DELETE /secrets/{name}: all versions, for a while."""
    admitted(call, "delete")
    secret = _living(call)
    secret.deleted_at = call.now
    _begin(call, secret)
    return answer(_grave(call, secret, of_version=True))


def get_deleted(call: Call) -> Response:
    """GET /deletedsecrets/{name}."""
    admitted(call, "list")
    return answer(_grave(call, _deleted(call), of_version=True))


def recover(call: Call) -> Response:
    """POST /deletedsecrets/{name}/recover."""
    admitted(call, "recover")
    secret = _kept(call)
    if secret is None or secret.deleted_at is None:
        raise _not_found(call.params["name"])
    if _settles(secret, call.now):
        raise _in_the_way(secret, call.now) or _not_found(secret.name)
    secret.deleted_at = None
    _begin(call, secret)
    return answer(_row(call, secret, secret.versions[-1], of_version=True))


def purge(call: Call) -> Response:
    """DELETE /deletedsecrets/{name}: for good."""
    admitted(call, "purge")
    secret = _kept(call)
    if secret is not None and secret.deleted_at is not None and _settles(secret, call.now):
        raise _in_the_way(secret, call.now) or _not_found(secret.name)
    secret = _deleted(call)
    if call.world.vault.purge_protected:
        raise refusal(403, "Forbidden", 'Operation "purge" is not enabled for this vault.')
    del call.world.vault.secrets[secret.name.lower()]
    return Response(status_code=204)


# --- lists -------------------------------------------------------------------------------------------------


def list_secrets(call: Call) -> Response:
    """GET /secrets: every secret with its newest version's attributes."""

    def row(secret: VaultSecret) -> dict[str, Any]:
        return _row(call, secret, secret.versions[-1], of_version=False)

    return _listed(call, lambda one: one.deleted_at is None, row)


def list_deleted(call: Call) -> Response:
    """GET /deletedsecrets."""

    def row(secret: VaultSecret) -> dict[str, Any]:
        return _grave(call, secret, of_version=False)

    return _listed(call, lambda one: one.deleted_at is not None, row)


def list_versions(call: Call) -> Response:
    """GET /secrets/{name}/versions; an unknown name has none (recorded)."""
    admitted(call, "list")
    secret = _kept(call)
    is_there = secret is not None and secret.deleted_at is None and not _settles(secret, call.now)
    versions = secret.versions if secret is not None and is_there else []
    return _page(
        call, [_row(call, secret, one, of_version=True) for one in versions] if secret is not None else []
    )


def _listed(
    call: Call, wanted: Callable[[VaultSecret], bool], row: Callable[[VaultSecret], dict[str, Any]]
) -> Response:
    admitted(call, "list")
    here = [
        secret
        for name, secret in sorted(call.world.vault.secrets.items())
        if wanted(secret)
        and not _settles(secret, call.now)
        and not (secret.deleted_at is not None and call.now >= _purged_at(secret.deleted_at))
    ]
    return _page(call, [row(secret) for secret in here])


def _page(call: Call, rows: list[dict[str, Any]]) -> Response:
    """A page, and the link to the next. The first is empty where the cloud is unkind."""
    size = min(int(call.query.get("maxresults") or PAGE), PAGE)
    token = call.query.get("$skiptoken")
    if token is None and rows and call.world.is_unkind:
        return answer({"value": [], "nextLink": _link(call, 0)})
    start = int(base64.urlsafe_b64decode(token).decode()) if token else 0
    end = start + size
    following = _link(call, end) if end < len(rows) else None
    return answer({"value": rows[start:end], "nextLink": following})


def _link(call: Call, start: int) -> str:
    token = base64.urlsafe_b64encode(str(start).encode()).decode()
    kept = "".join(
        f"&{name}={value}" for name, value in call.query.items() if name not in ("$skiptoken", "api-version")
    )
    return f"{call.url}?api-version={call.query.get('api-version', '')}&$skiptoken={token}{kept}"
