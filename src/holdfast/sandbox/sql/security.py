"""Security statements read: CREATE, ALTER and DROP of users and roles, GRANT, DENY and REVOKE.

Forms that exist and are not played answer 40510; what is none answers 102.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from holdfast.sandbox.sql import errors
from holdfast.sandbox.sql.words import Reading

OBJECT, SCHEMA, DATABASE = "OBJECT", "SCHEMA", "DATABASE"
OF_TABLES = ("SELECT", "INSERT", "UPDATE", "DELETE", "REFERENCES")
OF_ALL = ("CONTROL", "ALTER", "TAKE OWNERSHIP", "VIEW DEFINITION")
OF_OBJECTS = frozenset((*OF_TABLES, "EXECUTE", *OF_ALL, "VIEW CHANGE TRACKING"))
OF_SCHEMAS = frozenset((*OF_OBJECTS, "CREATE SEQUENCE"))
OF_DATABASES = frozenset(
    (
        *OF_TABLES,
        "EXECUTE",
        *OF_ALL,
        "CONNECT",
        "ALTER ANY USER",
        "ALTER ANY ROLE",
        "ALTER ANY SCHEMA",
        "CREATE ROLE",
        "CREATE SCHEMA",
        "CREATE TABLE",
        "CREATE VIEW",
        "CREATE PROCEDURE",
        "CREATE FUNCTION",
        "SHOWPLAN",
        "UNMASK",
        "VIEW DATABASE STATE",
        "VIEW DATABASE PERFORMANCE STATE",
        "VIEW DATABASE SECURITY STATE",
        "VIEW ANY DEFINITION",
    )
)
PERMISSIONS = {OBJECT: OF_OBJECTS, SCHEMA: OF_SCHEMAS, DATABASE: OF_DATABASES}
"""What can be granted on each class of securable, as far as the sandbox plays it.

Source: learn.microsoft.com, GRANT object, schema and database permissions (Transact-SQL).
"""
ABBREVIATIONS = {"EXEC": "EXECUTE"}
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class CreateUser(NamedTuple):
    """CREATE USER.

    Attributes:
        sid: hex.
        kind: TYPE as written.
        password: None where none is set.
    """

    name: str
    sid: str | None = None
    kind: str | None = None
    object_id: str | None = None
    is_external: bool = False
    login: str | None = None
    without_login: bool = False
    password: str | None = None


class CreateRole(NamedTuple):
    """CREATE ROLE."""

    name: str


class DropPrincipal(NamedTuple):
    """DROP USER or DROP ROLE; `what` is "user" or "role"."""

    what: str
    name: str
    if_exists: bool


class RenamePrincipal(NamedTuple):
    """ALTER USER or ALTER ROLE … WITH NAME."""

    what: str
    name: str
    new_name: str


class ChangeMember(NamedTuple):
    """ALTER ROLE … ADD or DROP MEMBER."""

    role: str
    member: str
    adds: bool


class ChangePermission(NamedTuple):
    """GRANT, DENY or REVOKE; `verb` says which.

    Attributes:
        kind: OBJECT, SCHEMA or DATABASE.
        path: the securable's name in its parts.
        only_option: REVOKE GRANT OPTION FOR.
    """

    verb: str
    permissions: tuple[str, ...]
    kind: str
    path: tuple[str, ...]
    grantees: tuple[str, ...]
    with_option: bool = False
    only_option: bool = False


Security = CreateUser | CreateRole | DropPrincipal | RenamePrincipal | ChangeMember | ChangePermission


def read_security(reading: Reading) -> Security | None:
    """The security statement that begins here, and past it; None where none begins."""
    match (reading.word.key, reading.ahead(1).key):
        case ("CREATE", "USER"):
            reading.at += 2
            return _create_user(reading)
        case ("CREATE", "ROLE"):
            reading.at += 2
            return _create_role(reading)
        case ("DROP", "USER" | "ROLE" as what):
            reading.at += 2
            return DropPrincipal(what.lower(), if_exists=reading.took("IF", "EXISTS"), name=reading.name())
        case ("ALTER", "USER" | "ROLE" as what):
            reading.at += 2
            return _alter(reading, what.lower())
        case ("GRANT" | "DENY" | "REVOKE" as verb, _):
            reading.at += 1
            return _change(reading, verb)
        case _:
            return None


def _create_user(reading: Reading) -> CreateUser:
    user = CreateUser(reading.name())
    if reading.took("FROM", "EXTERNAL", "PROVIDER") or reading.took("FOR", "EXTERNAL", "PROVIDER"):
        user = user._replace(is_external=True)
    elif reading.took("FOR", "LOGIN") or reading.took("FROM", "LOGIN"):
        user = user._replace(login=reading.name())
    elif reading.took("WITHOUT", "LOGIN"):
        user = user._replace(without_login=True)
    elif reading.word.key in ("FOR", "FROM"):
        raise errors.not_supported(f"CREATE USER {reading.word.key} {reading.ahead(1).key}")
    if reading.took("WITH"):
        user = _option(reading, user)
        while reading.took(","):
            user = _option(reading, user)
    return user


def _option(reading: Reading, user: CreateUser) -> CreateUser:
    option = reading.step().key
    reading.need("=")
    word = reading.step()
    if option == "SID" and word.kind == "binary":
        return user._replace(sid=word.text[2:].lower())
    if option == "TYPE" and word.is_name:
        return user._replace(kind=word.value.upper())
    if option == "OBJECT_ID" and word.kind == "string":
        return user._replace(object_id=word.value)
    if option == "PASSWORD" and word.kind == "string":
        return user._replace(password=word.value)
    if option in ("DEFAULT_SCHEMA", "DEFAULT_LANGUAGE", "ALLOW_ENCRYPTED_VALUE_MODIFICATIONS"):
        return user
    reading.at -= 1
    raise reading.refusal()


def is_guid(text: str) -> bool:
    """Whether it is written like an id of Entra."""
    return _GUID.fullmatch(text) is not None


def _create_role(reading: Reading) -> CreateRole:
    role = CreateRole(reading.name())
    if reading.took("AUTHORIZATION") and reading.name().casefold() != "dbo":
        raise errors.not_supported("CREATE ROLE AUTHORIZATION")
    return role


def _alter(reading: Reading, what: str) -> Security:
    name = reading.name()
    if reading.took("WITH", "NAME", "="):
        return RenamePrincipal(what, name, reading.name())
    if what == "role" and reading.took("ADD", "MEMBER"):
        return ChangeMember(name, reading.name(), adds=True)
    if what == "role" and reading.took("DROP", "MEMBER"):
        return ChangeMember(name, reading.name(), adds=False)
    if reading.word.key == "WITH":
        raise errors.not_supported(f"ALTER {what.upper()} WITH {reading.ahead(1).key}")
    raise reading.refusal()


def _change(reading: Reading, verb: str) -> ChangePermission:
    only_option = verb == "REVOKE" and reading.took("GRANT", "OPTION", "FOR")
    permissions = [_permission(reading)]
    while reading.took(","):
        permissions.append(_permission(reading))
    kind, path = _securable(reading) if reading.took("ON") else (DATABASE, ())
    if not (reading.took("TO") or (verb == "REVOKE" and reading.took("FROM"))):
        raise reading.refusal()
    grantees = [reading.name()]
    while reading.took(","):
        grantees.append(reading.name())
    with_option = verb == "GRANT" and reading.took("WITH", "GRANT", "OPTION")
    if verb in ("REVOKE", "DENY"):
        reading.took("CASCADE")
    if reading.word.key == "AS":
        raise errors.not_supported(f"{verb} AS")
    for permission in permissions:
        if permission != "ALL" and permission not in PERMISSIONS[kind]:
            raise errors.wrong_permission(permission)
    return ChangePermission(verb, tuple(permissions), kind, path, tuple(grantees), with_option, only_option)


def _permission(reading: Reading) -> str:
    words: list[str] = []
    while reading.word.kind == "name" and reading.word.key not in ("ON", "TO", "FROM"):
        words.append(reading.step().key)
    if reading.word.key == "(":
        raise errors.not_supported("GRANT on columns")
    if not words:
        raise reading.refusal()
    if words[0] == "ALL":
        return "ALL"
    return ABBREVIATIONS.get(words[0], " ".join(words)) if len(words) == 1 else " ".join(words)


def _securable(reading: Reading) -> tuple[str, tuple[str, ...]]:
    kind = OBJECT
    if reading.word.kind == "name" and reading.ahead(1).key == "::":
        kind = reading.step().key
        reading.step()
    path = [reading.name()]
    while reading.took("."):
        path.append(reading.name())
    if reading.word.key == "(":
        raise errors.not_supported("GRANT on columns")
    if kind not in PERMISSIONS:
        raise errors.not_supported(f"GRANT ON {kind}::")
    if len(path) > (2 if kind == OBJECT else 1):
        raise reading.refusal()
    return kind, tuple(path)
