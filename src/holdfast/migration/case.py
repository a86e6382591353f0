"""One connection that may move, with all that was looked at, and what may be found against moving it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from holdfast.core.directory import Account
from holdfast.core.inventory import (
    CanvasApp,
    Connection,
    ConnectionReference,
    Environment,
    Flow,
    SignIn,
)
from holdfast.core.judgement import Judgement
from holdfast.core.making import AppPolicy, FlowRow
from holdfast.core.operations import SqlOperation
from holdfast.core.policies import AccessPolicy, DataPolicy
from holdfast.migration.grants import DatabaseGrants, Place, Use, plan_grants


class Finding(NamedTuple):
    """A fact that blocks, or that a reviewer has to know.

    Attributes:
        fact: a stable word in snake_case.
        says: one sentence for people.
        blocks: whether the connection is left alone because of it.
        not_seen: nobody could look; a person may answer for it by the fact's name.
    """

    fact: str
    says: str
    blocks: bool = True
    not_seen: bool = False

    @property
    def reason(self) -> str:
        """As plans give it for what they leave alone."""
        return f"not_looked_at:{self.fact}" if self.not_seen else self.fact


@dataclass(frozen=True, slots=True)
class Moving:
    """A flow that holds the connection.

    Attributes:
        keys: of its connection map, those that lead to this connection.
        operations: what it does through this connection.
        row: as the operator reads it now, with its definition; None where it could not be read.
        trouble: what keeps its definition from being rewritten; None where nothing does.
    """

    flow: Flow
    keys: frozenset[str]
    operations: tuple[SqlOperation, ...]
    row: FlowRow | None = None
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One connection with all that was looked at; None for what could not be.

    Attributes:
        flows: those in solutions that hold it; `flows_read` whether all of them were seen.
        outside: names of flows outside solutions that hold it, where somebody who sees them scanned.
        references: those bound to it that these flows name.
        owner: the account behind the connection; None where the directory has none, or was not read.
        canvas_apps: all of its environment.
        sign_ins: names of the parameter sets that the connector offers there.
        app_policy: what the tenant forbids secrets.
        accepted: facts that somebody answers for.
        rewrites: whether definitions may be rewritten.
        roles: that a person chose for the database user.
        certificate: whether the application signs in with a certificate instead of a secret.
    """

    connection: Connection
    environment: Environment
    seen_at: datetime
    judgement: Judgement | None = None
    flows: tuple[Moving, ...] = ()
    flows_read: bool = False
    outside: tuple[str, ...] = ()
    references: tuple[ConnectionReference, ...] = ()
    owner: Account | None = None
    accounts_read: bool = False
    canvas_apps: tuple[CanvasApp, ...] | None = None
    access_policies: tuple[AccessPolicy, ...] | None = None
    data_policies: tuple[DataPolicy, ...] | None = None
    app_policy: AppPolicy | None = None
    sign_ins: frozenset[str] | None = None
    accepted: frozenset[str] = frozenset()
    rewrites: bool = False
    roles: tuple[str, ...] = ()
    certificate: bool = False

    @property
    def needs_rewriting(self) -> bool:
        """Whether definitions have to change: they leave server and database to the connection, or name it directly."""
        return self.connection.sign_in is SignIn.SQL_LOGIN or any(
            binding.key in moving.keys and not binding.reference
            for moving in self.flows
            for binding in moving.flow.bindings
        )

    @property
    def place(self) -> Place:
        """Where the connection itself points."""
        return Place(self.connection.server, self.connection.database)

    @property
    def grants(self) -> tuple[DatabaseGrants, ...]:
        """What its flows need."""
        return plan_grants(uses_of(self))


def uses_of(case: Case) -> Iterator[Use]:
    """Every operation through the connection, named by flow and path."""
    for moving in case.flows:
        for operation in moving.operations:
            yield Use(f"{moving.flow.display_name}: {operation.path}", operation, case.place)
