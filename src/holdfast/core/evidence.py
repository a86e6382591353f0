"""Evidence: one observed fact, when, and from where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class EvidenceKind(StrEnum):
    """What sort of thing was observed."""

    AADSTS = "aadsts"  # an Entra error code: AADSTS700082
    OAUTH = "oauth"  # an OAuth `error` or `suberror`: invalid_grant, bad_token
    SQL = "sql"  # a SQL Server error number: 18456
    CONNECTOR = (
        "connector"  # a code of the connector, Power Platform, Graph or Logic Apps: ConnectionNotFound
    )
    GATEWAY = "gateway"  # a code of the on-premises data gateway
    DLP = "dlp"  # a data policy said no
    HTTP = "http"  # an HTTP status: 429
    WORDING = "wording"  # a phrase that stands for a known state where no code is given
    STATUS = "status"  # the recorded state of a connection
    CREDENTIAL = "credential"  # a secret or certificate, by its dates


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observed fact.

    Attributes:
        code: the stable name of what was seen: "AADSTS700082", "18456", "ConnectionNotFound".
        quote: the piece of the observed text that shows it, cut to a line.
        origin: where it was seen: "text", "connection", "directory", "audit log", "sign-in log", "run".
        at: when the fact was true, aware UTC; None when the source does not say.
        causes: ids of the causes that this fact alone can stand for, likeliest first; empty when it says
            nothing alone (an envelope).
        weight: from 0 to 1, how often this fact alone means the first of `causes`. Specific facts weigh
            much, wrappers little; what several facts mean together is `diagnosis.weighing`'s matter.
        reach: what its source can and cannot see, in a sentence; empty where the origin says it all.
        details: further facts read from the same place: instants in ISO form, application ids.
    """

    kind: EvidenceKind
    code: str
    quote: str = ""
    origin: str = "text"
    at: datetime | None = None
    causes: tuple[str, ...] = ()
    weight: float = 0.9
    reach: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
