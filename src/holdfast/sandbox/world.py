"""The tenant in memory: the `records` in one `World`, the only place where the sandbox keeps state.

A room never keeps anything of its own: it reads the world, changes the world, and answers. Whatever stands
here survives a restart, because the whole of `World` is written to the snapshot by its types. So a new kind of
thing is a dataclass in `records` and a dictionary in `World`; a new fact about a thing is a field with a default.

Secret texts (passwords, refresh tokens, client secrets) are not kept: they are derived from the seed and the id
of the thing, see `chance.secret`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from holdfast.sandbox.chance import draw, guid
from holdfast.sandbox.records.directory import (
    Account,
    Application,
)
from holdfast.sandbox.records.logs import Audit, SignIn
from holdfast.sandbox.records.platform import (
    CanvasApp,
    Connection,
    ConnectionReference,
    Environment,
    Flow,
    Gateway,
    OrgUser,
)
from holdfast.sandbox.records.policies import DataPolicy, NamedLocation, Policy, TermsOfUse
from holdfast.sandbox.records.solutions import Publisher, Solution, SolutionImport, StagedSolution
from holdfast.sandbox.records.tokens import AuthorizationCode, DeviceCode, RefreshToken
from holdfast.sandbox.records.vault import Vault
from holdfast.sandbox.rules import Rule
from holdfast.sandbox.sql.catalogue import Server


@dataclass(slots=True, kw_only=True)
class PlannedFault:
    """A planned misbehaviour; see `faults`.

    Attributes:
        host, method, path: which requests it meets; None or an empty path meets all. `path` is searched for.
        share: of those, how many, from 0 to 1; `times`: how many at most.
        seen: requests it could have met so far; `met`: those that it did.
    """

    id: str
    kind: str
    host: str | None = None
    method: str | None = None
    path: str = ""
    share: float = 1.0
    times: int | None = None
    status: int = 503
    retry_after: int = 1
    seconds: float = 1.0
    seen: int = 0
    met: int = 0


@dataclass(slots=True, kw_only=True)
class Crowd:
    """How many there are of what is worked out when it is asked for instead of being kept; see `crowd`.

    Attributes:
        definitions: what its flows do; each does one of these.
    """

    environments: int
    flows: int
    connections: int
    definitions: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True, weakref_slot=True, kw_only=True)
class World:
    """Everything there is, at the instant `settled_at`.

    Attributes:
        former_policies: names of deleted policies, which old rows of the sign-in log still tell.
        security_defaults_since: when security defaults were switched on; None while they are off.
        remember_mfa_for: the tenant's "remember MFA on trusted devices"; None lets a proof last until revoked.
        flips: ids of the rules that are flipped, see `holds`.
        unlicensed: accounts that lost the licence for premium flows, and when.
        is_unkind: whether the default unkindness is on: slow spreading of what is new, and throttling.
        series: how many of each kind of id were handed out, see `fresh`.
        counts: counters that `/truth` shows.
        changes: counts what clients and events changed, see `changed`.
        folds: whether runs that would repeat the one before are counted instead of executed. It makes no difference to
            what can be seen; a test turns it off to prove that.
    """

    tenant_id: str
    domain: str
    seed: int
    scenario: str
    born_at: datetime
    settled_at: datetime
    display_name: str = "Contoso"
    accounts: dict[str, Account] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)
    codes: dict[str, AuthorizationCode] = field(default_factory=dict)
    device_codes: dict[str, DeviceCode] = field(default_factory=dict)
    environments: dict[str, Environment] = field(default_factory=dict)
    connections: dict[str, Connection] = field(default_factory=dict)
    gateways: dict[str, Gateway] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)
    references: dict[str, ConnectionReference] = field(default_factory=dict)
    publishers: dict[str, Publisher] = field(default_factory=dict)
    solutions: dict[str, Solution] = field(default_factory=dict)
    staged_solutions: dict[str, StagedSolution] = field(default_factory=dict)
    imports: dict[str, SolutionImport] = field(default_factory=dict)
    apps: dict[str, CanvasApp] = field(default_factory=dict)
    org_users: dict[str, OrgUser] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    data_policies: dict[str, DataPolicy] = field(default_factory=dict)
    data_policies_checked_at: datetime | None = None
    servers: dict[str, Server] = field(default_factory=dict)
    vault: Vault = field(default_factory=Vault)
    former_policies: dict[str, str] = field(default_factory=dict)
    named_locations: dict[str, NamedLocation] = field(default_factory=dict)
    terms: dict[str, TermsOfUse] = field(default_factory=dict)
    security_defaults_since: datetime | None = None
    remember_mfa_for: timedelta | None = None
    sign_ins: list[SignIn] = field(default_factory=list)
    audits: list[Audit] = field(default_factory=list)
    published: dict[str, Any] = field(default_factory=dict)
    flips: list[str] = field(default_factory=list)
    unlicensed: dict[str, datetime] = field(default_factory=dict)
    is_unkind: bool = True
    faults: list[PlannedFault] = field(default_factory=list)
    series: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    changes: int = 0
    folds: bool = True
    crowd: Crowd | None = None

    def changed(self) -> None:
        """Note that somebody changed something: what repeats by itself has to be looked at anew."""
        self.changes += 1

    def holds(self, rule: Rule) -> bool:
        """Whether the rule is obeyed in this world."""
        return rule.default ^ (rule.id in self.flips)

    def find_account(self, target: str) -> Account:
        """The account with this object id or user principal name; LookupError if there is none."""
        account = self.accounts.get(target.lower())
        if account is None:
            named = (
                one for one in self.accounts.values() if one.user_principal_name.lower() == target.lower()
            )
            account = next(named, None)
        if account is None:
            raise LookupError(f"account {target!r}")
        return account

    def find_application(self, target: str) -> Application:
        """The application with this client id; LookupError if there is none."""
        app = self.applications.get(target.lower())
        if app is None:
            raise LookupError(f"application {target!r}")
        return app

    def fresh(self, kind: str) -> str:
        """The next GUID of its kind: seeded, never the same twice in one world."""
        self.series[kind] = self.series.get(kind, 0) + 1
        return guid(self.seed, kind, self.series[kind])

    def draw(self, *names: object) -> float:
        """Chance that belongs to a thing: the same names draw the same number, from 0 up to 1."""
        return draw(self.seed, *names)

    def count(self, name: str, by: int = 1) -> None:
        """Raise a counter of `/truth`."""
        self.counts[name] = self.counts.get(name, 0) + by

    def connections_in(self, environment_id: str) -> list[Connection]:
        """The connections of one environment that are not deleted, in the order they were made."""
        return [
            connection
            for connection in self.connections.values()
            if connection.environment_id == environment_id and connection.deleted_at is None
        ]
