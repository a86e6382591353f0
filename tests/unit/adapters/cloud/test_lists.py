"""A list is read the same however its bytes arrive."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.adapters.cloud.lists import ITEM_LIMIT, ListReader, NotAListError

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
pages = st.builds(
    lambda before, items, after: {**before, "value": items, **after},
    st.dictionaries(st.text(max_size=4).filter("value".__ne__), values, max_size=2),
    st.lists(values, max_size=6),
    st.dictionaries(st.text(max_size=4).filter("value".__ne__), values, max_size=2),
)


def plain(chunks):
    return ListReader(chunks, lambda value: value, json.loads)


def read(raw: bytes, size: int = 3):
    reader = plain(raw[start : start + size] for start in range(0, len(raw), size))
    return list(reader.items()), reader.rest


@given(page=pages, size=st.integers(1, 40), indent=st.sampled_from([None, 2]), ascii_only=st.booleans())
def test_any_page_is_read_as_it_was_written(page, size, indent, ascii_only):
    raw = json.dumps(page, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")

    try:
        items, rest = read(raw, size)
    except NotAListError:
        # Half of a surrogate pair is no UTF-8; only unescaped text can hold one.
        with pytest.raises(UnicodeDecodeError):
            raw.decode()
        return

    assert items == page["value"]
    assert rest == {key: value for key, value in page.items() if key != "value"}


alike = st.lists(
    st.fixed_dictionaries(
        {
            "a": values
            | st.sampled_from(['},{"a":', ',{"a":1}', [{"a": 1}, {"a": 2}], {"b": [0, {"a": [{}]}]}])
        },
        optional={"b": values},
    ),
    max_size=12,
)


@given(items=alike, size=st.integers(1, 2000), separators=st.sampled_from([(",", ":"), (", ", ": ")]))
def test_items_that_begin_alike_are_told_apart_whatever_they_hold(items, size, separators):
    raw = json.dumps({"value": items, "nextLink": None}, separators=separators).encode()

    assert read(raw, size) == (items, {"nextLink": None})


@given(items=alike, at=st.floats(0, 1, exclude_max=True), sign=st.sampled_from(list('{}[],:"0')))
def test_a_page_with_one_wrong_sign_is_read_as_json_has_it_or_refused(items, at, sign):
    text = json.dumps({"value": items}, separators=(",", ":"))
    place = int(len(text) * at)
    damaged = text[:place] + sign + text[place + 1 :]

    try:
        found, rest = read(damaged.encode(), 1000)
    except NotAListError:
        return

    assert {"value": found, **rest} == json.loads(damaged)


def test_whole_items_are_read_in_one_go():
    asked = []
    items = [{"name": str(number), "in": [{"name": "x"}]} for number in range(500)]
    raw = json.dumps({"value": items}, separators=(",", ":")).encode()

    def several(text):
        asked.append(len(text))
        return json.loads(text)

    assert list(ListReader([raw], lambda value: value, several).items()) == items
    assert max(asked) <= 33 * 1024
    assert len(asked) < 10


def test_an_item_of_another_form_spoils_none_of_those_before_it():
    def several(text):
        items = json.loads(text)
        if not all("a" in item for item in items):
            raise ValueError("not of this form")
        return [item["a"] for item in items]

    raw = json.dumps({"value": [{"a": 1}, {"a": 2}, {"a": 3}, {"b": 4}, {"a": 5}, {"a": 6}]}).encode()
    reader = ListReader([raw], lambda value: value["a"], several)
    items = reader.items()

    assert [next(items) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(KeyError):
        next(items)


@given(page=pages, cut=st.floats(0, 1, exclude_max=True), size=st.integers(1, 40))
def test_a_page_that_breaks_off_is_never_taken_for_whole(page, cut, size):
    raw = json.dumps(page).encode()

    with pytest.raises(NotAListError):
        read(raw[: int(len(raw) * cut)], size)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html><body>Sign in to the network</body></html>",
        b"[]",
        b'{"error": {"code": "Forbidden"}}',
        b'{"value": {}}',
        b'{"value": [1 2]}',
        b'{"value": [1,]}',
        b'{"value": [01]}',
        b'{,"value": []}',
        b'{"value": [] "nextLink": null}',
        b'{1: 2, "value": []}',
        b'{"value": [\xff]}',
        b'{"value": [' + b"[" * 100_000,
    ],
)
def test_what_is_no_list_is_refused(raw):
    with pytest.raises(NotAListError):
        read(raw, 4096)


def test_one_endless_item_is_given_up_long_before_memory_ends():
    def endless() -> Iterator[bytes]:
        yield b'{"value": ["'
        while True:
            yield b"x" * 2**20

    reader = plain(endless())

    with pytest.raises(NotAListError):
        list(reader.items())
    assert len(reader._text) < 3 * ITEM_LIMIT


def test_a_long_list_is_never_held_whole():
    item = json.dumps({"name": "x" * 1000}).encode()

    def chunks() -> Iterator[bytes]:
        yield b'{"value": ['
        for number in range(2000):
            yield (b"," if number else b"") + item
        yield b"]}"

    reader = plain(chunks())

    assert max(len(reader._text) for _ in reader.items()) < 5 * len(item)
