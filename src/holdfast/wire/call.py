"""What a cloud call is: host, path, audience, who may make it, and how sure we are of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from string import Formatter


class HostKind(StrEnum):
    """Which of the cloud's APIs answers a call."""

    AUTHORITY = "authority"
    GRAPH = "graph"
    BAP = "bap"
    POWERAPPS = "powerapps"
    FLOW = "flow"
    POWERPLATFORM = "powerplatform"
    APIHUB = "apihub"
    DATAVERSE = "dataverse"
    LINKS = "links"  # signed addresses that an answer named
    SQL = "sql"  # SQL servers, which speak TDS
    KEYVAULT = "keyvault"  # the vault of the settings


class Audience(StrEnum):
    """Whom a token is made out to; it is sent to this audience's hosts only."""

    NONE = "none"
    GRAPH = "graph"
    POWERAPPS = "powerapps"  # BAP takes it too
    FLOW = "flow"
    POWERPLATFORM = "powerplatform"
    APIHUB = "apihub"
    DATAVERSE = "dataverse"
    DATABASE = "database"
    VAULT = "vault"
    SIGNED = "signed"  # no token: the address itself is the key


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the cloud.

    Attributes:
        id: stable name: "powerapps.connections.admin_list".
        does: what it is for, as the rest of the sentence "refused to ...".
        path: template; `{name}` is filled in, percent-encoded.
        query: templates of fixed query parameters.
        headers: sent with it, beside the token.
        who: who may call it.
        needs: the permission a refusal lacks.
        unlocks: what holdfast cannot do without it.
        roles: which of holdfast's own identities make it; "maker" is a reader that sees the own connections only,
            "vault" whoever keeps secrets in a key vault.
        permission: what to grant, as programs read it: "graph/NAME", "environment/SECURITY ROLE",
            "power-platform/management-application", "power-platform/administrator" (a person), "azure/ROLE",
            "database/RIGHT, RIGHT" (beside a user in the database); empty where
            nothing is granted.
        is_for_people: no application may make it, whatever it was granted.
        is_idempotent: repeating it changes nothing more, so a lost answer may be asked for again.
        pace: calls and seconds that the service documents as its limit; None where it documents none.
    """

    id: str
    method: str
    host: HostKind
    path: str
    audience: Audience
    does: str
    who: str
    needs: str
    unlocks: str
    support: str
    source: str
    roles: tuple[str, ...]
    permission: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    writes: bool = False
    is_idempotent: bool = True
    is_for_people: bool = False
    pace: tuple[int, float] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What has to be filled in, in the order in which it first appears."""
        templates = (self.path, *self.query.values())
        found = [name for text in templates for _, name, _, _ in Formatter().parse(text) if name]
        return tuple(dict.fromkeys(found))
