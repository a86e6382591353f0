"""What a SQL server holds: logins, databases, principals, permissions, tables, procedures. Plain records for the world."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

FIXED_ROLES = (
    "db_owner",
    "db_datareader",
    "db_datawriter",
    "db_ddladmin",
    "db_securityadmin",
    "db_accessadmin",
)


def sid_of(guid: str) -> str:
    """The SID of an Entra identity: its id as 16 bytes in SQL Server's order, in hex.

    Source: learn.microsoft.com CREATE USER (Transact-SQL); client id for applications, object id for people.
    """
    digits = bytes.fromhex(guid.replace("-", ""))
    return (digits[3::-1] + digits[5:3:-1] + digits[7:5:-1] + digits[8:]).hex()


@dataclass(slots=True, kw_only=True)
class Login:
    """A SQL login of a server, or one of Windows on an on-premises server."""

    name: str
    password: str
    is_windows: bool = False
    enabled: bool = True
    disabled_at: datetime | None = None
    expires_at: datetime | None = None
    locked_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Trouble:
    """A passing fault of a database: every login gets this error number; `until` None stands for no end."""

    number: int
    since: datetime
    until: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Principal:
    """A database user or role.

    Attributes:
        kind: "S" for a SQL user, "E" for an Entra user or application, "X" for an Entra group, "R" for a role.
        sid: hex; of Entra principals.
        login: the login that a SQL user belongs to.
    """

    name: str
    kind: str
    created_at: datetime
    sid: str | None = None
    login: str | None = None
    roles: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Permission:
    """A GRANT or DENY.

    Attributes:
        permission: "SELECT", "EXECUTE", "CONNECT", …
        securable: "OBJECT::schema.name", "SCHEMA::name" or "DATABASE".
    """

    grantee: str
    permission: str
    securable: str
    state: str = "GRANT"


@dataclass(slots=True, kw_only=True)
class Column:
    """A column of a table; `type` is T-SQL's."""

    name: str
    type: str = "nvarchar(200)"
    nullable: bool = True
    is_key: bool = False
    is_identity: bool = False


@dataclass(slots=True, kw_only=True)
class Table:
    """A table with its rows. `version` counts what changed them."""

    schema: str
    name: str
    columns: list[Column]
    rows: list[list[Any]] = field(default_factory=list)
    next_identity: int = 1
    version: int = 0

    @property
    def full_name(self) -> str:
        """Schema and name."""
        return f"{self.schema}.{self.name}"


@dataclass(slots=True, kw_only=True)
class Procedure:
    """A stored procedure: parameter names with their defaults, and the statements it runs."""

    schema: str
    name: str
    parameters: dict[str, Any] = field(default_factory=dict)
    body: list[str] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        """Schema and name."""
        return f"{self.schema}.{self.name}"


@dataclass(slots=True, kw_only=True)
class Database:
    """A database; names are found whatever their case.

    Attributes:
        state: "ONLINE", "OFFLINE", or "PAUSED" (serverless; a login wakes it).
        wakes_at: when a paused one that was asked for is up again.
        version: counts changes of principals, permissions, objects and state.
        rights_changed_at: when somebody last changed principals or permissions.
        trouble: a passing fault.
    """

    name: str
    principals: dict[str, Principal] = field(default_factory=dict)
    permissions: list[Permission] = field(default_factory=list)
    tables: dict[str, Table] = field(default_factory=dict)
    procedures: dict[str, Procedure] = field(default_factory=dict)
    state: str = "ONLINE"
    state_changed_at: datetime | None = None
    wakes_at: datetime | None = None
    version: int = 0
    rights_changed_at: datetime | None = None
    trouble: Trouble | None = None

    def principal(self, name: str) -> Principal | None:
        """By name in any case."""
        return self.principals.get(name.casefold())

    def table(self, full_name: str) -> Table | None:
        """By schema and name in any case."""
        return self.tables.get(full_name.casefold())

    def procedure(self, full_name: str) -> Procedure | None:
        """By schema and name in any case."""
        return self.procedures.get(full_name.casefold())

    def changed(self) -> None:
        """Note that something other than rows changed."""
        self.version += 1


@dataclass(slots=True, kw_only=True)
class Server:
    """A SQL server by the name that connections give.

    Attributes:
        entra_admin: object id of the account, or client id of the application, that is its Entra administrator.
        gateway_id: an on-premises one, reached through this gateway only.
        denied: the firewall refuses everybody, since then.
    """

    name: str
    databases: dict[str, Database] = field(default_factory=dict)
    logins: dict[str, Login] = field(default_factory=dict)
    entra_admin: str | None = None
    gateway_id: str | None = None
    denied_at: datetime | None = None
    version: int = 0

    def database(self, name: str) -> Database | None:
        """By name in any case."""
        return self.databases.get(name.casefold())

    def changed(self) -> None:
        """Note that logins or the firewall changed."""
        self.version += 1
