"""Definitions that strangers published, against the labels beside them."""

from bench.bench_inspect import FIELDS, score


def test_every_operation_is_found(fixtures):
    figures = score(fixtures / "flows")

    assert (figures["missed"], figures["invented"]) == (0, 0), figures["misses"]


def test_nearly_all_labelled_fields_are_right(fixtures):
    figures = score(fixtures / "flows")

    assert sum(figures["right"].values()) >= 0.95 * figures["hits"] * len(FIELDS), figures["misses"]


def test_nothing_is_guessed_where_a_person_is_needed(fixtures):
    figures = score(fixtures / "flows")

    assert figures["honesty"]["guessed"] == 0, figures["misses"]
    assert figures["grants"]["extra"] == 0, figures["misses"]
