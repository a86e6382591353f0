"""The shipped tables, and what each of their groups means."""

from __future__ import annotations

import pytest

from holdfast.adapters.tables import load_codebook
from holdfast.core.verdict import NOT_CONNECTION
from holdfast.diagnosis.causes import BY_ID
from holdfast.reading import codes, sql_codes
from holdfast.reading.hresults import HRESULTS
from holdfast.reading.platform_codes import PLATFORM_CODES
from holdfast.reading.wordings.localised import LOCALISED
from holdfast.reading.wordings.network import NETWORK
from holdfast.reading.wordings.platform import PLATFORM
from holdfast.reading.wordings.signin import SIGN_IN
from holdfast.reading.wordings.sql import SQL

MEANINGS = [
    *codes.GROUPS.values(),
    *codes.MEANINGS.values(),
    *sql_codes.GROUPS.values(),
    *sql_codes.MEANINGS.values(),
    *sql_codes.STATES.values(),
    *(known.meaning for known in (*PLATFORM_CODES.values(), *HRESULTS.values())),
    *(wording.meaning for wording in (*SIGN_IN, *SQL, *NETWORK, *PLATFORM, *LOCALISED)),
]


@pytest.fixture(scope="module")
def book():
    return load_codebook()


def test_every_group_of_the_entra_table_has_a_meaning(book):
    assert {code.group for code in book.aadsts.values()} == set(codes.GROUPS)


def test_every_group_of_the_sql_table_has_a_meaning(book):
    assert {code.group for rows in book.sql.values() for code in rows} == set(sql_codes.GROUPS)


def test_every_code_with_a_meaning_of_its_own_is_a_known_one(book):
    assert not set(codes.MEANINGS) - set(book.aadsts)


def test_every_cause_that_a_sign_can_mean_has_a_page():
    named = {cause for meaning in MEANINGS for cause in meaning.causes}

    assert named - set(BY_ID) == {NOT_CONNECTION.id}


def test_every_row_of_the_tables_names_its_source(book):
    rows = [*book.aadsts.values(), *(row for rows in book.sql.values() for row in rows)]

    assert all(row.source for row in rows)


def test_a_phrase_is_lower_case_on_one_line():
    phrases = [
        phrase for wording in (*SIGN_IN, *SQL, *NETWORK, *PLATFORM, *LOCALISED) for phrase in wording.phrases
    ]

    assert [phrase for phrase in phrases if phrase != " ".join(phrase.lower().split())] == []


def test_no_phrase_stands_for_two_things():
    seen: dict[str, str] = {}
    for wording in (*SIGN_IN, *SQL, *NETWORK, *PLATFORM, *LOCALISED):
        for phrase in wording.phrases:
            assert phrase not in seen, (phrase, wording.code, seen[phrase])
            seen[phrase] = wording.code
