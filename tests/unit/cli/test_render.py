"""Whatever a stranger wrote, no output obeys it."""

import csv
import io
import json
import re

import pytest

from holdfast.cli.render import Column, clean, csv_cell, emit, md_cell, print_table
from tests.nasty import NASTY

COLUMNS = [Column("id", "Id"), Column("name", "Name")]
OBEYED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\ufeff\U000e0000-\U000e007f]"
)

names = pytest.mark.parametrize("name", NASTY.values(), ids=NASTY.keys())


def printed(capsys, name: str, output: str) -> str:
    emit([{"id": "1", "name": name}], COLUMNS, output, shape="test/1")
    return capsys.readouterr().out


@names
@pytest.mark.parametrize("output", ["table", "csv", "md", "json", "jsonl"])
def test_no_output_holds_what_a_terminal_obeys(name, output, capsys):
    assert not OBEYED.search(printed(capsys, name, output))


@names
def test_a_name_stays_on_one_line(name):
    assert len(clean(name).splitlines()) <= 1


@names
def test_json_gives_the_name_back_unchanged(name, capsys):
    assert json.loads(printed(capsys, name, "jsonl"))["name"] == name


@names
def test_no_csv_cell_begins_like_a_formula(name, capsys):
    rows = list(csv.reader(io.StringIO(printed(capsys, name, "csv"))))

    assert len(rows) == 2
    assert rows[1][1].lstrip()[:1] not in ("=", "+", "-", "@", "\uff1d")


@names
def test_a_markdown_cell_holds_no_markup(name):
    cell = md_cell(name)

    assert not re.search(r"(?<!\\)[|`*_\[\]()!]", cell)
    assert "<" not in cell


@names
def test_a_table_on_the_terminal_has_one_row_for_it(name, capsys):
    out = printed(capsys, name, "table")

    assert "\x1b" not in out
    assert len([line for line in out.splitlines() if line.split(" ")[0] == "1"]) == 1


def test_a_column_in_which_no_row_says_anything_is_left_out_of_the_table(capsys):
    emit([{"id": "1", "name": ""}, {"id": "2", "name": None}], COLUMNS, "table", shape="test/1")

    assert "Name" not in capsys.readouterr().out


def test_a_csv_keeps_columns_in_which_no_row_says_anything(capsys):
    emit([{"id": "1", "name": ""}], COLUMNS, "csv", shape="test/1")

    assert capsys.readouterr().out == "id,name\n1,\n"


def test_lines_off_a_terminal_do_not_end_in_blanks(capsys):
    emit([{"id": "1", "name": "a"}, {"id": "2", "name": "longer"}], COLUMNS, "table", shape="test/1")

    assert all(line == line.rstrip() for line in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize(("number", "words"), [(7.0, "7"), (0.1, "0.1"), (0.054, "0.05"), (100.0, "100")])
def test_numbers_are_as_long_as_they_need(number, words, capsys):
    emit([{"id": "1", "name": number}], COLUMNS, "csv", shape="test/1")

    assert capsys.readouterr().out.splitlines()[1] == f"1,{words}"


def test_plain_names_are_untouched():
    for name in ("Größe ÄÖÜ ß", "接続エラー", "👩‍👩‍👧‍👦", "O'Brien's \"db\""):
        assert clean(name) == name


def test_a_number_stays_a_number_for_a_spreadsheet_reader():
    assert csv_cell("42") == "42"


def test_a_negative_number_of_ours_is_no_formula(capsys):
    emit([{"id": -2, "name": "x"}], COLUMNS, "csv", shape="test/1")

    assert capsys.readouterr().out.splitlines()[1] == "-2,x"


LINK = "https://make.powerautomate.com/environments/38f66e09-f08a-4b89-af16-6a3c56bb2db0/connections/shared_sql/8fa66"


def test_a_long_link_stands_whole_below_the_table(capsys):
    rows = [{"says": f"Share it: {LINK}."}, {"says": "x" * 400}, {"says": f"Again {LINK}"}]

    print_table(rows, [Column("says", "Says")])

    told = capsys.readouterr().out
    assert f"[1] {LINK}\n" in told
    assert "Share it: [1]." in told
    assert "Again [1]" in told
    assert "[2]" not in told


def test_a_link_for_programs_stays_in_its_cell(capsys):
    emit([{"says": LINK}], [Column("says", "Says")], "csv", shape="x/1")

    assert capsys.readouterr().out.splitlines()[1] == LINK
