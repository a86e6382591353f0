"""People name connections by what they see: an id, its beginning, a name or part of it."""

import click
import pytest

from holdfast.cli.naming import one

NAMES = {
    "61402ff165a946d1": "ERP export (erp-nightly)",
    "bb42583e650a4135": "ERP orders (Dana Kim)",
    "92cf1d806cae49f2": "Invoices (Sam Ortiz)",
    "bb17": "reports",
    "cc17": "reports of Plant",
}


@pytest.mark.parametrize(
    ("word", "id"),
    [
        ("61402ff165a946d1", "61402ff165a946d1"),
        ("614", "61402ff165a946d1"),
        ("ERP orders (Dana Kim)", "bb42583e650a4135"),
        ("erp orders (dana kim)", "bb42583e650a4135"),
        ("invoices", "92cf1d806cae49f2"),
        ("reports", "bb17"),
    ],
    ids=["id", "beginning", "name", "case", "part", "whole name before part"],
)
def test_a_word_means_one_connection(word, id):
    assert one(word, NAMES, "connection") == id


@pytest.mark.parametrize("word", ["erp", "bb", ""])
def test_a_word_that_could_mean_several_is_refused(word):
    with pytest.raises(click.UsageError):
        one(word, NAMES, "connection")


def test_several_are_told_with_their_names():
    with pytest.raises(click.UsageError, match=r"2 connections fit .*ERP export.*ERP orders"):
        one("erp", NAMES, "connection")


def test_what_looks_alike_is_told_for_a_typo():
    with pytest.raises(click.UsageError, match=r"Nearest: .*Invoices"):
        one("Invoises (Sam Ortis)", NAMES, "connection")
