"""A scan reads what it may, says what it could not, and goes on where it was broken off."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from holdfast.adapters.store.history import SqlHistory
from holdfast.adapters.tables import load_codebook
from holdfast.core.coverage import Outcome
from holdfast.core.directory import Account, SignInKind, SignInRecord
from holdfast.core.errors import (
    MissingError,
    RefusedError,
    StoreError,
    ThrottledError,
    UnfamiliarError,
    UnreachableError,
)
from holdfast.core.inventory import (
    Binding,
    CanvasApp,
    Connection,
    ConnectionReference,
    ConnectorId,
    Environment,
    EnvironmentId,
    Flow,
)
from holdfast.core.judgement import Judgement
from holdfast.core.policies import AccessPolicy, PolicyState, Scope
from holdfast.core.witness import Source
from holdfast.reading.sign_ins import CONNECTIONS_CLIENT, NEAR, SQL_APPLICATION
from holdfast.reading.texts import read_text
from holdfast.scan.carried import carried
from holdfast.scan.tenant import Progress, scan
from tests.builders import (
    a_broken_connection,
    a_canvas_app,
    a_connection,
    a_flow,
    a_reference,
    a_secret,
    an_app,
    an_app_connection,
    an_environment,
    day,
)
from tests.fakes.clock import StillClock
from tests.fakes.cloud import ToldCloud
from tests.fakes.history import MemoryHistory

PART = "connections:shared_sql"
REVOKED = (
    "Failed to acquire token from AAD: AADSTS50173: The provided grant has expired due to it being revoked."
)


class Story:
    """A cloud, our history, and a scan of the one into the other."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.cloud = ToldCloud(self.clock)
        self.history = MemoryHistory()
        self.cloud.listed = [an_environment("sales"), an_environment("stock")]
        self.seen: list[Progress] = []

    async def scan(self, **options):
        return await scan(
            "contoso",
            self.cloud,
            self.cloud,
            self.history,
            self.clock,
            read,
            self.seen.append,
            **options,
        )

    async def all(self, kind):
        return [thing async for thing in self.history.current("contoso", kind)]

    async def judgement(self, id="c1", environment="sales"):
        key = f"shared_sql/{id}"
        return (await self.history.lookup("contoso", Judgement, environment, [key]))[key]


def read(text, origin):
    return read_text(text, load_codebook(), origin)


@pytest.fixture
def story():
    return Story()


def refused(what=RefusedError):
    return what("The reader may not.", "powerapps", "connections", 403)


def _seen(connection):
    """As it is kept where the directory has its owner."""
    return replace(connection, owner=replace(connection.owner, has_left=False))


async def test_what_is_there_is_kept(story):
    story.cloud.held = [a_connection("c1"), a_connection("c2", environment=EnvironmentId("stock"))]
    story.cloud.apps = [an_app(a_secret())]

    report = await story.scan()

    assert await story.all(Environment) == story.cloud.listed
    assert await story.all(Connection) == [_seen(each) for each in story.cloud.held]
    assert (report.counts.seen, report.counts.news.things) == (2, 2)
    assert report.record.gaps == ()


async def test_a_second_scan_without_a_change_adds_nothing(story):
    story.cloud.held = [a_connection("c1"), a_broken_connection("c2", "Hm."), an_app_connection("c3")]
    story.cloud.apps = [an_app(a_secret())]
    await story.scan()
    story.clock.advance(days=1)

    report = await story.scan()

    assert (report.counts.news.things, report.counts.news.gone, report.counts.news.judgements) == (0, 0, 0)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (RefusedError, Outcome.DENIED),
        (MissingError, Outcome.MISSING),
        (UnreachableError, Outcome.TIMED_OUT),
        (ThrottledError, Outcome.TIMED_OUT),
        (UnfamiliarError, Outcome.PARTIAL),
    ],
)
async def test_what_one_environment_refuses_stops_no_other(story, error, outcome):
    story.cloud.held = [a_connection("c1"), a_connection("c2", environment=EnvironmentId("stock"))]
    story.cloud.breaks["sales"] = (refused(error), 0)

    report = await story.scan()

    assert report.record.by_environment() == {"": Outcome.SCANNED, "sales": outcome, "stock": Outcome.SCANNED}
    assert [c.id for c in await story.all(Connection)] == ["c2"]


async def test_an_answer_that_breaks_off_keeps_what_it_brought_and_loses_nothing(story):
    story.cloud.held = [a_connection("c1"), a_connection("c2")]
    await story.scan()
    story.cloud.breaks["sales"] = (refused(UnreachableError), 1)

    report = await story.scan()

    assert report.record.sweep_of("sales", PART).outcome is Outcome.PARTIAL
    assert [c.id for c in await story.all(Connection)] == ["c1", "c2"]


async def test_a_connection_that_is_no_longer_listed_is_gone(story):
    story.cloud.held = [a_connection("c1"), a_connection("c2")]
    await story.scan()
    story.cloud.held = [a_connection("c2")]

    report = await story.scan()

    assert report.counts.news.gone == 1
    assert [c.id for c in await story.all(Connection)] == ["c2"]


async def test_an_environment_that_is_gone_takes_its_connections_along(story):
    story.cloud.held = [a_connection("c1"), a_connection("c2", environment=EnvironmentId("stock"))]
    await story.scan()
    story.cloud.listed = [an_environment("stock")]

    await story.scan()

    assert await story.all(Environment) == [an_environment("stock")]
    assert [c.id for c in await story.all(Connection)] == ["c2"]


async def test_a_list_of_environments_that_breaks_off_makes_none_gone(story):
    await story.scan()
    story.cloud.breaks[""] = (refused(UnreachableError), 1)

    report = await story.scan()

    assert report.record.by_environment()[""] is Outcome.PARTIAL
    assert len(await story.all(Environment)) == 2


async def test_a_cloud_that_cannot_be_asked_leaves_history_as_it_was(story):
    story.cloud.breaks[""] = (refused(), 0)

    with pytest.raises(RefusedError):
        await story.scan()

    assert await story.history.last_scan("contoso") is None


async def test_quoted_values_do_not_reach_history(story):
    story.cloud.held = [a_broken_connection("c1", "Login failed for user 'ada@contoso.example'.")]

    await story.scan()

    [kept] = await story.all(Connection)
    assert kept.fault.message == "Login failed for user '***'."


async def test_a_scan_that_was_broken_off_goes_on_where_it_stopped(story):
    story.cloud.held = [a_connection("c1"), a_connection("c2", environment=EnvironmentId("stock"))]
    story.cloud.breaks["stock"] = (StoreError("The disk is full."), 0)
    with pytest.raises(StoreError):
        await story.scan()
    story.cloud.breaks.clear()
    story.cloud.asked.clear()
    story.clock.advance(hours=1)

    report = await story.scan()

    assert report.resumed
    assert "sales" not in story.cloud.asked
    assert [c.id for c in await story.all(Connection)] == ["c1", "c2"]
    assert report.record.by_environment()["sales"] is Outcome.SCANNED
    assert (await story.judgement()).horizons != ()


async def test_a_scan_that_was_broken_off_long_ago_starts_over(story):
    story.cloud.breaks["stock"] = (StoreError("The disk is full."), 0)
    with pytest.raises(StoreError):
        await story.scan()
    story.cloud.breaks.clear()
    story.cloud.asked.clear()
    story.clock.advance(days=3)

    report = await story.scan()

    assert not report.resumed
    assert "sales" in story.cloud.asked


async def test_what_was_refused_is_asked_again_on_a_resume(story):
    story.cloud.breaks = {"sales": (refused(), 0), "stock": (StoreError("Full."), 0)}
    with pytest.raises(StoreError):
        await story.scan()
    story.cloud.breaks.clear()

    report = await story.scan()

    assert report.record.gaps == ()


async def test_two_scans_do_not_run_at_once(story):
    async with story.history.scanning("contoso"):
        with pytest.raises(StoreError):
            await story.scan()


async def test_the_clouds_clock_is_measured(story):
    story.cloud.ahead = 90

    report = await story.scan()

    assert report.record.skew == timedelta(seconds=90)
    assert report.record.finished_at == story.clock.now() + timedelta(seconds=90)


async def test_progress_ends_with_all_environments(story):
    story.cloud.held = [a_connection("c1")]

    await story.scan()

    assert story.seen[0] == Progress(0, 2, 0)
    assert story.seen[-1] == Progress(2, 2, 1)


async def test_a_connection_idle_past_the_limit_is_judged_though_it_says_connected(story):
    story.cloud.held = [a_connection("c1", token_expires_at=day(-100))]

    await story.scan()

    verdict = (await story.judgement()).verdict
    assert verdict.cause.id == "token_inactive"


async def test_a_service_principal_without_a_live_secret_is_judged_broken(story):
    story.cloud.held = [an_app_connection("c1")]
    story.cloud.apps = [an_app(a_secret(expires=-1))]

    await story.scan()

    assert (await story.judgement()).verdict.cause.id == "secret_expired"


async def test_without_the_directory_no_secret_is_judged(story):
    story.cloud.held = [an_app_connection("c1")]
    story.cloud.breaks["directory"] = (refused(), 0)

    await story.scan()

    judgement = await story.judgement()
    assert judgement.verdict is None
    assert "Application.Read.All" in judgement.horizons[0].assumptions[0]


async def test_a_token_refreshed_between_two_scans_is_dated_by_them(story):
    story.cloud.held = [a_connection("c1", token_expires_at=day(-5))]
    await story.scan()
    story.clock.advance(days=1)
    story.cloud.held = [a_connection("c1", token_expires_at=day(1) + timedelta(hours=1))]

    await story.scan()

    looks = (await story.judgement()).witnesses[1]
    assert looks.refreshed.latest == day(1)
    assert looks.refreshed.earliest == day(0)


async def test_flows_are_kept_with_what_they_go_through(story):
    story.cloud.listed = [an_environment("sales", dataverse_url="https://sales.example")]
    story.cloud.automations = [a_flow("f1", "new_sql")]
    story.cloud.pointers = [a_reference("new_sql", "c1")]

    report = await story.scan()

    assert await story.all(Flow) == story.cloud.automations
    assert await story.all(ConnectionReference) == story.cloud.pointers
    assert report.record.sweep_of("sales", "flows").counted == 1


async def test_an_environment_without_dataverse_has_no_flows_to_read(story):
    report = await story.scan()

    assert report.record.sweep_of("sales", "flows") is None
    assert report.record.gaps == ()


@pytest.mark.parametrize("error", [RefusedError, MissingError])
async def test_flows_that_cannot_be_read_are_a_gap_and_hide_no_connection(story, error):
    story.cloud.listed = [an_environment("sales", dataverse_url="https://sales.example")]
    story.cloud.held = [a_connection("c1")]
    story.cloud.breaks["flows of sales"] = (refused(error), 0)

    report = await story.scan()

    assert [gap.part for gap in report.record.gaps] == ["flows"]
    assert [c.id for c in await story.all(Connection)] == ["c1"]


async def test_a_connection_is_judged_by_the_schedules_of_its_flows(story):
    story.cloud.listed = [an_environment("sales", dataverse_url="https://sales.example")]
    story.cloud.held = [a_connection("c1"), a_connection("c2")]
    story.cloud.automations = [
        a_flow("quarterly", "new_sql", every=("month", 3)),
        a_flow("daily", "new_other", every=("day", 1)),
    ]
    story.cloud.pointers = [a_reference("new_sql", "c1"), a_reference("new_other", "c2")]

    await story.scan()

    assert [h.condition for h in (await story.judgement("c1")).horizons] == ["expected"]
    assert [h.condition for h in (await story.judgement("c2")).horizons] == ["if_unused"]


async def test_a_flow_that_takes_its_runners_connection_holds_none(story):
    story.cloud.listed = [an_environment("sales", dataverse_url="https://sales.example")]
    bindings = (Binding("k", ConnectorId("shared_sql"), reference="new_sql", is_invoker=True),)
    story.cloud.automations = [a_flow("f1", bindings=bindings)]
    story.cloud.pointers = [a_reference("new_sql", "c1")]
    await story.scan()

    assert await carried(story.history, "contoso", "sales") == {}


async def test_a_reference_that_is_not_bound_carries_nothing(story):
    story.cloud.listed = [an_environment("sales", dataverse_url="https://sales.example")]
    story.cloud.automations = [a_flow("f1", "new_sql")]
    story.cloud.pointers = [a_reference("new_sql", None)]
    await story.scan()

    assert await carried(story.history, "contoso", "sales") == {}


async def test_a_connection_that_could_not_be_read_keeps_its_judgement(story):
    story.cloud.held = [a_broken_connection("c1", REVOKED)]
    await story.scan()
    story.cloud.breaks["sales"] = (refused(), 0)

    await story.scan()

    assert (await story.judgement()).verdict.cause.id == "password_changed"


async def test_what_several_environments_bring_is_counted_together(story, tmp_path):
    # On a store that really waits, readers come in between each other.
    story.history = SqlHistory(tmp_path / "holdfast.db")
    story.cloud.listed = [an_environment(f"e{number}") for number in range(20)]
    story.cloud.held = [
        a_connection(f"c{number}", environment=EnvironmentId(f"e{number % 20}")) for number in range(60)
    ]

    report = await story.scan()

    assert (report.counts.seen, report.counts.news.things) == (60, 60)
    assert story.seen[-1].connections == 60


async def test_an_owner_who_was_disabled_is_noticed_before_any_run_fails(story):
    story.cloud.held = [a_connection("c1")]
    story.cloud.people = [Account("o1", "ada@contoso.example", "Ada", is_enabled=False)]

    await story.scan()

    assert (await story.judgement()).verdict.cause.id == "account_disabled"


async def test_accounts_that_could_not_be_read_are_a_gap_and_nobody_is_called_deleted(story):
    story.cloud.held = [a_connection("c1")]
    story.cloud.breaks["accounts"] = (refused(), 0)

    report = await story.scan()

    assert [gap.part for gap in report.record.gaps] == ["accounts"]
    assert (await story.judgement()).verdict is None


async def test_a_policy_that_only_reports_is_foreseen(story):
    story.cloud.held = [a_connection("c1")]
    story.cloud.policies = [
        AccessPolicy(
            "p1",
            "Block legacy",
            PolicyState.REPORT_ONLY,
            users=Scope(frozenset({"All"})),
            applications=Scope(frozenset({"All"})),
            controls=("block",),
        )
    ]

    await story.scan()

    [_, waiting] = (await story.judgement()).horizons
    assert (waiting.cause, waiting.condition) == ("conditional_access_blocked", "if_enforced")
    assert "Block legacy" in waiting.assumptions[0]


def a_sign_in(at, key, code=0):
    return SignInRecord(f"{key}-{at}", at, SignInKind.APPLICATION, "sp", "app-1", "sql", code, key_id=key)


async def test_the_sign_in_log_tells_which_of_several_secrets_is_held(story):
    refreshed = day(0) - timedelta(minutes=75)
    story.cloud.held = [an_app_connection("c1", token_expires_at=day(0), modified_at=refreshed)]
    story.cloud.apps = [an_app(a_secret("old", expires=20), a_secret("new", expires=300))]
    story.cloud.sign_ins = [a_sign_in(refreshed, "old"), a_sign_in(day(-3), "new")]

    report = await story.scan()

    [horizon] = (await story.judgement()).horizons
    assert horizon.latest == day(20)
    assert "sign-in log" in horizon.assumptions[0]
    assert report.record.sweep_of("", "sign_ins").counted == 1


async def test_the_log_is_not_asked_where_one_secret_is_possible(story):
    story.cloud.held = [an_app_connection("c1", token_expires_at=day(0))]
    story.cloud.apps = [an_app(a_secret("only"))]

    await story.scan()

    assert not [name for name in story.cloud.asked if name.startswith("sign-ins")]


async def test_a_log_that_may_not_be_read_is_asked_once_and_is_a_gap(story):
    apps = [
        an_app(a_secret("a", expires=20), a_secret("b", expires=300), client_id=f"app-{n}") for n in (1, 2)
    ]
    story.cloud.apps = apps
    story.cloud.held = [
        an_app_connection(f"c{n}", client_id=f"app-{n}", token_expires_at=day(0), modified_at=day(-1))
        for n in (1, 2)
    ]
    story.cloud.breaks = {f"sign-ins of app-{n}": (refused(), 0) for n in (1, 2)}

    report = await story.scan()

    assert len([name for name in story.cloud.asked if name.startswith("sign-ins")]) == 1
    assert [gap.part for gap in report.record.gaps] == ["sign_ins"]
    assert not (await story.judgement()).horizons[0].is_known


async def test_a_refused_sign_in_shows_no_key(story):
    refreshed = day(0) - timedelta(minutes=75)
    story.cloud.held = [an_app_connection("c1", token_expires_at=day(0), modified_at=refreshed)]
    story.cloud.apps = [an_app(a_secret("old", expires=20), a_secret("new", expires=300))]
    story.cloud.sign_ins = [a_sign_in(refreshed, "old", code=7000222)]

    await story.scan()

    assert not (await story.judgement()).horizons[0].is_known


async def test_what_the_log_told_is_remembered_when_the_log_has_forgotten(story):
    refreshed = day(0) - timedelta(minutes=75)
    story.cloud.held = [an_app_connection("c1", token_expires_at=day(0), modified_at=refreshed)]
    story.cloud.apps = [an_app(a_secret("old", expires=90), a_secret("new", expires=300))]
    story.cloud.sign_ins = [a_sign_in(refreshed, "old")]
    await story.scan()
    story.clock.advance(days=60)
    story.cloud.asked.clear()

    await story.scan()

    assert (await story.judgement()).horizons[0].latest == day(90)
    assert "sign-ins of app-1" not in story.cloud.asked


async def test_an_application_that_was_here_and_is_not_now_was_deleted(story):
    story.cloud.held = [an_app_connection("c1")]
    story.cloud.apps = [an_app(a_secret(expires=400))]
    await story.scan()
    assert (await story.judgement()).verdict is None

    story.cloud.apps = []
    for _ in range(2):
        story.clock.advance(days=1)
        await story.scan()

        verdict = (await story.judgement()).verdict
        assert verdict is not None
        assert verdict.cause.id == "app_disabled_or_missing"


async def test_an_application_that_was_never_here_may_be_at_home_elsewhere(story):
    story.cloud.held = [an_app_connection("c1")]

    await story.scan()

    assert (await story.judgement()).verdict is None


# --- canvas apps ---------------------------------------------------------------------------------------


async def test_canvas_apps_that_name_the_connector_are_kept(story):
    story.cloud.canvas = [a_canvas_app("orders"), a_canvas_app("chat", "shared_teams")]

    report = await story.scan()

    assert await story.all(CanvasApp) == [a_canvas_app("orders")]
    assert report.record.sweep_of("sales", "canvas_apps").counted == 1


async def test_a_canvas_app_that_was_removed_is_gone(story):
    story.cloud.canvas = [a_canvas_app("orders")]
    await story.scan()
    story.cloud.canvas = []

    await story.scan(fresh=True)

    assert await story.all(CanvasApp) == []


async def test_apps_out_of_sight_are_said_and_nothing_else_is_lost(story):
    story.cloud.held = [a_connection()]
    story.cloud.breaks["apps of sales"] = (refused(), 0)

    report = await story.scan()

    assert [(gap.environment, gap.part, gap.outcome) for gap in report.record.gaps] == [
        ("sales", "canvas_apps", Outcome.DENIED)
    ]
    assert report.record.by_environment()["sales"] is Outcome.SCANNED
    assert await story.all(Connection) == [_seen(a_connection())]


async def test_an_app_that_may_use_an_idle_connection_is_named_in_its_forecast(story):
    story.clock.at = day(70)
    story.cloud.listed = [an_environment("sales", dataverse_url="https://sales.crm.dynamics.com")]
    story.cloud.held = [a_connection()]
    story.cloud.canvas = [a_canvas_app("orders")]

    await story.scan()

    (horizon,) = (await story.judgement()).horizons
    assert "canvas apps there name its connector and may use it ('orders')" in " ".join(horizon.assumptions)


# --- owners' sign-ins ----------------------------------------------------------------------------------


def an_owner_row(at, who="o1"):
    return SignInRecord(
        f"row {at}", at, SignInKind.NON_INTERACTIVE, who, CONNECTIONS_CLIENT, SQL_APPLICATION, 0
    )


async def test_an_owners_sign_in_dates_what_nothing_else_does(story):
    story.clock.at = day(20)
    story.cloud.held = [a_connection(token_expires_at=None)]
    story.cloud.sign_ins = [an_owner_row(day(9))]

    await story.scan()

    (witness,) = (await story.judgement()).witnesses
    (horizon,) = (await story.judgement()).horizons
    assert (witness.source, witness.refreshed.middle) == (Source.OWNER_SIGN_IN, day(9))
    assert horizon.likely == day(99)


async def test_of_two_that_nothing_dates_neither_is_dated(story):
    story.clock.at = day(20)
    story.cloud.held = [
        a_connection("c1", token_expires_at=None),
        a_connection("c2", token_expires_at=None, environment=EnvironmentId("stock")),
    ]
    story.cloud.sign_ins = [an_owner_row(day(9))]

    await story.scan()

    assert (await story.judgement()).witnesses == ()


async def test_no_owner_is_asked_about_what_is_dated(story):
    story.cloud.held = [a_connection()]

    await story.scan()

    assert "sign-ins of o1" not in story.cloud.asked


async def test_an_environment_out_of_sight_may_hold_another_of_the_owners(story):
    story.clock.at = day(20)
    story.cloud.held = [a_connection(token_expires_at=None)]
    story.cloud.sign_ins = [an_owner_row(day(9))]
    story.cloud.breaks["stock"] = (refused(), 0)

    await story.scan()

    assert (await story.judgement()).witnesses == ()


async def test_a_sign_in_seen_once_is_kept_when_the_log_is_closed_later(story):
    story.clock.at = day(20)
    story.cloud.held = [a_connection(token_expires_at=None)]
    story.cloud.sign_ins = [an_owner_row(day(9))]
    await story.scan()
    story.cloud.breaks["sign-ins of o1"] = (refused(), 0)
    story.clock.at = day(40)

    await story.scan()

    (witness,) = (await story.judgement()).witnesses
    assert (witness.refreshed.earliest, witness.refreshed.latest) == (day(9) - NEAR, day(40))
