"""Files that strangers made: read within limits, and never followed by a crash."""

import json
import zipfile

import pytest

from holdfast.adapters import packages
from holdfast.adapters.packages import documents

FLOW: dict = {"properties": {"definition": {"actions": {}}}}


@pytest.fixture
def package(tmp_path):
    """Makes a package of the given members."""

    def made(members, name="solution.zip"):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as target:
            for member, content in members.items():
                target.writestr(member, content)
        return tmp_path / name

    return made


def test_the_flows_of_a_solution_are_found_by_where_they_lie(package):
    file = package(
        {
            "solution.xml": "<x/>",
            "Workflows/Load-ABC.json": json.dumps(FLOW),
            "Workflows/Load-ABC.json.data.xml": "<x/>",
            "environmentvariabledefinitions/v/environmentvariablevalues.json": "{}",
        }
    )

    [found] = documents(file)

    assert found.name == f"{file}/Workflows/Load-ABC.json"
    assert found.document == FLOW


def test_the_flow_of_a_flow_package_is_found(package):
    file = package({"manifest.json": "{}", "Microsoft.Flow/flows/1/definition.json": json.dumps(FLOW)})

    assert [found.document for found in documents(file)] == [FLOW]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_is_read_in_the_encodings_that_editors_write(tmp_path, encoding):
    file = tmp_path / "flow.json"
    file.write_bytes(json.dumps(FLOW).encode(encoding))

    assert [found.document for found in documents(file)] == [FLOW]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xd8\xff\xe0 picture", "neither"),
        (b"[" * 100_000, "nested"),
        (b"PK\x03\x04 half a package", "not"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(tmp_path, content, says):
    file = tmp_path / "flow.json"
    file.write_bytes(content)

    [found] = documents(file)

    assert found.document is None
    assert says in str(found.error)
    assert str(found.error).endswith(".")


def test_a_file_that_is_not_there_is_said(tmp_path):
    [found] = documents(tmp_path / "gone.json")

    assert "cannot be read" in str(found.error)


def test_a_folder_is_no_file(tmp_path):
    [found] = documents(tmp_path)

    assert "cannot be read" in str(found.error)


def test_a_member_that_grows_without_measure_is_not_read(package):
    [found] = documents(package({"Workflows/bomb.json": "0" * 10_000_000}))

    assert "suspiciously" in str(found.error)


def test_a_member_that_is_larger_than_it_says_is_cut_off(package, monkeypatch):
    monkeypatch.setattr(packages, "LARGEST_FILE", 10)

    [found] = documents(package({"Workflows/large.json": json.dumps(FLOW)}))

    assert "more than" in str(found.error)


def test_a_package_with_too_many_members_is_not_read(package, monkeypatch):
    monkeypatch.setattr(packages, "MOST_MEMBERS", 2)

    [found] = documents(package({f"Workflows/{n}.json": "{}" for n in range(3)}))

    assert "members" in str(found.error)


def test_a_package_without_flows_is_said(package):
    [found] = documents(package({"solution.xml": "<x/>"}))

    assert "without flows" in str(found.error)


def test_one_damaged_member_does_not_hide_the_others(package):
    found = list(documents(package({"Workflows/a.json": "{", "Workflows/b.json": json.dumps(FLOW)})))

    assert [each.error is None for each in found] == [False, True]


def test_a_name_inside_a_package_leads_nowhere(package):
    [found] = documents(package({"../../Workflows/evil.json": json.dumps(FLOW)}))

    assert found.document == FLOW
