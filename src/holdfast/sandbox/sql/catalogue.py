"""What a SQL server holds: logins, databases, principals, permissions, tables, procedures. Plain records for the world."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

FIXED_ROLES = (
    "db_owner",
    "db_accessadmin",
    "db_securityadmin",
    "db_ddladmin",
    "db_backupoperator",
    "db_datareader",
    "db_datawriter",
    "db_denydatareader",
    "db_denydatawriter",
)
SPECIAL = ("dbo", "guest", "information_schema", "sys", "public")
"""Principals that nobody makes or drops."""


def joined(schema: str, name: str) -> str:
    """One text for a two-part name, ``schema.name``; a schema that holds a dot is put in brackets."""
    if "." in schema or schema.startswith("["):
        schema = f"[{schema.replace(']', ']]')}]"
    return f"{schema}.{name}"


def parts(full_name: str) -> tuple[str, str]:
    """Schema and name of what `joined` made."""
    if full_name.startswith("["):
        end = full_name.replace("]]", "\0\0").index("]")
        return full_name[1:end].replace("]]", "]"), full_name[end + 2 :]
    schema, _, name = full_name.partition(".")
    return schema, name


def sid_of(guid: str) -> str:
    """The SID of an Entra identity: its id as 16 bytes in SQL Server's order, in hex.

    Source: learn.microsoft.com CREATE USER (Transact-SQL); client id for applications, object id for people.
    """
    digits = bytes.fromhex(guid.replace("-", ""))
    return (digits[3::-1] + digits[5:3:-1] + digits[7:5:-1] + digits[8:]).hex()


@dataclass(slots=True, kw_only=True)
class Login:
    """A SQL login of a server, or one of Windows on an on-premises server.

    Attributes:
        expires_at: when its password does, by the server's policy; None where CHECK_EXPIRATION is off.
    """

    name: str
    password: str
    is_windows: bool = False
    enabled: bool = True
    disabled_at: datetime | None = None
    expires_at: datetime | None = None
    locked_at: datetime | None = None
    password_set_at: datetime | None = None


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
        password: of a contained SQL user.
    """

    name: str
    kind: str
    created_at: datetime
    sid: str | None = None
    login: str | None = None
    password: str | None = None
    roles: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Permission:
    """A GRANT or DENY.

    Attributes:
        permission: "SELECT", "EXECUTE", "CONNECT", …
        securable: "OBJECT::schema.name", "SCHEMA::name" or "DATABASE".
        state: "GRANT", "GRANT_WITH_GRANT_OPTION" or "DENY".
        used_at: when a statement first needed it.
    """

    grantee: str
    permission: str
    securable: str
    state: str = "GRANT"
    used_at: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Use:
    """That a user needed a right for the first time, and had it.

    Attributes:
        through: the grantees and roles that gave it: the user itself, "public", "db_datareader" …
    """

    user: str
    permission: str
    securable: str
    through: list[str]
    at: datetime


@dataclass(slots=True, kw_only=True)
class Column:
    """A column of a table; `type` is T-SQL's."""

    name: str
    type: str = "nvarchar(200)"
    nullable: bool = True
    is_key: bool = False
    is_identity: bool = False


@dataclass(slots=True, kw_only=True)
class Trigger:
    """A trigger of a table: after which of INSERT, UPDATE and DELETE it runs what.

    The sandbox has no ``inserted`` and ``deleted`` tables for it.
    """

    name: str
    events: list[str]
    body: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Table:
    """A table with its rows. `version` counts what changed them."""

    schema: str
    name: str
    columns: list[Column]
    rows: list[list[Any]] = field(default_factory=list)
    version: int = 0
    triggers: list[Trigger] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        """Schema and name."""
        return joined(self.schema, self.name)


@dataclass(slots=True, kw_only=True)
class View:
    """A view and its query. Its owner owns the tables too: who may read it need not be let at them."""

    schema: str
    name: str
    query: str

    @property
    def full_name(self) -> str:
        """Schema and name."""
        return joined(self.schema, self.name)


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
        return joined(self.schema, self.name)


@dataclass(slots=True, kw_only=True)
class Database:
    """A database; names are found whatever their case.

    Attributes:
        state: "ONLINE", "OFFLINE", or "PAUSED" (serverless; a login wakes it).
        wakes_at: when a paused one that was asked for is up again.
        version: counts changes of principals, permissions, objects and state.
        rights_changed_at: when somebody last changed principals or permissions.
        trouble: a passing fault.
        uses: rights that were needed and given, each once.
    """

    name: str
    principals: dict[str, Principal] = field(default_factory=dict)
    permissions: list[Permission] = field(default_factory=list)
    tables: dict[str, Table] = field(default_factory=dict)
    procedures: dict[str, Procedure] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    uses: dict[str, Use] = field(default_factory=dict)
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

    def view(self, full_name: str) -> View | None:
        """By schema and name in any case."""
        return self.views.get(full_name.casefold())

    def kind_of(self, full_name: str) -> str | None:
        """What an object is: "U", "V" or "P" as sys.objects has it; None where there is none."""
        name = full_name.casefold()
        holders = (("U", self.tables), ("V", self.views), ("P", self.procedures))
        return next((kind for kind, holder in holders if name in holder), None)

    def object_named(self, full_name: str) -> Table | View | Procedure | None:
        """A table, view or procedure in any case."""
        return self.table(full_name) or self.view(full_name) or self.procedure(full_name)

    def objects(self) -> list[Table | View | Procedure]:
        """All of them."""
        return [*self.tables.values(), *self.views.values(), *self.procedures.values()]

    def schemas(self) -> list[str]:
        """Names of the schemas that hold something, and dbo."""
        found = {"dbo": "dbo"} | {one.schema.casefold(): one.schema for one in self.objects()}
        return list(found.values())

    def changed(self) -> None:
        """Note that something other than rows changed."""
        self.version += 1


@dataclass(slots=True, kw_only=True)
class Server:
    """A SQL server by the name that connections give.

    Attributes:
        entra_admin: object id of the account, or client id of the application, that is its Entra administrator.
        gateway_id: an on-premises one, reached through this gateway only.
        denied_at: the firewall refuses everybody, since then.
        has_identity: Entra knows the server itself; without, a service principal can have nobody looked up.
        reads_directory: that identity may read the directory.
    """

    name: str
    databases: dict[str, Database] = field(default_factory=dict)
    logins: dict[str, Login] = field(default_factory=dict)
    entra_admin: str | None = None
    gateway_id: str | None = None
    denied_at: datetime | None = None
    has_identity: bool = False
    reads_directory: bool = False
    version: int = 0

    def database(self, name: str) -> Database | None:
        """By name in any case."""
        return self.databases.get(name.casefold())

    def changed(self) -> None:
        """Note that logins or the firewall changed."""
        self.version += 1
