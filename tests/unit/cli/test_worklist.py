"""People read one line for each thing to do, programs one for each connection."""

from holdfast.cli.commands.worklist import gathered


def a_row(name: str, does: str = "Sign in", rank: int = 1) -> dict[str, object]:
    return {"rank": rank, "cause": "token_inactive", "does": does, "name": name}


def test_one_gesture_for_many_connections_is_one_line():
    (row,) = gathered([a_row(name) for name in "abcde"])

    assert row["name"] == "a, b, c, and 2 more"


def test_what_another_person_does_is_another_line():
    assert [row["name"] for row in gathered([a_row("a"), a_row("b", rank=2)])] == ["a", "b"]


def test_another_gesture_of_the_same_person_is_another_line():
    assert len(list(gathered([a_row("a"), a_row("b", does="Share it")]))) == 2
