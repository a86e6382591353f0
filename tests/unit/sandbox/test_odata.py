"""What of a filter says plainly which rows cannot pass."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from holdfast.sandbox.odata import clauses_of, parse_filter

ROWS: list[dict[str, Any]] = [
    {"a": a, "b": b, "kinds": [kind]} for a in ("x", "Y") for b in (1, 2) for kind in ("one", "two")
]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("appId eq 'AB' and n gt 2", [("appid", "eq", "ab"), ("n", "gt", 2.0)]),
        (
            "at ge 2026-01-01T00:00:00Z and kinds/any(t: t eq 'one')",
            [("at", "ge", datetime(2026, 1, 1, tzinfo=UTC))],
        ),
        ("a eq 'x' or b eq 1", []),
        ("not a eq 'x' and b eq 1", [("b", "eq", 1.0)]),
        ("(a eq 'x' or b eq 1) and b ne null", [("b", "ne", None)]),
        ("a eq 'x or y'", [("a", "eq", "x or y")]),
        ("a eq", []),
        ("%%", []),
        ("", []),
    ],
)
def test_the_plain_comparisons_that_every_row_fulfils(text: str, wanted: list[Any]):
    assert [tuple(clause) for clause in clauses_of(text)] == wanted


@pytest.mark.parametrize(
    "text",
    [
        "a eq 'y' and b eq 2",
        "not (a eq 'y') and b eq 2",
        "(a eq 'x') and (b eq 1)",
        "a eq 'x' and b eq 1 or b eq 2",
        "kinds/any(t: t eq 'one' or t eq 'two') and a eq 'x'",
        "kinds/any(t: t eq 'one') or a eq 'x'",
    ],
)
def test_what_a_clause_leaves_out_the_filter_leaves_out_too(text: str):
    test = parse_filter(text)
    passing = [row for row in ROWS if test(row)]

    for clause in clauses_of(text):
        assert clause.operator == "eq"
        assert {_lowered(row[clause.name]) for row in passing} <= {clause.value}


def _lowered(value: object) -> object:
    return value.lower() if isinstance(value, str) else value
