"""The knowledge base: every page whole, every cause forecast where it can be."""

from __future__ import annotations

from datetime import timedelta

import pytest

from holdfast.core.evidence import Evidence, EvidenceKind
from holdfast.core.horizon import Condition, Interval
from holdfast.core.inventory import SignIn
from holdfast.diagnosis.causes import BY_ID, MODULES, certificate_invalid, secret_expired, token_inactive
from holdfast.diagnosis.pages import HEADINGS, page
from tests.builders import START, a_connection, a_secret, an_app_connection, day


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.CAUSE.id)
def test_a_page_has_every_section(module):
    shown = page(module.CAUSE.id)

    assert [section.heading for section in shown.sections] == list(HEADINGS)
    assert all(block.text for section in shown.sections for block in section.blocks)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.CAUSE.id)
def test_a_page_cites_its_source_and_when_it_was_read(module):
    (source,) = (section for section in page(module.CAUSE.id).sections if section.heading == "Source")

    assert "learn.microsoft.com/" in source.blocks[0].text
    assert "read 20" in source.blocks[0].text


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.CAUSE.id)
def test_a_cause_is_the_file_it_lies_in(module):
    assert module.__name__.endswith(f".{module.CAUSE.id}")


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.CAUSE.id)
def test_a_cause_says_nothing_on_evidence_of_another(module):
    other = next(id for id in BY_ID if id != module.CAUSE.id)

    assert module.explain([Evidence(EvidenceKind.AADSTS, "X", causes=(other,))]) is None


def test_a_sign_in_dies_ninety_days_after_its_last_refresh():
    last = Interval(START, START + timedelta(hours=1))

    horizon = token_inactive.horizon(a_connection(), last)

    assert horizon is not None
    assert (horizon.earliest, horizon.condition) == (day(90), Condition.IF_UNUSED)


def test_a_service_principal_does_not_go_idle():
    assert token_inactive.horizon(an_app_connection(), Interval(START, START)) is None


def test_a_secret_ends_on_its_date():
    horizon = secret_expired.horizon(an_app_connection(), [a_secret(expires=65)])

    assert horizon is not None
    assert horizon.earliest == horizon.latest == day(65)


def test_with_two_secrets_either_may_be_the_one_in_use():
    horizon = secret_expired.horizon(an_app_connection(), [a_secret(expires=65), a_secret("k2", expires=400)])

    assert horizon is not None
    assert (horizon.earliest, horizon.latest) == (day(65), day(400))
    assert horizon.assumptions


def test_a_secret_without_an_end_makes_the_end_unknowable():
    horizon = secret_expired.horizon(an_app_connection(), [a_secret(), a_secret("k2", expires=None)])

    assert horizon is not None
    assert not horizon.is_known


def test_a_person_has_no_secret_that_expires():
    assert secret_expired.horizon(a_connection(), [a_secret()]) is None


def test_a_certificate_connection_ends_with_its_certificate():
    connection = an_app_connection(sign_in=SignIn.CERTIFICATE)

    horizon = certificate_invalid.horizon(
        connection, [a_secret(), a_secret("c", kind="certificate", expires=9)]
    )

    assert horizon is not None
    assert horizon.earliest == day(9)
