"""T-SQL types as TDS carries them (MS-TDS 2.2.5.4 to 2.2.5.6): parameters in, columns and return values out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NamedTuple

from holdfast.sandbox.tds.octets import Octets, ProtocolError, utf16

COLLATION = bytes.fromhex("0904d00034")
"""SQL_Latin1_General_CP1_CI_AS, Azure's default."""
UTF8 = 0x04000000
MAX = 0xFFFF
PLP_NULL = 0xFFFFFFFFFFFFFFFF
EPOCH_1900 = datetime(1900, 1, 1)  # noqa: DTZ001 - T-SQL's datetime has no zone
DAY_ONE = date(1, 1, 1)
LONGEST_NVARCHAR, LONGEST_VARCHAR = 4000, 8000


class Parameter(NamedTuple):
    """A parameter of a remote call; `is_output` ones are told back, and a `is_guid` one is the text of an id."""

    name: str
    value: Any
    is_output: bool = False
    is_guid: bool = False


# --- in --------------------------------------------------------------------------------------------------

FIXED = {
    0x1F: 0,
    0x30: 1,
    0x32: 1,
    0x34: 2,
    0x38: 4,
    0x3A: 4,
    0x3B: 4,
    0x3C: 8,
    0x3D: 8,
    0x3E: 8,
    0x7A: 4,
    0x7F: 8,
}
AS_NULLABLE = {
    0x30: 0x26, 0x32: 0x68, 0x34: 0x26, 0x38: 0x26, 0x7F: 0x26, 0x3A: 0x6F, 0x3D: 0x6F, 0x3B: 0x6D, 0x3E: 0x6D,
    0x3C: 0x6E, 0x7A: 0x6E,
}  # fmt: skip
BY_BYTE = {0x24, 0x26, 0x68, 0x6D, 0x6E, 0x6F}
NUMERIC = {0x6A, 0x6C, 0x37, 0x3F}
SCALED = {0x29, 0x2A, 0x2B}
BY_WORD = {0xA5, 0xA7, 0xAD, 0xAF, 0xE7, 0xEF}
TEXTS = {0xA7, 0xAF, 0xE7, 0xEF, 0x23, 0x63}
WIDE = {0xE7, 0xEF, 0x63, 0xF1}
LONG = {0x22, 0x23, 0x63}


class _Type(NamedTuple):
    token: int
    size: int = 0
    scale: int = 0
    collation: bytes = b""


def read_parameter(octets: Octets) -> Parameter:
    """The next parameter of a remote call. Raises ProtocolError."""
    name = octets.short_text()
    status = octets.number(1)
    kind = _type(octets)
    return Parameter(name, _value(octets, kind), bool(status & 1), kind.token == 0x24)


def _type(octets: Octets) -> _Type:
    token = octets.number(1)
    if token in FIXED:
        return _Type(token, FIXED[token])
    if token in BY_BYTE:
        return _Type(token, octets.number(1))
    if token in NUMERIC:
        size = octets.number(1)
        octets.number(1)
        return _Type(token, size, octets.number(1))
    if token == 0x28:
        return _Type(token)
    if token in SCALED:
        return _Type(token, scale=octets.number(1))
    if token in BY_WORD or token in LONG:
        size = octets.number(2 if token in BY_WORD else 4)
        return _Type(token, size, collation=octets.take(5) if token in TEXTS else b"")
    if token == 0xF1 and octets.number(1) == 0:
        return _Type(token, MAX)
    raise ProtocolError(f"a parameter has the type 0x{token:02x}, which this server does not take")


def _value(octets: Octets, kind: _Type) -> Any:
    if kind.token in FIXED:
        return _scalar(AS_NULLABLE.get(kind.token, 0), octets.take(kind.size), kind) if kind.size else None
    if kind.token in BY_WORD or kind.token == 0xF1:
        content = _plp(octets) if kind.size == MAX else _by_word(octets)
    elif kind.token in LONG:
        length = octets.number(4)
        content = None if length == 0xFFFFFFFF else octets.take(length)
    else:
        content = octets.take(octets.number(1)) or None
    if content is None:
        return None
    if kind.token in WIDE:
        return utf16(content)
    if kind.token in TEXTS:
        is_utf8 = int.from_bytes(kind.collation[:4], "little") & UTF8
        return content.decode("utf-8" if is_utf8 else "cp1252", "replace")
    return _scalar(kind.token, content, kind)


def _by_word(octets: Octets) -> bytes | None:
    length = octets.number(2)
    return None if length == MAX else octets.take(length)


def _plp(octets: Octets) -> bytes | None:
    if octets.number(8) == PLP_NULL:
        return None
    pieces = []
    while length := octets.number(4):
        pieces.append(octets.take(length))
    return b"".join(pieces)


def _scalar(token: int, content: bytes, kind: _Type) -> Any:
    reader = _SCALARS.get(token)
    if reader is None:
        return content
    try:
        return reader(content, kind.scale)
    except (ValueError, OverflowError, IndexError):
        raise ProtocolError("a parameter has no value of its type") from None


def _integer(content: bytes, _: int) -> int:
    return int.from_bytes(content, "little", signed=len(content) > 1)  # tinyint has no sign


def _float(content: bytes, _: int) -> float:
    from struct import error, unpack

    try:
        (value,) = unpack("<f" if len(content) == 4 else "<d", content)
    except error as fault:
        raise ValueError from fault
    return float(value)


def _decimal(content: bytes, scale: int) -> Decimal:
    magnitude = Decimal(int.from_bytes(content[1:], "little")).scaleb(-scale)
    return magnitude if content[0] else -magnitude


def _money(content: bytes, _: int) -> Decimal:
    if len(content) == 8:
        content = content[4:] + content[:4]
    return Decimal(int.from_bytes(content, "little", signed=True)).scaleb(-4)


def _old_datetime(content: bytes, _: int) -> datetime:
    half = len(content) // 2
    days = int.from_bytes(content[:half], "little", signed=half == 4)
    ticks = int.from_bytes(content[half:], "little")
    # datetime counts 300ths of a second, smalldatetime minutes
    passed = timedelta(milliseconds=round(ticks * 10 / 3)) if half == 4 else timedelta(minutes=ticks)
    return EPOCH_1900 + timedelta(days=days) + passed


def _date(content: bytes, _: int = 0) -> date:
    return DAY_ONE + timedelta(days=int.from_bytes(content, "little"))


def _time(content: bytes, scale: int) -> time:
    microseconds = int.from_bytes(content, "little") * 10**6 // 10**scale
    return (EPOCH_1900 + timedelta(microseconds=microseconds)).time()


def _datetime2(content: bytes, scale: int) -> datetime:
    return datetime.combine(_date(content[-3:]), _time(content[:-3], scale))


def _datetimeoffset(content: bytes, scale: int) -> datetime:
    utc = _datetime2(content[:-2], scale).replace(tzinfo=UTC)
    return utc.astimezone(timezone(timedelta(minutes=int.from_bytes(content[-2:], "little", signed=True))))


def _guid(content: bytes, _: int) -> str:
    if len(content) != 16:
        raise ValueError
    digits = (content[3::-1] + content[5:3:-1] + content[7:5:-1] + content[8:]).hex().upper()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


_SCALARS: dict[int, Callable[[bytes, int], Any]] = {
    0x24: _guid,
    0x26: _integer,
    0x68: lambda content, _: content[0] != 0,
    **dict.fromkeys(NUMERIC, _decimal),
    0x6D: _float,
    0x6E: _money,
    0x6F: _old_datetime,
    0x28: _date,
    0x29: _time,
    0x2A: _datetime2,
    0x2B: _datetimeoffset,
}

# --- out -------------------------------------------------------------------------------------------------


class Wire(NamedTuple):
    """How a column goes over the wire. `put` gives the bytes of a value that is not None, with their length.

    Raises ValueError, TypeError or OverflowError for a value that is none of the type.
    """

    description: bytes
    null: bytes
    put: Callable[[Any], bytes]


def _short(content: bytes) -> bytes:
    return bytes((len(content),)) + content


def _word(content: bytes) -> bytes:
    return len(content).to_bytes(2, "little") + content


def _plp_of(content: bytes) -> bytes:
    head: bytes = len(content).to_bytes(8, "little")
    return head + (len(content).to_bytes(4, "little") + content if content else b"") + bytes(4)


def _int_wire(size: int) -> Wire:
    def put(value: Any) -> bytes:
        return _short(int(value).to_bytes(size, "little", signed=size > 1))

    return Wire(bytes((0x26, size)), b"\0", put)


def _float_wire(size: int) -> Wire:
    from struct import pack

    return Wire(
        bytes((0x6D, size)), b"\0", lambda value: _short(pack("<f" if size == 4 else "<d", float(value)))
    )


def _decimal_wire(precision: int, scale: int) -> Wire:
    def put(value: Any) -> bytes:
        try:
            units = int(Decimal(str(value)).scaleb(scale).to_integral_value())
        except InvalidOperation:
            raise ValueError(value) from None
        return _short(bytes((units >= 0,)) + abs(units).to_bytes(16, "little"))

    return Wire(bytes((0x6A, 17, precision, scale)), b"\0", put)


def _money_wire(size: int) -> Wire:
    def put(value: Any) -> bytes:
        try:
            units = int(Decimal(str(value)).scaleb(4).to_integral_value())
        except InvalidOperation:
            raise ValueError(value) from None
        content = units.to_bytes(size, "little", signed=True)
        return _short(content[4:] + content[:4] if size == 8 else content)

    return Wire(bytes((0x6E, size)), b"\0", put)


def _text_wire(token: int, size: int, encoding: str) -> Wire:
    def encoded(value: Any) -> bytes:
        return _as_text(value).encode(encoding, "replace")

    if size == MAX:
        head = bytes((token,)) + MAX.to_bytes(2, "little") + COLLATION
        return Wire(head, PLP_NULL.to_bytes(8, "little"), lambda value: _plp_of(encoded(value)))
    head = bytes((token,)) + size.to_bytes(2, "little") + COLLATION
    return Wire(head, b"\xff\xff", lambda value: _word(_fitting(encoded(value), size)))


def _binary_wire(token: int, size: int) -> Wire:
    if size == MAX:
        head = bytes((token,)) + MAX.to_bytes(2, "little")
        return Wire(head, PLP_NULL.to_bytes(8, "little"), lambda value: _plp_of(_as_bytes(value)))
    head = bytes((token,)) + size.to_bytes(2, "little")
    return Wire(head, b"\xff\xff", lambda value: _word(_fitting(_as_bytes(value), size)))


def _fitting(content: bytes, size: int) -> bytes:
    if len(content) > size:
        raise ValueError("longer than its column")
    return content


def _as_text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return str(int(value)) if isinstance(value, bool) else str(value)


def _as_bytes(value: Any) -> bytes:
    if isinstance(value, int):
        return value.to_bytes(8, "big")  # a rowversion
    return value.encode() if isinstance(value, str) else bytes(value)


def _as_datetime(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    return datetime.fromisoformat(str(value))


def _ticks(at: time, scale: int) -> bytes:
    passed = ((at.hour * 60 + at.minute) * 60 + at.second) * 10**6 + at.microsecond
    size = 3 if scale <= 2 else 4 if scale <= 4 else 5
    return int(passed * 10**scale // 10**6).to_bytes(size, "little")


def _days(on: date) -> bytes:
    return int((on - DAY_ONE).days).to_bytes(3, "little")


def _time_wire(scale: int) -> Wire:
    def put(value: Any) -> bytes:
        return _short(_ticks(value if isinstance(value, time) else time.fromisoformat(str(value)), scale))

    return Wire(bytes((0x29, scale)), b"\0", put)


def _datetime2_wire(scale: int) -> Wire:
    def put(value: Any) -> bytes:
        at = _as_datetime(value)
        at = at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
        return _short(_ticks(at.time(), scale) + _days(at.date()))

    return Wire(bytes((0x2A, scale)), b"\0", put)


def _datetimeoffset_wire(scale: int) -> Wire:
    def put(value: Any) -> bytes:
        at = _as_datetime(value)
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        minutes = int((at.utcoffset() or timedelta()).total_seconds()) // 60
        utc = at.astimezone(UTC)
        return _short(
            _ticks(utc.time(), scale) + _days(utc.date()) + minutes.to_bytes(2, "little", signed=True)
        )

    return Wire(bytes((0x2B, scale)), b"\0", put)


def _old_datetime_wire(size: int) -> Wire:
    def put(value: Any) -> bytes:
        passed = _as_datetime(value).replace(tzinfo=None) - EPOCH_1900
        days, rest = passed.days, passed - timedelta(days=passed.days)
        if size == 4:
            return _short(days.to_bytes(2, "little") + (rest.seconds // 60).to_bytes(2, "little"))
        ticks = min(round(rest.total_seconds() * 300), 25_919_999)
        return _short(days.to_bytes(4, "little", signed=True) + ticks.to_bytes(4, "little"))

    return Wire(bytes((0x6F, size)), b"\0", put)


def _guid_put(value: Any) -> bytes:
    content = bytes.fromhex(str(value).strip("{}").replace("-", ""))
    if len(content) != 16:
        raise ValueError("no uniqueidentifier")
    return _short(content[3::-1] + content[5:3:-1] + content[7:5:-1] + content[8:])


BIT = Wire(b"\x68\x01", b"\0", lambda value: _short(bytes((bool(value),))))
DATE = Wire(b"\x28", b"\0", lambda value: _short(_days(_as_datetime(value).date())))
GUID = Wire(b"\x24\x10", b"\0", _guid_put)
NVARCHAR_MAX = _text_wire(0xE7, MAX, "utf-16-le")

_SIMPLE = {
    "tinyint": _int_wire(1),
    "smallint": _int_wire(2),
    "int": _int_wire(4),
    "bigint": _int_wire(8),
    "bit": BIT,
    "real": _float_wire(4),
    "float": _float_wire(8),
    "money": _money_wire(8),
    "smallmoney": _money_wire(4),
    "date": DATE,
    "datetime": _old_datetime_wire(8),
    "smalldatetime": _old_datetime_wire(4),
    "uniqueidentifier": GUID,
    "sysname": _text_wire(0xE7, 256, "utf-16-le"),
    "rowversion": _binary_wire(0xAD, 8),
    "timestamp": _binary_wire(0xAD, 8),
    "ntext": NVARCHAR_MAX,
    "text": _text_wire(0xA7, MAX, "cp1252"),
    "xml": NVARCHAR_MAX,
    "sql_variant": NVARCHAR_MAX,
    "image": _binary_wire(0xA5, MAX),
}
_SIZED = re.compile(r"\s*([a-z_0-9]+)\s*(?:\(\s*(max|\d+)\s*(?:,\s*(\d+)\s*)?\))?", re.IGNORECASE)


@lru_cache(maxsize=512)
def wire_of(declared: str) -> Wire | None:
    """How a column of this T-SQL type goes over the wire; None for a type that is not known."""
    found = _SIZED.fullmatch(declared)
    if found is None:
        return None
    name, size, scale = found[1].lower(), (found[2] or "").lower(), int(found[3] or 0)
    if name in ("nvarchar", "nchar"):
        length = MAX if size == "max" else 2 * min(int(size or 1), LONGEST_NVARCHAR)
        return _text_wire(0xE7 if name == "nvarchar" else 0xEF, length, "utf-16-le")
    if name in ("varchar", "char"):
        length = MAX if size == "max" else min(int(size or 1), LONGEST_VARCHAR)
        return _text_wire(0xA7 if name == "varchar" else 0xAF, length, "cp1252")
    if name in ("varbinary", "binary"):
        length = MAX if size == "max" else min(int(size or 1), LONGEST_VARCHAR)
        return _binary_wire(0xA5 if name == "varbinary" else 0xAD, length)
    if name in ("decimal", "numeric"):
        return _decimal_wire(min(int(size or 18), 38), min(scale, 38))
    makers = {"time": _time_wire, "datetime2": _datetime2_wire, "datetimeoffset": _datetimeoffset_wire}
    if name in makers:
        return makers[name](min(int(size or 7), 7))
    return _SIMPLE.get(name)


def guessed(values: Iterable[Any]) -> Wire:
    """How a column goes over the wire that has no declared type: by its values."""
    present = [value for value in values if value is not None]
    kinds = {type(value) for value in present}
    if kinds == {bool}:
        return BIT
    if kinds <= {int, bool} and kinds:
        fits = all(-(2**31) <= value < 2**31 for value in present)
        if fits or all(-(2**63) <= value < 2**63 for value in present):
            return _int_wire(4 if fits else 8)
    if kinds <= {int, float} and kinds:
        return _float_wire(8)
    if kinds == {bytes}:
        return _binary_wire(0xA5, MAX if max(map(len, present)) > LONGEST_VARCHAR else LONGEST_VARCHAR)
    if kinds == {datetime}:
        return _datetimeoffset_wire(7) if any(one.tzinfo for one in present) else _datetime2_wire(7)
    if kinds == {date}:
        return DATE
    if kinds == {Decimal}:
        return _decimal_wire(38, max(max(-int(one.as_tuple().exponent), 0) for one in present))
    longest = max((2 * len(_as_text(value)) for value in present), default=2)
    return _text_wire(0xE7, MAX if longest > LONGEST_NVARCHAR else 2 * LONGEST_NVARCHAR, "utf-16-le")
