"""A change, applied to the state before, gives the state after."""

import json

from hypothesis import given
from hypothesis import strategies as st

from holdfast.adapters.store.changes import applied, change, whole

LEAVES = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner, max_size=4),
)
FACTS = st.dictionaries(st.text(max_size=2), VALUES, max_size=5)


@given(FACTS, FACTS)
def test_any_state_is_reached_from_any_other(before, after):
    step = change(json.dumps(before), json.dumps(after))

    assert applied(json.loads(json.dumps(before)), step) == after


@given(FACTS)
def test_a_whole_thing_is_a_change_from_nothing(facts):
    assert applied(None, whole(json.dumps(facts))) == facts


@given(FACTS)
def test_the_same_state_has_no_change(facts):
    assert change(json.dumps(facts), json.dumps(facts)) == "[]"


def test_only_what_is_new_is_kept():
    before = {"name": "A long name that stays", "times": {"seen": 1, "made": 0}}
    after = {"name": "A long name that stays", "times": {"seen": 2, "made": 0}}

    assert change(json.dumps(before), json.dumps(after)) == '[[["times","seen"],2]]'


def test_true_is_not_one():
    assert change('{"a":1}', '{"a":true}') == '[[["a"],true]]'
