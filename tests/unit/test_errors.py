"""The tree of errors is drawn at the top of its module."""

import holdfast.core.errors as errors


def drawn(docstring: str) -> list[tuple[int, str]]:
    """(depth, name) of each line of the drawing."""
    lines = [line for line in docstring.splitlines() if line.rstrip().endswith("Error")]
    return [((len(line) - len(line.lstrip("│├└─ "))) // 4, line.lstrip("│├└─ ")) for line in lines]


def classes(base: type[Exception], depth: int = 0) -> list[tuple[int, str]]:
    return [(depth, base.__name__)] + [
        row for sub in base.__subclasses__() for row in classes(sub, depth + 1)
    ]


def test_the_drawing_shows_every_error_where_it_stands():
    assert drawn(errors.__doc__ or "") == classes(errors.HoldfastError)
