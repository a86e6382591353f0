"""The worst of very many rows."""

from holdfast.cli.stacking import Worst


def test_the_first_in_order_are_kept_and_all_are_counted():
    worst = Worst(3)

    for rank in (5, 1, 9, 3, 7, 2, 8):
        worst.add(rank, {"rank": rank})

    assert [row["rank"] for row in worst.rows()] == [1, 2, 3]
    assert (worst.count, worst.left_out) == (7, 4)


def test_without_a_limit_every_row_is_kept():
    worst = Worst(None)

    for rank in (2, 1):
        worst.add(rank, {"rank": rank})

    assert [row["rank"] for row in worst.rows()] == [1, 2]
    assert worst.left_out == 0


def test_of_equals_the_earlier_comes_first():
    worst = Worst(2)

    for number in range(9):
        worst.add(0, {"number": number})

    assert [row["number"] for row in worst.rows()] == [0, 1]
