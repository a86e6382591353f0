"""Functions of the flow expression language over texts, arrays and objects."""

from __future__ import annotations

from holdfast.sandbox.flows.arguments import LARGEST, array_of, integer_of, object_of, text_of, wrong
from holdfast.sandbox.flows.values import ExpressionError, Json, as_text, same

# --- texts -----------------------------------------------------------------------------------------------


def concat(*parts: Json) -> str:
    """One text after another."""
    joined = "".join(map(as_text, parts))
    if len(joined) > LARGEST * 10:
        raise ExpressionError("The text that 'concat' makes is too long.")
    return joined


def substring(text: Json, start: Json, length: Json = None) -> str:
    """`length` characters from `start` on; the rest of the text without a length."""
    whole, first = text_of("substring", text), integer_of("substring", start)
    count = len(whole) - first if length is None else integer_of("substring", length)
    if first < 0 or count < 0 or first + count > len(whole):
        raise ExpressionError(
            "The template language function 'substring' parameters are out of range: "
            f"'start index' and 'length' must refer to a location within the string of length '{len(whole)}'."
        )
    return whole[first : first + count]


def replace(text: Json, old: Json, new: Json) -> str:
    """Every occurrence of `old` replaced."""
    whole, before, after = text_of("replace", text), text_of("replace", old), text_of("replace", new)
    if not before:
        raise ExpressionError("The template language function 'replace' cannot look for an empty string.")
    if len(whole) + whole.count(before) * len(after) > LARGEST * 10:
        raise ExpressionError("The text that 'replace' makes is too long.")
    return whole.replace(before, after)


def split(text: Json, delimiter: Json) -> list[Json]:
    """The texts between the delimiters."""
    between = text_of("split", delimiter)
    return list(text_of("split", text).split(between)) if between else [text]


def index_of(text: Json, part: Json) -> int:
    """Where `part` first is, whatever its case; -1 where it is not."""
    return text_of("indexOf", text).lower().find(text_of("indexOf", part).lower())


def last_index_of(text: Json, part: Json) -> int:
    """Where `part` last is, whatever its case; -1 where it is not."""
    return text_of("lastIndexOf", text).lower().rfind(text_of("lastIndexOf", part).lower())


def starts_with(text: Json, part: Json) -> bool:
    """Whatever the case."""
    return text_of("startsWith", text).lower().startswith(text_of("startsWith", part).lower())


def ends_with(text: Json, part: Json) -> bool:
    """Whatever the case."""
    return text_of("endsWith", text).lower().endswith(text_of("endsWith", part).lower())


# --- collections -----------------------------------------------------------------------------------------


def length(of: Json) -> int:
    """Characters of a text, elements of an array."""
    if not isinstance(of, str | list):
        raise wrong("length", of, "an array or a string")
    return len(of)


def empty(value: Json) -> bool:
    """Whether nothing is in it; null is empty."""
    if value is None:
        return True
    if not isinstance(value, str | list | dict):
        raise wrong("empty", value, "an array, an object or a string")
    return not value


def contains(collection: Json, value: Json) -> bool:
    """A part of a text, an element of an array, a property of an object."""
    if isinstance(collection, str):
        return text_of("contains", value) in collection
    if isinstance(collection, dict):
        return text_of("contains", value) in collection
    return any(same(element, value) for element in array_of("contains", collection))


def first(of: Json) -> Json:
    """The first element or character; null where there is none."""
    if not isinstance(of, str | list):
        raise wrong("first", of, "an array or a string")
    return of[0] if of else None


def last(of: Json) -> Json:
    """The last element or character; null where there is none."""
    if not isinstance(of, str | list):
        raise wrong("last", of, "an array or a string")
    return of[-1] if of else None


def take(of: Json, count: Json) -> Json:
    """So many from the front."""
    if not isinstance(of, str | list):
        raise wrong("take", of, "an array or a string")
    return of[: max(integer_of("take", count), 0)]


def skip(of: Json, count: Json) -> Json:
    """What is left after so many from the front."""
    if not isinstance(of, str | list):
        raise wrong("skip", of, "an array or a string")
    return of[max(integer_of("skip", count), 0) :]


def join(of: Json, delimiter: Json) -> str:
    """The elements as one text."""
    return concat(text_of("join", delimiter).join(map(as_text, array_of("join", of))))


def union(*collections: Json) -> Json:
    """All elements once, or all properties, later ones winning."""
    if isinstance(collections[0], dict):
        merged: dict[str, Json] = {}
        for part in collections:
            merged |= object_of("union", part)
        return merged
    elements: list[Json] = []
    for part in collections:
        elements += [one for one in array_of("union", part) if not any(same(one, had) for had in elements)]
    return elements


def intersection(*collections: Json) -> Json:
    """What is in every one of them."""
    head, *rest = collections
    if isinstance(head, dict):
        others = [object_of("intersection", part) for part in rest]
        return {
            key: value
            for key, value in head.items()
            if all(key in other and same(other[key], value) for other in others)
        }
    arrays = [array_of("intersection", part) for part in rest]
    return [
        one
        for one in array_of("intersection", head)
        if all(any(same(one, other) for other in a) for a in arrays)
    ]


def number_range(start: Json, count: Json) -> list[Json]:
    """`count` integers from `start` on."""
    begin, many = integer_of("range", start), integer_of("range", count)
    if not 0 <= many <= LARGEST:
        raise ExpressionError(f"The template language function 'range' expects a count from 0 to {LARGEST}.")
    return list(range(begin, begin + many))


def reverse(of: Json) -> list[Json]:
    """From the back to the front."""
    return array_of("reverse", of)[::-1]


def add_property(of: Json, name: Json, value: Json) -> dict[str, Json]:
    """A copy with one property more.

    Raises:
        ExpressionError: it has that property already.
    """
    before, key = object_of("addProperty", of), text_of("addProperty", name)
    if key in before:
        raise ExpressionError(
            f"The template function 'addProperty' cannot add '{key}': the property exists already."
        )
    return {**before, key: value}


def set_property(of: Json, name: Json, value: Json) -> dict[str, Json]:
    """A copy with that property, new or not."""
    return {**object_of("setProperty", of), text_of("setProperty", name): value}


def remove_property(of: Json, name: Json) -> dict[str, Json]:
    """A copy without that property."""
    gone = text_of("removeProperty", name)
    return {key: value for key, value in object_of("removeProperty", of).items() if key != gone}
