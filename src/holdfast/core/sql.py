"""Asking SQL Server: where, what it refused, which rights somebody has there."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

LONGEST_NAME: Final = 128
"""UTF-16 units of an identifier. Source: learn.microsoft.com, Database identifiers."""


class SqlPlace(NamedTuple):
    """A database. `server` is the name that connections give, with ``,port`` where it is not 1433."""

    server: str
    database: str

    def __str__(self) -> str:
        return f"{self.server}/{self.database}"


class SqlRefusal(NamedTuple):
    """What SQL Server said instead of doing it.

    Attributes:
        number: of the error; None where the driver does not give it and its words are none that we know.
        state: None where the driver does not give it. A refused login shows 1 whatever it is.
        severity: the class of the error; None where the driver does not give it.
    """

    number: int | None
    state: int | None
    severity: int | None
    message: str


@dataclass(frozen=True, slots=True)
class SqlProbe:
    """One login, one SELECT 1, one goodbye.

    Attributes:
        at: when it was answered, our clock.
        refusal: None where it went well. That proves the login, not any right on an object.
    """

    place: SqlPlace
    at: datetime
    refusal: SqlRefusal | None = None


@dataclass(frozen=True, slots=True)
class LoginState:
    """A SQL login as LOGINPROPERTY tells it, all by the server's clock.

    Attributes:
        at: when it was asked.
        ends_from: the password does not end before; None where the server's policy ends it never.
        ends_to: it has ended then. The server tells whole days.
        set_at: when the password was set.
    """

    login: str
    at: datetime
    set_at: datetime
    ends_from: datetime | None = None
    ends_to: datetime | None = None
    is_locked: bool = False
    is_expired: bool = False
    must_change: bool = False


class Securable(StrEnum):
    """What a right is on."""

    OBJECT = "OBJECT"
    SCHEMA = "SCHEMA"
    DATABASE = "DATABASE"


class SqlRight(NamedTuple):
    """A right on something of the database that one is connected to.

    Attributes:
        permission: "SELECT", "EXECUTE", "ALTER ANY USER", …
        schema: of an object, or the schema itself; empty for the database.
        name: of the object; empty for the others.
    """

    permission: str
    securable: Securable
    schema: str = ""
    name: str = ""


Rows = tuple[tuple[Any, ...], ...]


def is_nameable(name: str) -> bool:
    """Whether a statement may name it: 1 to 128 UTF-16 units, nothing that is invisible or turns a line round."""
    if not name or not is_plain(name):
        return False
    return len(name.encode("utf-16-le")) // 2 <= LONGEST_NAME


def is_plain(text: str) -> bool:
    """Whether a text holds no control or format character, line separator or half of a surrogate pair.

    SQL Server would take some of them; a reviewer would not see what he signs. Joiners that scripts need are plain.
    """
    return all(
        unicodedata.category(mark) not in ("Cc", "Cf", "Cs", "Zl", "Zp") or mark in "\u200c\u200d"
        for mark in text
    )


def bracketed(name: str) -> str:
    """A name as an identifier of T-SQL.

    Raises:
        ValueError: no statement may name it: see `is_nameable`.
    """
    if not is_nameable(name):
        raise ValueError(f"No name for SQL Server: {name[:40]!r}.")
    return f"[{name.replace(']', ']]')}]"


def quoted(text: str) -> str:
    """A text as a literal of T-SQL.

    Raises:
        ValueError: it holds a character that `is_plain` refuses.
    """
    if not is_plain(text):
        raise ValueError(f"No text for SQL Server: {text[:40]!r}.")
    return "N'" + text.replace("'", "''") + "'"


def sid_of(entra_id: str) -> str:
    """The SID of an Entra identity as a literal of T-SQL: its id as 16 bytes in SQL Server's order.

    Source: sql-docs create-user-transact-sql; the client id of an application, the object id of a person or group.

    Raises:
        ValueError: it is no id.
    """
    digits = bytes.fromhex(entra_id.replace("-", ""))
    if len(digits) != 16:
        raise ValueError(f"no Entra id: {entra_id[:40]!r}")
    return "0x" + (digits[3::-1] + digits[5:3:-1] + digits[7:5:-1] + digits[8:]).hex().upper()
