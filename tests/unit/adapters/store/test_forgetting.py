"""Forgetting a person: the names go, from the bytes of the file too; what was concluded stays."""

from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.adapters.store.history import SqlHistory
from holdfast.core.coverage import Outcome
from holdfast.core.identity import Owner, ServicePrincipal
from holdfast.core.inventory import Connection, Flow
from tests.builders import SALES, START, a_broken_connection, a_connection, a_flow, a_sweep, day

DANA = Owner("o-dana", "Dana Kim", "dana.kim@contoso.example")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "holdfast.db"


async def remembered(file: Path, *things: Connection | Flow | ServicePrincipal) -> SqlHistory:
    history = SqlHistory(file)
    for number, thing in enumerate(things):
        scan = (await history.begin("contoso", day(number), START)).id
        await history.observe(scan, day(number), [thing])
    return history


def bytes_of(file: Path) -> bytes:
    return b"".join(each.read_bytes() for each in file.parent.iterdir())


PEOPLE = ["dana.kim@contoso.example", "DANA.KIM@contoso.example", "Dana Kim", "o-dana"]


@pytest.mark.parametrize("person", PEOPLE)
async def test_no_byte_of_the_names_is_left(file, person):
    broken = a_broken_connection(
        "c1",
        "User account dana.kim@contoso.example was disabled",
        owner=DANA,
        display_name="ERP orders (Dana Kim)",
        account_name="dana.kim@contoso.example",
    )
    history = await remembered(file, broken)

    forgotten = await history.forget(person)

    history.close()
    assert forgotten.names == 2
    assert b"ana kim" not in bytes_of(file).lower()
    assert b"dana.kim@contoso" not in bytes_of(file).lower()


async def test_the_connection_stays_with_its_owners_id(file):
    history = await remembered(file, a_connection("c1", owner=DANA, display_name="Orders of Dana Kim"))

    await history.forget("Dana Kim")

    (kept,) = [c async for c in history.current("contoso", Connection)]
    assert kept.owner == Owner("o-dana", "(forgotten)", "(forgotten)")
    assert kept.display_name == "Orders of (forgotten)"


async def test_owners_of_flows_and_applications_are_forgotten_too(file):
    flow = replace(a_flow(display_name="Nightly of Dana Kim"), owned_by=DANA)
    app = ServicePrincipal("app-1", "a1", "orders", owners=(replace(DANA, id="o-other"),))
    history = await remembered(file, flow, app)

    await history.forget("Dana Kim")

    history.close()
    assert b"ana kim" not in bytes_of(file).lower()


async def test_a_former_name_is_forgotten_too(file):
    former = Owner("o-dana", "Dana Lopez", "dana.lopez@contoso.example")
    history = await remembered(file, a_connection("c1", owner=former), a_connection("c1", owner=DANA))

    await history.forget("dana.kim@contoso.example")

    past = [c.owner async for _, c in history.past("contoso", Connection, SALES, "shared_sql/c1") if c]
    assert past == [Owner("o-dana", "(forgotten)", "(forgotten)")] * 2


async def test_other_people_stay(file):
    ada = a_connection("c2", display_name="Danabase of Ada Kent")
    history = await remembered(file, a_connection("c1", owner=DANA), ada)

    await history.forget("Dana Kim")

    kept = {c.id: c async for c in history.current("contoso", Connection)}
    assert kept[ada.id] == ada


async def test_what_a_part_of_a_scan_was_refused_with_is_blanked_too(file):
    history = await remembered(file, a_connection("c1", owner=DANA))
    scan = (await history.begin("contoso", day(3), START)).id
    said = "dana.kim@contoso.example may not list it"
    await history.conclude(scan, a_sweep(outcome=Outcome.DENIED, detail=said))

    await history.forget("Dana Kim")
    history.close()

    assert b"dana.kim@contoso" not in bytes_of(file)


async def test_nobody_of_that_name_changes_nothing(file):
    history = await remembered(file, a_connection("c1", owner=DANA))

    assert await history.forget("nobody@contoso.example") == (0, 0)


async def test_a_name_of_two_letters_does_not_eat_words(file):
    history = await remembered(file, a_connection("c1", owner=Owner("o-al", "Al", "al@contoso.example")))

    await history.forget("Al")

    (kept,) = [c async for c in history.current("contoso", Connection)]
    assert kept.owner == Owner("o-al", "Al", "(forgotten)")
