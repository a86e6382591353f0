"""T-SQL functions for SQLite: who and what, rights, names, and values that T-SQL treats in its own way."""

from __future__ import annotations

import json
import math
import sqlite3
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from holdfast.sandbox.sql import errors
from holdfast.sandbox.sql.catalogue import FIXED_ROLES, Login, joined
from holdfast.sandbox.sql.conversions import MOMENT, converted, moment_of, read_kind
from holdfast.sandbox.sql.login import Session
from holdfast.sandbox.sql.permissions import may, may_in_schema, roles_of, sees
from holdfast.sandbox.sql.security import DATABASE, OBJECT, OF_TABLES, PERMISSIONS, SCHEMA
from holdfast.sandbox.sql.system_views import (
    name_of,
    number_of,
    object_named,
    principal_id,
    principal_named,
    schema_id,
    schema_named,
)
from holdfast.sandbox.sql.words import words_of

VERSION = "Microsoft SQL Azure (RTM) - 12.0.2000.8 (holdfast sandbox)"


@dataclass(slots=True)
class Scene:
    """What functions answer from: who asks, when, and what has just happened."""

    session: Session
    now: datetime
    spid: int = 51
    rows: int = 0
    error: int = 0
    depth: int = 0
    made: int = 0
    fault: errors.SqlError | None = None
    """What a function refused: SQLite tells its callers no more than that one did."""


def register(sqlite: sqlite3.Connection, scene: Callable[[], Scene]) -> None:
    """Make the functions known; `scene` is asked at each call."""

    def told(name: str, function: Callable[..., Any]) -> None:
        def answer(*given: Any) -> Any:
            at = scene()
            try:
                return function(at, *given)
            except errors.SqlError as fault:
                at.fault = fault
                raise

        sqlite.create_function(name, -1, answer)

    for name in ("GETUTCDATE", "SYSUTCDATETIME", "GETDATE", "SYSDATETIME", "HOLDFAST_NOW"):
        told(name, lambda at: at.now.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3])
    told("DB_NAME", lambda at, *_: at.session.database.name)
    told("DB_ID", lambda *_: 5)
    told("SCOPE_IDENTITY", lambda _: sqlite.execute("SELECT last_insert_rowid()").fetchone()[0])
    for name, function in FUNCTIONS.items():
        told(name, function)


# --- names -----------------------------------------------------------------------------------------------


def _parts(text: Any) -> list[str]:
    """The parts of a name in a text; none where it is no name."""
    if not isinstance(text, str):
        return []
    try:
        words = words_of(text)[:-1]
    except errors.SqlError:
        return []
    are_names = all(word.is_name if n % 2 == 0 else word.key == "." for n, word in enumerate(words))
    return [word.value for word in words[::2]] if are_names and len(words) % 2 else []


def _object(at: Scene, text: Any) -> str | None:
    """The full name of the object that a text names, if the session sees it."""
    names = _parts(text)
    if not 1 <= len(names) <= 3:
        return None
    found = at.session.database.object_named(_joined(names))
    return found.full_name if found is not None and sees(at.session, found.full_name) else None


def _object_id(at: Scene, name: Any, kind: Any = None, *_: Any) -> int | None:
    found = _object(at, name)
    if found is None or (kind and at.session.database.kind_of(found) != str(kind).strip().upper()):
        return None
    return number_of(found)


def _object_name(at: Scene, number: Any, *_: Any) -> str | None:
    found = object_named(at.session, int(number or 0))
    return name_of(found) if found else None


def _object_schema_name(at: Scene, number: Any, *_: Any) -> str | None:
    found = at.session.database.object_named(object_named(at.session, int(number or 0)) or "")
    return found.schema if found else None


def _schema_id(at: Scene, name: Any = "dbo") -> int | None:
    known = {one.casefold() for one in at.session.database.schemas()} | {"sys", "guest", "information_schema"}
    return schema_id(str(name)) if str(name).casefold() in known else None


def _schema_name(at: Scene, number: Any = 1) -> str | None:
    return schema_named(at.session.database, int(number or 0))


def _login(at: Scene, *given: Any) -> str | None:
    if given and isinstance(given[0], bytes):
        sid = given[0].hex()
        return next((one.name for one in at.session.database.principals.values() if one.sid == sid), None)
    who = at.session.who
    return f"{who.entra_id}@{who.tenant}" if who.tenant and who.name == who.entra_id else who.name


def _user(at: Scene, *given: Any) -> str | None:
    if given:
        return None if given[0] is None else principal_named(at.session.database, int(given[0]))
    return at.session.user.name


def _principal_id(at: Scene, *given: Any) -> int | None:
    return principal_id(at.session.database, str(given[0]) if given else at.session.user.name)


def quote_name(_at: Scene, name: Any, mark: Any = "[") -> str | None:
    """QUOTENAME: NULL beyond 128 characters."""
    if name is None or len(str(name)) > 128:
        return None
    pairs = {"[": "[]", "]": "[]", '"': '""', "'": "''"}
    pair = pairs.get(str(mark or "["), "[]")
    return f"{pair[0]}{str(name).replace(pair[1], pair[1] * 2)}{pair[1]}"


# --- rights ----------------------------------------------------------------------------------------------


def _is_role_member(at: Scene, role: Any, who: Any = None) -> int | None:
    database = at.session.database
    principal = at.session.user if who is None else database.principal(str(who))
    name = str(role).casefold()
    known = database.principal(name)
    if principal is None or not (name in (*FIXED_ROLES, "public") or (known and known.kind == "R")):
        return None
    if principal.name.casefold() == "dbo":
        return int(name in ("db_owner", "public"))
    return int(name in set(roles_of(database, principal)))


def _has_perms(at: Scene, securable: Any, kind: Any, permission: Any, *_: Any) -> int | None:
    wanted = str(permission).upper().strip()
    kind = DATABASE if securable is None and kind is None else str(kind or OBJECT).upper()
    fitting = _fitting(at, securable, kind)
    if fitting is None:
        return None
    if wanted == "ANY":
        return int(any(_may(at, securable, kind, one) for one in fitting))
    if wanted not in PERMISSIONS[kind]:
        return None
    return int(wanted in fitting and _may(at, securable, kind, wanted))


def _fitting(at: Scene, securable: Any, kind: str) -> list[str] | None:
    """The permissions that a securable has; None where it is not there."""
    if kind == OBJECT:
        names = _parts(securable)
        found = at.session.database.object_named(_joined(names)) if names else None
        if found is None:
            return None
        unfit = OF_TABLES if at.session.database.kind_of(found.full_name) == "P" else ("EXECUTE",)
        return sorted(PERMISSIONS[OBJECT].difference(unfit))
    if kind == SCHEMA:
        names = _parts(securable)
        known = {one.casefold() for one in at.session.database.schemas()}
        return sorted(PERMISSIONS[SCHEMA]) if names and names[0].casefold() in known else None
    if kind == DATABASE:
        names = [at.session.database.name] if securable is None else _parts(securable)
        is_here = bool(names) and names[0].casefold() == at.session.database.name.casefold()
        return sorted(PERMISSIONS[DATABASE]) if is_here else None
    return None


def _joined(names: list[str]) -> str:
    return joined(names[-2] if len(names) > 1 else "dbo", names[-1])


def _may(at: Scene, securable: Any, kind: str, permission: str) -> bool:
    if kind == OBJECT:
        return may(at.session, permission, _joined(_parts(securable)))
    if kind == SCHEMA:
        return may_in_schema(at.session, permission, _parts(securable)[0])
    return may(at.session, permission)


def _my_permissions(at: Scene, securable: Any, kind: Any) -> str:
    """The rows of fn_my_permissions as JSON."""
    kind = DATABASE if kind is None else str(kind).upper()
    fitting = _fitting(at, securable, kind) or []
    entity = "database" if kind == DATABASE else str(securable)
    return json.dumps([[entity, "", one] for one in fitting if _may(at, securable, kind, one)])


def _login_property(at: Scene, name: Any, what: Any) -> Any:
    """LOGINPROPERTY, as far as passwords go; NULL for logins that are not there, of Windows, or not the caller's to see.

    sql-docs loginproperty-transact-sql: it requires VIEW permission on the login, which here it and the
    server's Entra administrator have; a database's owner has none on the server.
    """
    login = at.session.server.logins.get(str(name).casefold())
    who = at.session.who
    if login is None or login.is_windows:
        return None
    is_admin = who.entra_id is not None and who.entra_id == at.session.server.entra_admin
    if not is_admin and (who.kind, who.name.casefold()) != ("sql", login.name.casefold()):
        return None
    told = _PROPERTIES.get(str(what).casefold())
    return told(login, at.now) if told is not None else None


def _days_left(login: Login, now: datetime) -> int | None:
    if login.expires_at is None:
        return None
    return max((login.expires_at - now).days, 0)


def _moment(at: datetime | None) -> str | None:
    """As `datetime` has it: thousandths of a second, no zone."""
    return None if at is None else at.replace(tzinfo=None).isoformat(timespec="milliseconds")


_PROPERTIES: dict[str, Callable[[Login, datetime], Any]] = {
    "daysuntilexpiration": _days_left,
    "isexpired": lambda login, now: int(login.expires_at is not None and now >= login.expires_at),
    "islocked": lambda login, _: int(login.locked_at is not None),
    "lockouttime": lambda login, _: _moment(login.locked_at),
    "passwordlastsettime": lambda login, _: _moment(login.password_set_at),
    "ismustchange": lambda *_: 0,
    "defaultdatabase": lambda *_: "master",
    "badpasswordcount": lambda *_: 0,
}


# --- values ----------------------------------------------------------------------------------------------


def _add(_at: Scene, one: Any, other: Any) -> Any:
    if one is None or other is None:
        return None
    if isinstance(one, str) and isinstance(other, str):
        return one + other
    try:
        return _number(one) + _number(other)
    except ValueError:
        return None


def _number(value: Any) -> int | float:
    if isinstance(value, int | float):
        return value
    return float(value) if "." in str(value) else int(value)


def _divided(_at: Scene, one: Any, other: Any) -> Any:
    if one is None or other is None:
        return None
    above, below = _number(one), _number(other)
    if not below:
        raise errors.SqlError(8134, "Divide by zero error encountered.")
    if isinstance(above, int) and isinstance(below, int):
        whole = abs(above) // abs(below)
        return whole if (above < 0) == (below < 0) else -whole
    return above / below


def _remainder(at: Scene, one: Any, other: Any) -> Any:
    if one is None or other is None:
        return None
    above, below = _number(one), _number(other)
    if isinstance(above, int) and isinstance(below, int):
        return above - below * _divided(at, above, below)
    _divided(at, above, below)
    return math.fmod(above, below)


def _cast(_at: Scene, value: Any, kind: str) -> Any:
    told = read_kind(kind)
    return None if told is None else converted(value, told)


def _try_cast(at: Scene, value: Any, kind: str) -> Any:
    try:
        return _cast(at, value, kind)
    except errors.SqlError:
        return None


STYLES = {
    23: "%Y-%m-%d", 101: "%m/%d/%Y", 103: "%d/%m/%Y", 104: "%d.%m.%Y", 108: "%H:%M:%S", 112: "%Y%m%d",
    120: "%Y-%m-%d %H:%M:%S", 20: "%Y-%m-%d %H:%M:%S",
}  # fmt: skip


def _styled(at: Scene, value: Any, kind: str, style: Any) -> Any:
    """CONVERT with a style, as far as dates and bytes become texts; elsewhere the style changes nothing here."""
    if "char" not in kind or value is None:
        return _cast(at, value, kind)
    if isinstance(value, bytes):
        text = {1: "0x", 2: ""}[style] + value.hex().upper() if style in (1, 2) else value
        return _cast(at, text, kind)
    found = moment_of(value) if isinstance(value, str) and MOMENT.fullmatch(value) else None
    if found is None or style in (121, 126, 127):
        return _cast(at, value, kind)
    if style not in STYLES:
        raise errors.not_supported(f"CONVERT with style {style}")
    return _cast(at, found.strftime(STYLES[style]), kind)


def _new_id(at: Scene) -> str:
    at.made += 1
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{at.now.isoformat()} {at.spid} {at.made}")).upper()


def _left(_at: Scene, text: Any, count: Any) -> str | None:
    return None if text is None or count is None else str(text)[: int(count)]


def _right(_at: Scene, text: Any, count: Any) -> str | None:
    return None if text is None or count is None else str(text)[max(len(str(text)) - int(count), 0) :]


def _part(_at: Scene, which: str, value: Any) -> int | None:
    return None if value is None else int(getattr(moment_of(value), which))


def _login_sid(at: Scene, *given: Any) -> bytes | None:
    name = str(given[0]) if given else at.session.user.name
    found = at.session.database.principal(name)
    return bytes.fromhex(found.sid) if found is not None and found.sid else None


def _global(at: Scene, name: Any) -> Any:
    known: dict[str, Any] = {
        "SPID": at.spid,
        "VERSION": VERSION,
        "SERVERNAME": at.session.server.name.partition(".")[0],
        "ROWCOUNT": at.rows,
        "ERROR": at.error,
        "TRANCOUNT": at.depth,
    }
    if name not in known:
        raise errors.SqlError(137, f'Must declare the scalar variable "@@{name}".', 15, 2)
    return known[name]


def _server_property(at: Scene, name: Any) -> Any:
    known: dict[str, Any] = {
        "edition": "SQL Azure",
        "engineedition": 5,
        "productversion": "12.0.2000.8",
        "servername": at.session.server.name.partition(".")[0],
        "isexternalauthenticationonly": 0,
    }
    return known.get(str(name).casefold())


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "OBJECT_ID": _object_id,
    "OBJECT_NAME": _object_name,
    "OBJECT_SCHEMA_NAME": _object_schema_name,
    "SCHEMA_ID": _schema_id,
    "HF_SCHEMA_NAME": _schema_name,
    "HF_LOGIN": _login,
    "HF_USER": _user,
    "USER_ID": _principal_id,
    "DATABASE_PRINCIPAL_ID": _principal_id,
    "QUOTENAME": quote_name,
    "IS_ROLEMEMBER": _is_role_member,
    "IS_MEMBER": _is_role_member,
    "IS_SRVROLEMEMBER": lambda *_: 0,
    "HAS_PERMS_BY_NAME": _has_perms,
    "HF_MY_PERMISSIONS": _my_permissions,
    "LOGINPROPERTY": _login_property,
    "HF_ADD": _add,
    "HF_DIVIDED": _divided,
    "HF_REMAINDER": _remainder,
    "HF_CAST": _cast,
    "HF_TRY_CAST": _try_cast,
    "HF_STYLED": _styled,
    "HF_NEWID": _new_id,
    "HF_LEFT": _left,
    "HF_RIGHT": _right,
    "HF_PART": _part,
    "HF_CONCAT": lambda _, *given: "".join(str(one) for one in given if one is not None),
    "SUSER_SID": _login_sid,
    "HF_GLOBAL": _global,
    "SERVERPROPERTY": _server_property,
    "LEN": lambda _, text: None if text is None else len(str(text).rstrip(" ")),
}
