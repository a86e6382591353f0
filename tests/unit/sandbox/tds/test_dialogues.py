"""What is said on a connection, in order: bytes in, tokens out."""

from __future__ import annotations

import struct

import pytest

from tests.unit.sandbox.tds.client import (
    ATTENTION,
    BATCH,
    HEADERS,
    LOGIN7,
    RPC,
    WELCOME,
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


@pytest.fixture
def talk() -> Talk:
    return Talk().begun()


def test_a_login_is_welcomed():
    talk = Talk()

    # version, and no encryption: this server has no certificate
    assert talk.conversation.receive(prelogin())[8:] == bytes.fromhex("00000b000601001100 01ff0c0007d0000002")
    assert talk.says(login()) == WELCOME
    assert talk.conversation.is_open


def test_a_refused_login_is_told_no_more_than_that():
    talk = Talk()
    talk.conversation.receive(prelogin())

    assert talk.says(login(password="wrong")) == [
        "ERROR 18456 1 14 Login failed for user 'helpdesk_app'.",
        "DONE error",
    ]
    assert not talk.conversation.is_open


def test_a_database_that_is_not_there_is_two_errors():
    talk = Talk()
    talk.conversation.receive(prelogin())

    assert talk.says(login(database="nowhere")) == [
        'ERROR 4060 1 11 Cannot open database "nowhere" requested by the login. The login failed.',
        "ERROR 18456 1 14 Login failed for user 'helpdesk_app'.",
        "DONE error",
    ]


def test_a_feature_that_is_there_is_acknowledged():
    talk = Talk()
    talk.conversation.receive(prelogin())

    assert "FEATUREEXTACK 10" in talk.says(login(feature=bytes.fromhex("0a 01000000 01")))


def test_a_batch_is_answered(talk):
    assert talk.says(batch("SELECT 1 AS a, 2 AS b")) == [
        "COLMETADATA 2",
        "ROW [1, 2]",
        "DONE more 1 rows",
        "DONE",
    ]


def test_an_error_ends_the_batch_and_not_the_session(talk):
    assert talk.says(batch("SELECT * FROM dbo.Nothing")) == [
        "ERROR 208 1 16 Invalid object name 'dbo.Nothing'.",
        "DONE more error",
        "DONE error",
    ]
    assert talk.says(batch("SELECT 1 AS a"))[1] == "ROW [1]"


def test_a_request_may_come_in_many_packets(talk):
    content = HEADERS + "SELECT 7 AS a".encode("utf-16-le")

    assert talk.says(packet(BATCH, content[:25], status=0)) == []
    assert talk.says(packet(BATCH, content[25:]))[1] == "ROW [7]"


def test_bytes_may_come_one_by_one():
    talk = Talk()
    told = [
        word for byte in prelogin() + login() + batch("SELECT 3 AS a") for word in after_prelogin(talk, byte)
    ]

    assert told == [*WELCOME, "COLMETADATA 1", "ROW [3]", "DONE more 1 rows", "DONE"]


def after_prelogin(talk: Talk, byte: int) -> list[str]:
    reply = talk.conversation.receive(bytes((byte,)))
    return [] if reply[8:9] == b"\0" else talk_read(reply)


def talk_read(reply: bytes) -> list[str]:
    from tests.unit.sandbox.tds.client import read

    return read(reply)


def test_parameters_reach_the_statement(talk):
    said = talk.says(
        call(
            10,
            text_parameter("", "SELECT @P1 AS a"),
            text_parameter("", "@P1 int"),
            int_parameter("@P1", 5),
        )
    )

    assert said == ["COLMETADATA 1", "ROW [5]", "DONEINPROC more 1 rows", "RETURNSTATUS 0", "DONEPROC"]


def test_a_prepared_statement_is_run_again_and_forgotten(talk):
    prepared = talk.says(
        call(
            13,
            int_parameter("", None, output=True),
            text_parameter("", "@P1 int"),
            text_parameter("", "SELECT @P1 AS a"),
            int_parameter("", 5),
        )
    )
    assert prepared[1:] == [
        "ROW [5]",
        "DONEINPROC more 1 rows",
        "RETURNSTATUS 0",
        "RETURNVALUE 1",
        "DONEPROC",
    ]

    assert talk.says(call(12, int_parameter("", 1), int_parameter("", 6)))[1] == "ROW [6]"
    assert talk.says(call(15, int_parameter("", 1))) == ["RETURNSTATUS 0", "DONEPROC"]
    assert talk.says(call(12, int_parameter("", 1), int_parameter("", 6)))[0].startswith("ERROR 8179")


def test_calls_of_one_message_are_answered_in_one(talk):
    talk.says(
        call(
            11,
            int_parameter("", None, output=True),
            text_parameter("", "@P1 int"),
            text_parameter("", "SELECT @P1 AS a"),
        )
    )
    first, second = (call(12, int_parameter("", 1), int_parameter("", n))[8:] for n in (5, 6))

    said = talk.says(packet(RPC, first + b"\xff" + second[len(HEADERS) :]))

    assert said == [
        *("COLMETADATA 1", "ROW [5]", "DONEINPROC more 1 rows", "RETURNSTATUS 0", "DONEPROC more"),
        *("COLMETADATA 1", "ROW [6]", "DONEINPROC more 1 rows", "RETURNSTATUS 0", "DONEPROC"),
    ]


def test_an_unknown_procedure_is_an_error(talk):
    assert (
        talk.says(call("dbo.Nothing"))[0] == "ERROR 2812 62 16 Could not find stored procedure 'dbo.Nothing'."
    )


def test_a_name_that_is_none_is_no_procedure(talk):
    assert talk.says(call("dbo.x; DROP TABLE y"))[0].startswith("ERROR 2812")


def test_a_cursor_of_the_server_is_not_there(talk):
    assert talk.says(call(2, int_parameter("", 1)))[0].startswith("ERROR 2812")


BEGIN, COMMIT, ROLLBACK = 5, 7, 8


def test_a_transaction_begins_and_ends(talk):
    assert talk.says(transaction(BEGIN)) == ["ENVCHANGE 8", "DONE"]
    assert talk.says(transaction(COMMIT)) == ["ENVCHANGE 9", "DONE"]
    assert talk.says(transaction(BEGIN)) == ["ENVCHANGE 8", "DONE"]
    assert talk.says(transaction(ROLLBACK)) == ["ENVCHANGE 10", "DONE"]


def test_no_transaction_cannot_be_committed(talk):
    said = talk.says(transaction(COMMIT))

    assert said[0].startswith("ERROR 3902")
    assert said[-1] == "DONE error"


def test_an_attention_is_acknowledged(talk):
    assert talk.says(packet(ATTENTION, b"")) == ["DONE attention"]


def test_a_request_that_its_client_took_back_is_not_run(talk):
    assert talk.says(packet(BATCH, HEADERS + b"S\0E\0", status=0) + packet(BATCH, b"", status=3)) == [
        "DONE error"
    ]


def test_a_session_that_is_wanted_as_new_loses_its_transaction(talk):
    talk.says(transaction(BEGIN))

    said = talk.says(packet(BATCH, HEADERS + "SELECT 1 AS a".encode("utf-16-le"), status=9))

    assert said[0] == "ENVCHANGE 18"
    assert not talk.sessions[0].in_transaction


def test_a_client_that_goes_leaves_no_session(talk):
    talk.says(transaction(BEGIN))

    assert talk.conversation.receive(b"") == b""

    assert not talk.conversation.is_open
    assert not talk.sessions[0].in_transaction


OUT_OF_ORDER = {
    "a login before PRELOGIN": [login()],
    "a batch before the login": [prelogin(), batch("SELECT 1")],
    "PRELOGIN after the login": [prelogin(), login(), prelogin()],
    "a second login": [prelogin(), login(), login()],
    "a server's reply": [prelogin(), login(), packet(4, b"")],
    "no TDS at all": [b"GET / HTTP/1.1\r\n\r\n"],
    "TLS without PRELOGIN": [bytes.fromhex("160301010001")],
    "a packet shorter than its head": [bytes.fromhex("1201000400000100")],
    "a LOGIN7 that points outside": [prelogin(), packet(LOGIN7, struct.pack("<I", 94) + b"\xff" * 90)],
}


@pytest.mark.parametrize("said", OUT_OF_ORDER.values(), ids=OUT_OF_ORDER.keys())
def test_whoever_speaks_out_of_order_is_cut_off(said):
    talk = Talk()

    for each in said:
        talk.conversation.receive(each)

    assert not talk.conversation.is_open
    assert talk.conversation.receive(batch("SELECT 1")) == b""


def test_a_login_longer_than_allowed_is_cut_off():
    talk = Talk()
    talk.conversation.receive(prelogin())

    for _ in range(5):
        talk.conversation.receive(packet(LOGIN7, bytes(32000), status=0))

    assert not talk.conversation.is_open
