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


def read(raw: bytes, size: int = 3):
    reader = ListReader(raw[start : start + size] for start in range(0, len(raw), size))
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

    reader = ListReader(endless())

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

    reader = ListReader(chunks())

    assert max(len(reader._text) for _ in reader.items()) < 5 * len(item)
