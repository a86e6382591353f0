"""What can go wrong with a migration: it stops at a safe point, says what stands, and goes on or is undone."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

import pytest

from holdfast.adapters.cloud.operator import CloudOperator
from holdfast.core.deed import Standing
from holdfast.core.errors import CloudError, RefusedError, StoreError, ThrottledError, UnreachableError
from holdfast.core.identity import Role
from holdfast.core.inventory import Environment
from holdfast.core.plan import Plan
from holdfast.core.secret import Secret
from holdfast.core.sql import SqlPlace
from holdfast.migration.drift import drifted
from holdfast.migration.shown import script_for
from holdfast.saga import standing
from holdfast.sandbox.certificates import Keys, make_keys
from holdfast.sandbox.clock import wall
from holdfast.sandbox.flows.history import runs_of
from holdfast.sandbox.records.platform import FlowConnection
from holdfast.sandbox.sql.catalogue import Principal
from tests.fakes.moving import ACCEPTED, DANA, DESK, TENANT, KilledError, Mover, PersonInProcess, a_story
from tests.fakes.tenant import TenantInProcess

SERVER = "sql-contoso.database.windows.net"
NO_WAIT = timedelta(0)


@pytest.fixture(scope="module")
def keys() -> Keys:
    return make_keys(wall())


@pytest.fixture(scope="module")
def story() -> bytes:
    return a_story()


@pytest.fixture
def mover(story: bytes, keys: Keys) -> Mover:
    return Mover(TenantInProcess(story, keys))


def without(story: bytes, keys: Keys, *roles: Role) -> Mover:
    return Mover(TenantInProcess(story, keys), roles=frozenset(Role) - set(roles))


async def planned(mover: Mover, *names: str, **more: Any) -> Plan:
    return await mover.plan(*(names or (DANA,)), accepted=ACCEPTED, **{"rewrites": True} | more)


async def until(mover: Mover, plan: Plan, step: str) -> None:
    """Until the process is killed just before that step."""
    [planned] = [each for each in plan.steps if each.name.partition(":")[0] == step]
    made = mover.journal.note

    async def note(turn: Any, id: str, deed: Any) -> None:
        if deed.step == planned.name:
            raise KilledError
        await made(turn, id, deed)

    monkey = cast(Any, mover.journal)
    monkey.note = note
    with pytest.raises(KilledError):
        await mover.go(plan)
    monkey.note = made


def the(found: Sequence[Standing]) -> Standing:
    [one] = found
    return one


def binding(mover: Mover, name: str = "con_sql_erp") -> str | None:
    return next(
        one.connection_id for one in mover.tenant.world.references.values() if one.logical_name == name
    )


def flow_of(mover: Mover, name: str) -> Any:
    return next(flow for flow in mover.tenant.world.flows.values() if flow.display_name == name)


def made(mover: Mover) -> list[str]:
    """What of ours stands in the tenant."""
    world = mover.tenant.world
    found = [app.display_name for app in world.applications.values() if app.deleted_at is None]
    found += [one.display_name for one in world.connections.values() if one.deleted_at is None]
    found += [one.display_name for one in world.references.values()]
    for server in world.servers.values():
        found += [one.name for database in server.databases.values() for one in database.principals.values()]
    return [name for name in found if name.startswith("holdfast/")]


async def undone(mover: Mover, plan: Plan) -> None:
    """Undo, and look that nothing is left."""
    assert {each.state for each in await mover.to_the_end(plan, "undo")} == {"undone"}
    assert made(mover) == []
    assert await mover.secrets.names() == ()


# --- rights ----------------------------------------------------------------------------------------------


async def test_rights_that_are_missing_half_way_stop_it_before_the_binding(mover: Mover):
    plan, before = await planned(mover), binding(mover)
    await until(mover, plan, "bind")
    operator = next(one for one in mover.tenant.world.org_users.values() if "System Customizer" in one.roles)
    roles, operator.roles = operator.roles, ["Service Reader"]

    found = the(await mover.go(plan, wait=NO_WAIT))

    assert (found.state, (found.step or "").partition(":")[0]) == ("refused", "bind")
    assert "security role" in found.says
    assert binding(mover) == before
    operator.roles = roles
    assert the(await mover.to_the_end(plan)).state == "done"


async def test_without_a_sql_administrator_it_waits_for_the_effect_of_a_script(story: bytes, keys: Keys):
    mover = without(story, keys, Role.SQL_ADMIN)
    plan = await planned(mover)

    found = the(await mover.go(plan))
    assert (found.state, (found.step or "").partition(":")[0]) == ("waiting", "sql")
    assert "holdfast migrate for-dba" in found.says
    await by_hand(mover, plan)
    assert the(await mover.to_the_end(plan)).state == "done"

    found = the(await mover.go(plan, "undo", wait=NO_WAIT))
    assert "for-dba --undo" in found.says
    database = mover.tenant.world.servers[SERVER].databases["erp"]
    for name in [name for name in database.principals if name.startswith("holdfast/")]:
        del database.principals[name]
    await undone(mover, plan)


async def by_hand(mover: Mover, plan: Plan, cut: int | None = None) -> None:
    """Somebody runs the script; only its first statements where `cut` says so."""
    [client] = [
        deed.outcome.facts["client_id"]
        for deed in await mover.journal.deeds(TENANT, plan.id)
        if deed.step == "app" and deed.outcome.is_done
    ]
    [step] = [each for each in plan.steps if each.name.startswith("sql:")]
    script = script_for(step.arguments, client)
    if cut is not None:
        script = "GRANT".join(script.split("GRANT")[: cut + 1])
    async with Mover.sql(mover) as server:
        server._asked(SqlPlace(step.arguments["server"], step.arguments["database"]), [script])


async def test_a_script_that_ran_half_is_taken_up_where_it_stands(mover: Mover):
    plan = await planned(mover)
    await until(mover, plan, "sql")
    await by_hand(mover, plan, cut=1)

    assert the(await mover.to_the_end(plan)).state == "done"


async def test_a_script_that_ran_half_is_not_enough_without_an_administrator(story: bytes, keys: Keys):
    mover = without(story, keys, Role.SQL_ADMIN)
    plan = await planned(mover)
    await mover.go(plan)
    await by_hand(mover, plan, cut=1)

    found = the(await mover.go(plan, wait=NO_WAIT))
    assert (found.state, (found.step or "").partition(":")[0]) == ("waiting", "sql")
    await by_hand(mover, plan)
    assert the(await mover.to_the_end(plan)).state == "done"


async def test_without_an_application_administrator_it_waits_for_the_application(story: bytes, keys: Keys):
    mover = without(story, keys, Role.APP_ADMIN)
    plan = await planned(mover)
    found = the(await mover.go(plan, wait=NO_WAIT))
    assert "az ad app create" in found.says

    async with Mover(mover.tenant).reached(Role.APP_ADMIN) as person:
        app = await person.registry.register(str(plan.steps[1].arguments["name"]))
        mover.tenant.advance(minutes=5)
        await person.registry.make_principal(app.client_id)
        _, text = await person.registry.add_secret(
            app.object_id, "by hand", mover.tenant.now + timedelta(days=90)
        )
    found = the(await mover.go(plan))
    assert "holdfast secret" in found.says
    await mover.secrets.write(str(plan.steps[3].arguments["stored"]), Secret(text.reveal()))

    assert the(await mover.to_the_end(plan)).state == "done"


# --- collisions ------------------------------------------------------------------------------------------


async def test_a_user_of_the_same_name_that_is_somebody_else_is_left_alone(mover: Mover):
    plan, before = await planned(mover), binding(mover)
    name = str(plan.steps[1].arguments["name"])
    database = mover.tenant.world.servers[SERVER].databases["erp"]
    theirs = Principal(name=name, kind="E", created_at=mover.tenant.now, sid="AB" * 16, roles=[])
    database.principals[name.casefold()] = theirs

    found = the(await mover.go(plan))
    assert (found.state, (found.step or "").partition(":")[0]) == ("refused", "sql")
    assert "somebody else" in found.says

    assert {each.state for each in await mover.to_the_end(plan, "undo")} == {"undone"}
    assert database.principals[name.casefold()] is theirs
    assert binding(mover) == before


async def test_two_people_cannot_apply_at_once(mover: Mover):
    plan = await planned(mover)
    async with mover.journal.turn(TENANT):
        with pytest.raises(StoreError, match="Another"):
            await mover.go(plan)


# --- what changes meanwhile ------------------------------------------------------------------------------


def edit(mover: Mover, name: str) -> None:
    flow = flow_of(mover, name)
    definition = copy.deepcopy(flow.definition)
    definition["actions"]["Read_more"] = copy.deepcopy(next(iter(definition["actions"].values())))
    mover.tenant.event("edit_flow", flow.id, definition=definition)


async def test_a_flow_that_was_edited_after_planning_stops_it_before_anything_is_made(mover: Mover):
    plan = await planned(mover)
    edit(mover, "Nightly stock check")

    found = the(await mover.go(plan))

    assert (found.state, found.step) == ("refused", "check")
    assert "edited" in found.says
    assert made(mover) == []


async def test_a_flow_that_is_edited_meanwhile_is_not_bound(mover: Mover):
    plan, before = await planned(mover), binding(mover)
    await until(mover, plan, "bind")
    edit(mover, "Nightly stock check")

    found = the(await mover.go(plan))

    assert found.state == "refused"
    assert "edited" in found.says
    assert binding(mover) == before
    await undone(mover, plan)


async def test_a_definition_that_is_edited_after_the_move_is_not_written_over(mover: Mover):
    plan = await planned(mover, DESK)
    await mover.to_the_end(plan)
    edit(mover, "Nightly tickets")
    edited = copy.deepcopy(flow_of(mover, "Nightly tickets").definition)

    found = the(await mover.go(plan, "undo", wait=NO_WAIT))

    assert "edited after" in found.says
    assert flow_of(mover, "Nightly tickets").definition == edited


async def test_a_deployment_that_binds_the_old_connection_again_is_seen(mover: Mover):
    plan, old = await planned(mover), binding(mover)
    await mover.to_the_end(plan)
    assert await drift(mover, plan) == []

    mover.tenant.event("deploy_solution", flow_of(mover, "Nightly order import").id, connection=old)

    assert await drift(mover, plan) == [("binding", "con_sql_erp")]
    await undone(mover, plan)
    assert binding(mover) == old


async def drift(mover: Mover, plan: Plan) -> list[tuple[str, str]]:
    stands = {each.saga: each.stands for each in standing(plan, await mover.journal.deeds(TENANT, plan.id))}
    async with mover.reached(Role.READER) as reading, mover.reached(Role.OPERATOR) as operating:
        places: dict[str, Environment] = {
            str(each.id): each async for each in reading.platform.environments()
        }
        found = await drifted(plan, stands, operating.operator, places)
    return [(each.what, each.name) for each in found]


async def test_where_a_share_is_not_enough_the_owner_binds_the_old_connection(mover: Mover):
    plan, old = await planned(mover), binding(mover)
    await mover.to_the_end(plan)
    mover.tenant.world.flips.append("a_share_is_enough_to_activate")

    found = the(await mover.go(plan, "undo", wait=NO_WAIT))
    assert found.state == "undoing"
    assert "let the owner choose it" in found.says
    for reference in mover.tenant.world.references.values():
        reference.connection_id = old if reference.logical_name == "con_sql_erp" else reference.connection_id
    await undone(mover, plan)


async def test_an_environment_can_share_one_principal(mover: Mover):
    plan = await planned(mover, DANA, DESK, "Quarter close (svc-reports)", per_environment=True)
    assert len(plan.sagas()) == 1

    await mover.go(plan)
    assert sum(name.startswith("holdfast/") for name in apps(mover)) == 1
    assert len({step.connection for step in plan.steps if step.connection}) == 3
    await undone(mover, plan)


def apps(mover: Mover) -> list[str]:
    return [app.display_name for app in mover.tenant.world.applications.values() if app.deleted_at is None]


# --- secrets and databases -------------------------------------------------------------------------------


async def test_a_policy_that_forbids_secrets_declines_it(mover: Mover):
    mover.tenant.event("set_app_policy", passwordAddition=True)

    plan = await planned(mover)

    assert [each.reason for each in plan.declined] == ["secrets_forbidden"]


async def test_a_policy_that_comes_later_stops_it_at_the_secret(mover: Mover):
    plan = await planned(mover)
    mover.tenant.event("set_app_policy", passwordAddition=True)

    found = the(await mover.go(plan))

    assert (found.state, found.step) == ("refused", "secret")
    await undone(mover, plan)


async def test_a_secret_that_never_works_is_never_depended_on(mover: Mover):
    async def never(client_id: str, secret: Secret, kind: str = "secret") -> str:
        return "AADSTS7000215: Invalid client secret provided."

    plan, before = await planned(mover), binding(mover)
    mover.signs_in = never  # type: ignore[method-assign]

    found = the(await mover.go(plan))

    assert (found.state, found.step) == ("waiting", "prove")
    assert "AADSTS7000215" in found.says
    mover.tenant.advance(hours=2)
    found = the(await mover.go(plan, wait=NO_WAIT))
    assert (found.state, found.step) == ("refused", "prove")
    assert "AADSTS7000215" in found.says
    assert binding(mover) == before
    await undone(mover, plan)


async def test_an_application_that_has_to_be_assigned_waits_for_an_administrator(mover: Mover):
    mover.tenant.event("require_assignment", "sam.ortiz@contoso.example")
    plan = await planned(mover)
    await mover.go(plan)
    mover.tenant.advance(hours=2)

    found = the(await mover.go(plan, wait=NO_WAIT))

    assert (found.state, found.step) == ("waiting", "prove")
    assert f"has to assign {plan.steps[1].arguments['name']!r} to Azure SQL Database" in found.says
    clients = [
        deed.outcome.facts["client_id"]
        for deed in await mover.journal.deeds(TENANT, plan.id)
        if deed.step == "app" and deed.outcome.is_done
    ]
    mover.tenant.event("assign", clients[0])
    assert the(await mover.to_the_end(plan)).state == "done"


def often(mover: Mover, name: str, minutes: int) -> None:
    flow = flow_of(mover, name)
    definition = copy.deepcopy(flow.definition)
    for trigger in definition["triggers"].values():
        trigger["recurrence"] = {"frequency": "Minute", "interval": minutes}
    mover.tenant.event("edit_flow", flow.id, definition=definition)


async def test_flows_that_may_run_soon_are_bound_when_the_secret_has_spread(mover: Mover):
    """A directory on a bad day, and a connection that fetches a token at every use."""
    world = mover.tenant.world
    often(mover, "Nightly order import", 1)
    world.published["spread_seconds"] = 600.0
    world.flips.append("connection_keeps_its_access_token")
    world.is_unkind = True
    plan, before = await planned(mover), binding(mover)

    found = the(await mover.go(plan))
    while (found.step or "") in ("principal", "prove"):
        found = the(await mover.go(plan))

    assert (found.state, (found.step or "").partition(":")[0]) == ("waiting", "bind")
    assert "'Nightly order import' may run before" in found.says
    assert binding(mover) == before
    mover.tenant.advance(minutes=12)
    await mover.go(plan, wait=NO_WAIT)
    assert binding(mover) != before
    mover.tenant.advance(minutes=12)
    held = runs_of(mover.tenant.world, flow_of(mover, "Nightly order import"), mover.tenant.now)
    assert {run.record.status for run in held if run.started_at > plan.made_at} == {"Succeeded"}


async def test_a_flow_whose_definition_is_rewritten_may_not_run_too_soon_either(mover: Mover):
    often(mover, "Nightly tickets", 30)
    plan = await planned(mover, DESK)

    found = the(await mover.go(plan))

    assert (found.state, (found.step or "").partition(":")[0]) == ("waiting", "define")
    assert "'Nightly tickets' may run before" in found.says
    assert the(await mover.to_the_end(plan)).state == "done"


@pytest.mark.parametrize(("event", "number"), [("sql_pause", "paused"), ("sql_offline", "offline")])
async def test_a_database_that_is_away_is_waited_for(mover: Mover, event: str, number: str):
    plan = await planned(mover)
    mover.tenant.event(event, f"{SERVER}/erp")
    database = mover.tenant.world.servers[SERVER].databases["erp"]

    found = the(await mover.go(plan, wait=NO_WAIT))
    while found.state == "waiting" and found.step in ("principal", "prove", "secret"):
        found = the(await mover.go(plan, wait=NO_WAIT))

    assert found.state == "waiting", number
    assert (found.step or "").partition(":")[0] in ("sql", "proof", "watch")
    database.state = "ONLINE"
    assert the(await mover.to_the_end(plan)).state == "done"


@pytest.mark.parametrize("event", ["sql_pause", "sql_offline", "sql_firewall_deny"])
async def test_an_undo_waits_for_a_database_that_is_away(mover: Mover, event: str):
    plan = await planned(mover)
    await mover.to_the_end(plan)
    server = mover.tenant.world.servers[SERVER]
    mover.tenant.event(event, f"{SERVER}/erp")

    found = the(await mover.go(plan, "undo", wait=NO_WAIT))

    assert (found.state, (found.step or "").partition(":")[0]) == ("undoing", "sql")
    assert any(name.startswith("holdfast/") for name in server.databases["erp"].principals)
    server.databases["erp"].state, server.denied_at = "ONLINE", None
    await undone(mover, plan)


async def test_without_an_administrator_a_database_that_is_away_is_not_taken_for_cleaned(
    story: bytes, keys: Keys
):
    mover = without(story, keys, Role.SQL_ADMIN)
    plan = await planned(mover)
    await mover.go(plan)
    await by_hand(mover, plan)
    await mover.to_the_end(plan)
    mover.tenant.event("sql_offline", f"{SERVER}/erp")

    found = the(await mover.go(plan, "undo", wait=NO_WAIT))

    assert (found.state, (found.step or "").partition(":")[0]) == ("undoing", "sql")
    assert "cannot be told" in found.says


async def test_a_connection_that_is_out_of_sight_is_not_taken_for_removed(
    mover: Mover, monkeypatch: pytest.MonkeyPatch
):
    async def refused(*_: Any) -> None:
        raise RefusedError("Power Apps refused to read the connection.", "powerapps", "connection")

    plan = await planned(mover)
    await mover.to_the_end(plan)
    seen = CloudOperator.connection
    monkeypatch.setattr(CloudOperator, "connection", refused)

    found = the(await mover.go(plan, "undo", wait=NO_WAIT))

    assert (found.state, (found.step or "").partition(":")[0]) == ("undoing", "connection")
    monkeypatch.setattr(CloudOperator, "connection", seen)
    await undone(mover, plan)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ThrottledError("Power Apps asked to slow down.", "api_hub", "proof"), "waiting"),
        (UnreachableError("Power Apps is not able to just now.", "api_hub", "proof"), "waiting"),
        (UnreachableError("The SELECT permission was denied on the object.", "api_hub", "proof"), "done"),
    ],
    ids=["busy", "away", "denied as a bad gateway"],
)
async def test_only_an_answer_of_the_database_is_a_negative_check(
    mover: Mover, monkeypatch: pytest.MonkeyPatch, error: CloudError, state: str
):
    asked = CloudOperator.query

    async def query(self: CloudOperator, connection: Any, server: str, database: str, sql: str) -> None:
        if "TOP (1)" in sql:
            raise error
        await asked(self, connection, server, database, sql)

    plan = await planned(mover)
    monkeypatch.setattr(CloudOperator, "query", query)

    found = the(await mover.to_the_end(plan) if state == "done" else await mover.go(plan))

    assert (found.state, (found.step or "").partition(":")[0]) == (state, "" if state == "done" else "proof")


# --- flows of the operator's -------------------------------------------------------------------------------


def owner_of(mover: Mover, name: str) -> tuple[str, list[str]]:
    flow = flow_of(mover, name)
    return flow.owner_id, sorted(flow.shares)


@pytest.mark.parametrize(
    "flip",
    ["", "a_flow_stays_on_when_it_is_assigned", "shares_survive_another_owner"],
    ids=["as is", "off", "bare"],
)
async def test_flows_are_taken_over_and_given_back(mover: Mover, flip: str):
    plan, before = await planned(mover, own_flows=True), owner_of(mover, "Nightly order import")
    mover.tenant.world.flips += [flip] if flip else []

    assert the(await mover.to_the_end(plan)).state == "done"

    operator = next(
        one.principal_id
        for one in mover.tenant.world.applications.values()
        if one.client_id == mover.app(Role.OPERATOR)["client_id"]
    )
    for name in ("Nightly order import", "Nightly stock check"):
        assert owner_of(mover, name) == (operator, [before[0]])
        assert flow_of(mover, name).state == "Started"
    await undone(mover, plan)
    for name in ("Nightly order import", "Nightly stock check"):
        assert (owner_of(mover, name), flow_of(mover, name).state) == (before, "Started")


async def test_a_flow_with_a_connection_of_somebody_else_stays_with_its_owner(mover: Mover):
    flow = flow_of(mover, "Nightly order import")
    flow.connections["shared_office365"] = FlowConnection(connector="shared_office365", connection_id="mail")
    mover.tenant.world.changed()

    plan = await planned(mover, own_flows=True)

    assert [step.arguments["flow_name"] for step in plan.steps if step.name.startswith("own:")] == [
        "Nightly stock check"
    ]
    assert "stays with its owner: it also holds shared_office365" in plan.steps[0].risk


async def test_a_flow_that_its_owner_switched_off_meanwhile_comes_back_off(mover: Mover):
    plan = await planned(mover, own_flows=True)
    await mover.to_the_end(plan)
    mover.tenant.event("turn_off_flow", flow_of(mover, "Nightly stock check").id)

    await undone(mover, plan)

    assert flow_of(mover, "Nightly stock check").state == "Stopped"
    assert flow_of(mover, "Nightly order import").state == "Started"


async def test_the_plan_names_every_owner_and_who_has_left(mover: Mover):
    dana = next(a for a in mover.tenant.world.accounts.values() if a.display_name == "Dana Kim")
    flow_of(mover, "Nightly stock check").owner_id = next(
        a.object_id for a in mover.tenant.world.accounts.values() if a is not dana
    )
    mover.tenant.event("disable_account", flow_of(mover, "Nightly stock check").owner_id)
    mover.tenant.world.changed()

    plan = await planned(mover, own_flows=True)

    [owners] = [show.text for show in plan.steps[0].shows if show.title == "Who owns what"]
    assert "Owner of connection ERP orders (Dana Kim): Dana Kim" in owners
    assert "Owner of reference con_sql_erp: Dana Kim" in owners
    assert "Owner of flow Nightly order import: Dana Kim" in owners
    assert owners.count("(has left)") == 1
    assert "has left: give it another owner" in plan.steps[0].risk
    [own] = [
        step for step in plan.steps if step.arguments.get("flow_name") == "Nightly stock check" and step.cost
    ]
    assert own.arguments["keeps"] is False
    assert "Process" in own.cost


async def test_the_owner_of_a_flow_can_use_the_connection_that_it_moves_to(mover: Mover):
    sam = next(a for a in mover.tenant.world.accounts.values() if a.display_name == "Sam Ortiz")
    flow_of(mover, "Nightly stock check").owner_id = sam.object_id
    mover.tenant.world.changed()
    plan = await planned(mover)

    await mover.go(plan)

    [new] = [
        one for one in mover.tenant.world.connections.values() if one.display_name.startswith("holdfast/")
    ]
    dana = next(a for a in mover.tenant.world.accounts.values() if a.display_name == "Dana Kim")
    assert {(each.principal_id, each.role) for each in new.shares} == {
        (dana.object_id, "CanView"),
        (sam.object_id, "CanView"),
    }


# --- flows that a person starts --------------------------------------------------------------------------


def ran(mover: Mover, name: str) -> int:
    return len(runs_of(mover.tenant.world, flow_of(mover, name), mover.tenant.now))


async def test_where_the_operator_is_their_owner_flows_are_started_and_not_waited_for(mover: Mover):
    plan = await planned(mover, starts=True)
    mover.person = PersonInProcess(mover.tenant, "Dana Kim", mover.fate)
    before = ran(mover, "Nightly order import"), ran(mover, "Nightly stock check")

    await mover.go(plan)
    mover.tenant.advance(minutes=31)
    found = the(await mover.go(plan, wait=NO_WAIT))

    assert found.state == "done"
    assert (ran(mover, "Nightly order import"), ran(mover, "Nightly stock check")) == (
        before[0] + 1,
        before[1] + 1,
    )


@pytest.mark.parametrize("what", ["kill", "lose"])
async def test_no_flow_is_started_twice(mover: Mover, what: str):
    plan = await planned(mover, starts=True)
    mover.person = PersonInProcess(mover.tenant, "Dana Kim", mover.fate)
    before = ran(mover, "Nightly order import"), ran(mover, "Nightly stock check")
    twin = Mover(TenantInProcess(pickle.dumps(mover.tenant.world), mover.tenant.tenant.keys))
    twin.person = PersonInProcess(twin.tenant, "Dana Kim", twin.fate)
    await twin.journal.keep(plan)
    await twin.go(plan)
    starts = frozenset(at for at, call in enumerate(twin.fate.log, 1) if call == "start a run")
    mover.fate.kills, mover.fate.losses = (starts, frozenset()) if what == "kill" else (frozenset(), starts)
    mover.fate.calls = 0

    await mover.to_a_kill(plan)
    mover.fate.kills = mover.fate.losses = frozenset()
    await mover.go(plan)

    assert (ran(mover, "Nightly order import"), ran(mover, "Nightly stock check")) == (
        before[0] + 1,
        before[1] + 1,
    )


async def test_a_flow_of_somebody_else_waits_for_its_own_time(mover: Mover):
    plan = await planned(mover, starts=True)
    mover.person = PersonInProcess(mover.tenant, "Sam Ortiz", mover.fate)
    before = ran(mover, "Nightly order import")

    found = the(await mover.go(plan))

    assert (found.state, found.step, ran(mover, "Nightly order import")) == ("waiting", "watch", before)
    assert the(await mover.to_the_end(plan)).state == "done"


# --- the watch -------------------------------------------------------------------------------------------


async def test_a_flow_that_turns_red_is_moved_back(mover: Mover):
    plan, before = await planned(mover), binding(mover)
    await mover.go(plan)
    assert binding(mover) != before
    name = str(plan.steps[1].arguments["name"])
    mover.tenant.event("sql_drop_user", f"{SERVER}/erp", user=name)
    mover.tenant.advance(hours=26)

    found = the(await mover.go(plan, wait=NO_WAIT))

    assert (found.state, found.step) == ("refused", "watch")
    assert "moved back" in found.says
    assert binding(mover) == before
    again = the(await mover.go(plan, wait=NO_WAIT))
    assert (again.state, binding(mover)) == ("refused", before)
    await undone(mover, plan)


async def test_flows_that_keep_their_old_connection_until_switched_off_and_on_are_moved_too(mover: Mover):
    plan, old = await planned(mover), binding(mover)
    mover.tenant.world.flips.append("rebinding_reaches_flows_at_once")

    assert the(await mover.to_the_end(plan)).state == "done"

    for name in ("Nightly order import", "Nightly stock check"):
        flow = flow_of(mover, name)
        assert (flow.state, {named.pinned for named in flow.connections.values()}) == ("Started", {None})
    assert binding(mover) != old
    await undone(mover, plan)


async def test_what_a_rotation_keeps_meanwhile_outlives_the_last_look_and_goes_with_the_application(
    mover: Mover,
):
    """A flow that runs once a month is watched for a month, and its secret may be renewed by then."""
    plan = await planned(mover)
    await until(mover, plan, "watch")
    [kept] = await mover.secrets.names()
    rotated = kept.rpartition("/")[0] + "/of-a-rotation"
    await mover.secrets.write(rotated, Secret("text"))

    assert the(await mover.to_the_end(plan)).state == "done"
    assert await mover.secrets.names() == tuple(sorted((kept, rotated)))

    await undone(mover, plan)
    assert await mover.secrets.names() == ()
