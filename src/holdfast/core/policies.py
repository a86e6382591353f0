"""Policies: who may sign in how, how long passwords live, which connectors may be used where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from holdfast.core.inventory import ConnectorId, EnvironmentId


class PolicyState(StrEnum):
    """Whether an access policy decides."""

    ENFORCED = "enforced"
    REPORT_ONLY = "report_only"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom or what a policy concerns: ids, or the words of the directory ("All", "AllTrusted")."""

    included: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """A Conditional Access policy.

    Attributes:
        controls: what must be shown, "block" among them; `needs_all` or one of them.
        sign_in_frequency: how old a sign-in may be; zero for "every time", None without that control.
        further_conditions: names of conditions that it has and that are not told here; it may then not apply
            where it seems to.
    """

    id: str
    display_name: str
    state: PolicyState
    users: Scope = Scope()
    groups: Scope = Scope()
    roles: Scope = Scope()
    principals: Scope = Scope()
    applications: Scope = Scope()
    locations: Scope = Scope()
    client_types: frozenset[str] = frozenset()
    controls: tuple[str, ...] = ()
    needs_all: bool = False
    terms_of_use: tuple[str, ...] = ()
    sign_in_frequency: timedelta | None = None
    further_conditions: tuple[str, ...] = ()
    created_at: datetime | None = None
    modified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """How long passwords of a domain live.

    Attributes:
        is_federated: another directory decides.
        validity: None where they never expire, or where the directory does not tell (`is_told`).
    """

    domain: str
    is_federated: bool
    validity: timedelta | None
    is_told: bool = True


class PolicyReach(StrEnum):
    """Which environments a data policy concerns."""

    ALL = "all"
    ONLY = "only"
    EXCEPT = "except"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class EndpointRule:
    """Whether a server may be reached; the first rule whose pattern fits decides."""

    pattern: str
    is_allowed: bool


@dataclass(frozen=True, slots=True)
class OperationRules:
    """Which operations of one connector may be used: all or none, but for `exceptions`."""

    allows_others: bool
    exceptions: frozenset[str] = frozenset()

    def allow(self, operation: str) -> bool:
        """Whether the operation may be used."""
        return self.allows_others != (operation in self.exceptions)


@dataclass(frozen=True, slots=True)
class DataPolicy:
    """A data policy (DLP).

    Attributes:
        default_group: of every connector that `groups` does not name: General, Confidential or Blocked.
        operations: by connector, finer rules for its operations.
        endpoints: by connector, the rules for servers in order.
    """

    id: str
    display_name: str
    reach: PolicyReach
    environments: frozenset[EnvironmentId]
    default_group: str
    groups: Mapping[ConnectorId, str] = field(default_factory=dict)
    operations: Mapping[ConnectorId, OperationRules] = field(default_factory=dict)
    endpoints: Mapping[ConnectorId, tuple[EndpointRule, ...]] = field(default_factory=dict)
    modified_at: datetime | None = None
    modified_by: str = ""

    def concerns(self, environment: EnvironmentId) -> bool:
        """Whether it holds there; one whose reach is unknown may."""
        if self.reach is PolicyReach.ONLY:
            return environment in self.environments
        return self.reach is not PolicyReach.EXCEPT or environment not in self.environments

    def group_of(self, connector: ConnectorId) -> str:
        """General, Confidential or Blocked."""
        return self.groups.get(connector, self.default_group)

    def allows_operation(self, connector: ConnectorId, operation: str) -> bool:
        """Whether it lets that operation of the connector be used."""
        rules = self.operations.get(connector)
        return rules is None or rules.allow(operation)

    def allows_server(self, connector: ConnectorId, server: str) -> bool:
        """Whether it lets the connector reach that server; the first rule that fits decides."""
        for rule in self.endpoints.get(connector, ()):
            if fnmatchcase(server.casefold(), rule.pattern.casefold()):
                return rule.is_allowed
        return True
