"""Owners, service principals and the secrets that keep them working."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What holdfast may do with an identity: each role has its own, with the least rights.

    FLOW_READER is a person, by whose sign-in flows are listed that no application sees.
    """

    READER = "reader"
    OPERATOR = "operator"
    APP_ADMIN = "app_admin"
    SQL_ADMIN = "sql_admin"
    FLOW_READER = "flow_reader"


class Cloud(StrEnum):
    """Which of Microsoft's clouds a tenant lives in."""

    PUBLIC = "public"
    GCC = "gcc"
    GCC_HIGH = "gcc_high"
    DOD = "dod"
    CHINA = "china"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose something is, as the platform names it.

    Attributes:
        id: object id.
        kind: "User", "ServicePrincipal" or "Group".
        has_left: whether the directory has no such account any more, or a disabled one; None where nobody looked.
    """

    id: str
    display_name: str = ""
    user_principal_name: str = ""
    kind: str = "User"
    has_left: bool | None = None


SETTLES: Final = timedelta(minutes=12)
"""How long a new secret or certificate is left to spread before flows depend on it.

We always meet the replicas near us, and connections meet others: sign-ins of ours alone prove too little.
Ten minutes are the longest that anybody reported.
"""


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A password or certificate of an application; never its text.

    Attributes:
        kind: "secret" or "certificate".
        expires_at: aware UTC; None when the directory gives none.
    """

    key_id: str
    display_name: str
    kind: str
    starts_at: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Principal:
    """An application as an identity of this tenant, its own or another's.

    Attributes:
        object_id: of the enterprise application; policies name it by this.
        is_enabled: None where the directory does not tell.
    """

    client_id: str
    object_id: str
    display_name: str
    is_enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class ServicePrincipal:
    """An application identity of the tenant with all its credentials.

    Attributes:
        owners: who may change it; empty where nobody is named, None where that was not asked.
    """

    client_id: str
    object_id: str
    display_name: str
    secrets: tuple[ClientSecret, ...] = ()
    owners: tuple[Owner, ...] | None = None
