"""Whose things are: who has left is marked, and applications behind connections are asked for their owners."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from holdfast.core.identity import Owner, Principal, ServicePrincipal
from holdfast.core.inventory import Connection, ConnectionReference, Flow
from tests.builders import a_connection, a_flow, a_reference, an_app_connection, an_environment
from tests.unit.scan.test_scan import Story, refused

ADA, BOB, BOT = (
    Owner("o1", "Ada Kent"),
    Owner("o2", "Bob Lee"),
    Owner("p1", "pipeline", kind="ServicePrincipal"),
)


@pytest.fixture
def story() -> Story:
    story = Story()
    story.cloud.listed = [an_environment("sales", dataverse_url="https://sales.example")]
    return story


async def scanned(story: Story) -> None:
    await story.scan(applications=story.cloud)


@pytest.mark.parametrize(
    ("owner", "has_left"), [(ADA, False), (BOB, True), (BOT, None)], ids=["there", "deleted", "application"]
)
async def test_whoever_has_left_is_marked_on_everything(story: Story, owner: Owner, has_left: bool | None):
    story.cloud.held = [a_connection(owner=owner)]
    story.cloud.automations = [replace(a_flow(), owned_by=owner)]
    story.cloud.pointers = [replace(a_reference(), owned_by=owner)]

    await scanned(story)

    [connection], [flow], [reference] = [
        await story.all(kind) for kind in (Connection, Flow, ConnectionReference)
    ]
    assert {connection.owner.has_left, flow.owned_by.has_left, reference.owned_by.has_left} == {has_left}


async def test_a_disabled_account_has_left(story: Story):
    story.cloud.people = [replace(story.cloud.people[0], is_enabled=False)]
    story.cloud.held = [a_connection(owner=ADA)]

    await scanned(story)

    [found] = await story.all(Connection)
    assert found.owner.has_left is True


async def test_nobody_is_said_to_have_left_where_accounts_cannot_be_read(story: Story):
    story.cloud.breaks["accounts"] = (refused(), 0)
    story.cloud.held = [a_connection(owner=BOB)]

    await scanned(story)

    [found] = await story.all(Connection)
    assert found.owner.has_left is None


async def of_application(story: Story) -> ServicePrincipal:
    story.cloud.held = [an_app_connection()]
    client: Any = story.cloud.held[0].client_id
    story.cloud.apps = [
        ServicePrincipal(client, "a1", "orders"),
        ServicePrincipal("another", "a2", "of no connection"),
    ]
    story.cloud.identities = [Principal("c9", "p1", "pipeline")]
    await scanned(story)
    return next(app for app in await story.all(ServicePrincipal) if app.object_id == "a1")


async def test_owners_of_the_application_behind_a_connection_have_names(story: Story):
    story.cloud.app_owners["a1"] = ("o1", "p1", "o2")

    app = await of_application(story)

    assert app.owners == (
        Owner("o1", "Ada Kent", "ada@contoso.example", has_left=False),
        Owner("p1", "pipeline", kind="ServicePrincipal"),
        Owner("o2", has_left=True),
    )


async def test_an_application_of_nobody_is_told_from_one_that_was_not_asked_about(story: Story):
    assert (await of_application(story)).owners == ()
    others = [app for app in await story.all(ServicePrincipal) if app.object_id == "a2"]
    assert [app.owners for app in others] == [None]
    assert "owners of a2" not in story.cloud.asked


async def test_a_second_scan_changes_nothing_about_owners(story: Story):
    story.cloud.app_owners["a1"] = ("o1",)
    first = await of_application(story)

    assert await of_application(story) == first
