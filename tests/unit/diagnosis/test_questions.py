"""Where two causes are in doubt, a question tells them apart."""

from __future__ import annotations

from holdfast.diagnosis.causes import BY_ID
from holdfast.diagnosis.questions import QUESTIONS, question


def test_a_question_tells_a_new_password_from_a_revocation():
    asked = question(["password_changed", "session_revoked"])

    assert asked is not None
    assert "audit log" in asked.asks


def test_nothing_is_asked_where_nothing_is_in_doubt():
    assert question(["token_inactive"]) is None
    assert question([]) is None


def test_nothing_is_asked_between_causes_that_no_question_parts():
    assert question(["dlp_blocked", "secret_expired"]) is None


def test_every_question_is_about_known_causes():
    assert {cause for one in QUESTIONS for cause in one.between} <= {*BY_ID, "not_connection"}
