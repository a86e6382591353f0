"""Evidence from other tools, whole, truncated or half wrong."""

from __future__ import annotations

import json

import pytest

from holdfast.reading.documents import is_document, pieces

REVOKED = {"code": "Unauthorized", "message": "AADSTS50173: The provided grant has expired."}
CONNECTION = {"name": "c1", "properties": {"statuses": [{"status": "Error", "error": REVOKED}]}}
SIGN_IN = {
    "id": "s1",
    "status": {"errorCode": 53003, "failureReason": "Blocked."},
    "appliedConditionalAccessPolicies": [{"displayName": "Block", "result": "failure"}],
}
RUN = {
    "name": "r1",
    "properties": {"status": "Failed", "code": "ActionFailed", "error": {"code": "ActionFailed"}},
}


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (json.dumps(CONNECTION), True),
        (json.dumps(CONNECTION, indent=2), True),
        (json.dumps([SIGN_IN]), True),
        (json.dumps({"value": [CONNECTION]})[:60], True),
        ("Date (UTC),Request ID,Sign-in error code,Failure reason\n", True),
        ('{"id": 1, "text": "AADSTS50173"}', False),
        ('{"id": 1, "te', False),
        ('[1, 2]\n{"id": 1, "text": "x"}', False),
        ("no json", False),
        ("", False),
    ],
)
def test_a_document_is_told_from_json_lines(head, expected):
    assert is_document(head) is expected


def test_a_connection_gives_its_recorded_error():
    (piece,) = pieces(json.dumps(CONNECTION))

    assert (piece.id, piece.kind) == ("c1", "connection")
    assert "AADSTS50173" in piece.text
    assert piece.missing == ("No expirationTime: when it was last refreshed is not told.",)


def test_a_sign_in_gives_its_code_and_the_policy_that_refused():
    (piece,) = pieces(json.dumps({"value": [SIGN_IN]}))

    assert piece.text == "AADSTS53003: Blocked. Refused by Block."


def test_a_run_says_that_its_own_error_tells_nothing():
    (piece,) = pieces(json.dumps(RUN))

    assert "outputs of its first failed action" in piece.missing[0]


def test_of_a_truncated_list_the_whole_things_are_read_and_the_rest_as_text():
    text = json.dumps({"value": [SIGN_IN, CONNECTION, SIGN_IN]})

    found = list(pieces(text[:-150]))

    assert [piece.kind for piece in found] == ["sign-in", "connection", "text"]
    assert "2 things before the break" in found[-1].missing[0]


def test_a_table_of_the_portal_gives_a_piece_for_each_row():
    table = "Request ID,Sign-in error code,Failure reason\na,50173,Revoked\nb,0,\nc,5017"

    found = list(pieces(table))

    assert [piece.text for piece in found] == ["AADSTS50173: Revoked", "", "AADSTS5017: "]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"value": [',
        "[]",
        "{}",
        '{"properties": {"statuses": [1]}}',
        '[null, 3, "AADSTS50173"]',
        "\x00",
    ],
)
def test_nothing_hostile_is_raised_on(text):
    list(pieces(text))


def test_documents_one_after_the_other_are_read_each():
    text = "\n".join(json.dumps(one) for one in (SIGN_IN, CONNECTION))

    assert is_document(text)
    assert [(piece.kind, piece.missing != ()) for piece in pieces(text)] == [
        ("sign-in", False),
        ("connection", True),
    ]


def test_of_documents_one_after_the_other_the_broken_one_is_raw_text():
    text = "\n".join(json.dumps(one) for one in (SIGN_IN, CONNECTION))

    found = list(pieces(text[:-30]))

    assert [piece.kind for piece in found] == ["sign-in", "text"]
    assert "1 things before the break" in found[-1].missing[0]


def test_a_list_that_ends_after_a_whole_item_is_not_whole():
    found = list(pieces(f"[{json.dumps(SIGN_IN)},"))

    assert [piece.kind for piece in found] == ["sign-in", "text"]
    assert "not whole JSON" in found[-1].missing[0]


def test_a_run_with_its_actions_gives_their_errors_but_not_a_scope_s():
    actions = {
        "Scope": {"status": "Failed", "error": {"code": "ActionFailed", "message": "An action failed."}},
        "Get_rows": {"status": "Failed", "error": REVOKED},
        "After": {"status": "Skipped", "error": {"code": "ActionConditionFailed", "message": "Not run."}},
        "Odd": None,
    }
    (piece,) = pieces(json.dumps({"name": "r1", "properties": {"status": "Failed", "actions": actions}}))

    assert (piece.text, piece.missing) == (f"{REVOKED['code']}: {REVOKED['message']}", ())


@pytest.mark.parametrize(
    "error", ["AADSTS50173: gone", [{"message": {"a": "AADSTS50173"}}], {"message": {"b": "AADSTS50173"}}]
)
@pytest.mark.parametrize("of", ["connection", "run"])
def test_an_error_of_another_shape_is_read_whole(error, of):
    properties = (
        {"statuses": [{"error": error}]} if of == "connection" else {"status": "Failed", "error": error}
    )

    (piece,) = pieces(json.dumps({"properties": properties}))

    assert piece.kind == of
    assert "AADSTS50173" in piece.text
