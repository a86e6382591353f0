"""Whatever bytes come, in whatever pieces: the server answers or hangs up; it never raises, and leaves no session behind."""

from __future__ import annotations

import contextlib
import itertools
from datetime import UTC

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.sandbox.scenarios.named import build
from holdfast.sandbox.sql.errors import SqlError
from holdfast.sandbox.tds.conversation import Conversation
from holdfast.sandbox.tds.datatypes import guessed, read_parameter, wire_of
from holdfast.sandbox.tds.login import read_login, read_prelogin
from holdfast.sandbox.tds.octets import Octets, ProtocolError
from holdfast.sandbox.tds.packets import Assembler, PacketType, packets
from holdfast.sandbox.tds.requests import read_batch, read_calls, read_transaction
from holdfast.sandbox.tds.session import TdsSession
from tests.unit.sandbox.tds.client import (
    NOW,
    Talk,
    batch,
    call,
    int_parameter,
    login,
    packet,
    prelogin,
    text_parameter,
    transaction,
)

WORLD = build("story", 1, NOW)  # nothing here changes it
WHOLE = [
    prelogin(),
    login(),
    batch("SELECT 1 AS a"),
    call(10, text_parameter("", "SELECT @P1 AS a"), text_parameter("", "@P1 int"), int_parameter("@P1", 5)),
    transaction(5),
    packet(6, b""),
]


def pieces(content: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(content), *(cut % (len(content) + 1) for cut in cuts)})
    return [content[a:b] for a, b in itertools.pairwise(places)]


@given(st.binary(max_size=400), st.lists(st.integers(0, 400), max_size=5))
def test_noise_never_raises(noise, cuts):
    conversation = Conversation(TdsSession(None), _nobody)

    for piece in pieces(noise, cuts):
        conversation.receive(piece)

    conversation.receive(b"")
    assert not conversation.is_open


def _nobody(request):
    raise SqlError(18456, "Login failed.", 14)


@settings(max_examples=60)
@given(
    st.integers(0, sum(map(len, WHOLE)) - 1),
    st.integers(0, 255),
    st.lists(st.integers(0, 2000), max_size=8),
    st.integers(0, sum(map(len, WHOLE))),
)
def test_a_talk_with_a_wrong_byte_or_an_early_end_leaves_no_session(place, byte, cuts, end):
    content = bytearray(b"".join(WHOLE))
    content[place] = byte
    talk = Talk(WORLD)

    for piece in pieces(bytes(content[:end]), cuts):
        talk.conversation.receive(piece)
    talk.conversation.receive(b"")

    assert not talk.conversation.is_open
    assert not any(session.in_transaction for session in talk.sessions)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 2000), max_size=30))
def test_how_bytes_are_cut_changes_nothing(cuts):
    content = b"".join(WHOLE)
    whole, cut = Talk(WORLD), Talk(WORLD)

    assert b"".join(map(cut.conversation.receive, pieces(content, cuts))) == whole.conversation.receive(
        content
    )


READERS = (read_prelogin, read_login, read_batch, read_calls, read_transaction)


@given(st.sampled_from(READERS), st.binary(max_size=300))
def test_a_message_is_read_or_refused(reader, content):
    with contextlib.suppress(ProtocolError):
        reader(content)


@given(
    st.sampled_from(sorted({*range(0x20, 0x80), 0xA5, 0xA7, 0xAD, 0xAF, 0xE7, 0xEF, 0xF1})),
    st.binary(max_size=80),
)
def test_a_parameter_of_any_type_is_read_or_refused(token, content):
    with contextlib.suppress(ProtocolError):
        read_parameter(Octets(b"\0\0" + bytes((token,)) + content))


@given(st.binary(max_size=20_000), st.integers(512, 32767))
def test_a_message_survives_its_packets(content, size):
    assembler = Assembler(limit=20_000)

    for each in packets(PacketType.REPLY, content, size):
        assert len(each) <= size
        assembler.feed(each)

    message = assembler.message()
    assert message is not None
    assert (message.kind, message.content) == (PacketType.REPLY, content)


# --- values go out as they come in -----------------------------------------------------------------------

plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
VALUES = {
    "int": st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "tinyint": st.integers(0, 255),
    "bit": st.booleans(),
    "float": st.floats(allow_nan=False),
    "nvarchar(100)": plain.filter(lambda text: len(text.encode("utf-16-le")) <= 200),
    "nvarchar(max)": plain,
    "varbinary(max)": st.binary(max_size=100),
    "decimal(20,4)": st.decimals(-(10**15), 10**15, places=4),
    "money": st.decimals(-(10**14), 10**14, places=4),
    "date": st.dates(),
    "datetime2": st.datetimes(),
    "time": st.times(),
    "datetimeoffset": st.datetimes(timezones=st.just(UTC)),
    "uniqueidentifier": st.uuids().map(lambda guid: str(guid).upper()),
}


@given(st.data(), st.sampled_from(sorted(VALUES)))
def test_a_value_is_read_back_as_it_was_put(data, declared):
    value = data.draw(VALUES[declared])
    wire = wire_of(declared)
    assert wire is not None

    parameter = read_parameter(Octets(b"\0\0" + wire.description + wire.put(value)))

    assert parameter.value == value


@given(st.sampled_from(sorted(VALUES)))
def test_null_is_read_back_as_null(declared):
    wire = wire_of(declared)
    assert wire is not None

    assert read_parameter(Octets(b"\0\0" + wire.description + wire.null)).value is None


@given(
    st.lists(
        st.one_of(st.none(), st.integers(), st.text(), st.binary(), st.booleans(), st.floats(), st.dates())
    )
)
def test_a_column_without_a_type_takes_its_own_values(values):
    wire = guessed(values)

    for value in values:
        if value is not None:
            assert wire.put(value)
