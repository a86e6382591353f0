"""A tenant as large as they come; all but its identities is a crowd that is worked out when it is asked for."""

from __future__ import annotations

from datetime import timedelta

from holdfast.sandbox.crowd import SERVER
from holdfast.sandbox.scenarios.definitions import definition, procedure, query, recurrence
from holdfast.sandbox.scenarios.founding import Founding
from holdfast.sandbox.world import Crowd

WHOLE = Crowd(environments=2000, flows=30_000, connections=200_000)
PEOPLE = 3000
APPS = 50


def large(found: Founding, percent: int) -> None:
    """Fill a tenant to `percent` of the whole size; two environments at least."""
    size = Crowd(
        environments=max(2, WHOLE.environments * percent // 100),
        flows=WHOLE.flows * percent // 100,
        connections=WHOLE.connections * percent // 100,
    )
    size.definitions = [
        definition(recurrence(often, 1, hour), ("Ask", asks))
        for often in ("Day", "Week", "Month")
        for hour in (2, 5, 21)
        for asks in (
            query("SELECT TOP 10 * FROM dbo.Orders", SERVER, "erp"),
            procedure("[dbo].[PostTotals]", SERVER, "erp"),
        )
    ]
    found.world.crowd = size
    for number in range(max(20, PEOPLE * percent // 100)):
        found.account(f"user{number:05}", f"User {number:05}")
    for number in range(APPS):
        # One in ten has a secret that is over: the first 40 days ago.
        ends_in = timedelta(days=-40 + number) if number % 10 == 0 else timedelta(days=5 + 7 * number)
        found.app(f"crowd-{number:02}", secret_ends_in=ends_in, created_at=found.ago(days=170))
    reader = next(app for app in found.world.applications.values() if app.display_name == "holdfast-reader")
    for number in range(size.environments):
        place = found.environment(
            "Contoso (default)" if number == 0 else f"Environment {number:04}",
            is_default=number == 0,
            org=f"org{number:04}",
        )
        found.application_user(reader, place, "Service Reader")
