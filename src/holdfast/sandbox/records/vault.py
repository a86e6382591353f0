"""What lies in the tenant's key vault: plain records that `World` keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True, kw_only=True)
class VaultVersion:
    """One version of a secret in the key vault, its text as the client sent it.

    Attributes:
        not_before, expires: Unix seconds, which the vault keeps and does not obey.
    """

    id: str
    text: str
    created_at: datetime
    updated_at: datetime
    enabled: bool = True
    content_type: str | None = None
    tags: dict[str, str] | None = None
    not_before: int | None = None
    expires: int | None = None


@dataclass(slots=True, kw_only=True)
class VaultSecret:
    """A secret of the key vault with all its versions, the newest last.

    Attributes:
        settles_at: until then deleting it, or recovering it, is under way.
    """

    name: str
    versions: list[VaultVersion] = field(default_factory=list)
    deleted_at: datetime | None = None
    settles_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Vault:
    """The tenant's key vault.

    Attributes:
        secrets: by name in lower case.
        roles: of principals, by object id: names of Azure roles.
        purge_protected: nobody may purge before the time of recovery has passed.
    """

    name: str = "contoso-holdfast"
    secrets: dict[str, VaultSecret] = field(default_factory=dict)
    roles: dict[str, list[str]] = field(default_factory=dict)
    purge_protected: bool = False
