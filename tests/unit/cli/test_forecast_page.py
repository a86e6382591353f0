"""The chart of what breaks when, as a file to open."""

from __future__ import annotations

import pytest

from holdfast.cli.main import run
from tests.builders import (
    a_connection,
    a_flow,
    a_reference,
    a_secret,
    an_app,
    an_app_connection,
    an_environment,
    day,
)
from tests.fakes.holdfast import ToldHoldfast
from tests.nasty import NASTY


@pytest.fixture
def holdfast(monkeypatch):
    told = ToldHoldfast("contoso")
    told.tenants["contoso"].cloud.listed = [
        an_environment("sales", dataverse_url="https://s.crm.dynamics.com")
    ]
    monkeypatch.setattr("holdfast.cli.session.opened", told.opened)
    return told


def drawn(holdfast, tmp_path, *held):
    cloud = holdfast.tenants["contoso"].cloud
    cloud.held, cloud.apps = list(held), [an_app(a_secret(expires=40))]
    file = tmp_path / "page.html"
    run(["scan"])
    run(["forecast", "--html", str(file)])
    return file.read_text(encoding="utf-8")


def test_what_breaks_has_a_bar_with_its_date(holdfast, tmp_path, capsys):
    page = drawn(holdfast, tmp_path, an_app_connection(display_name="ERP export"))

    assert page.count('<rect class="bar expected"') == 1
    assert "ERP export" in page
    assert f"{day(40):%Y-%m-%d} secret expired" in page


def test_what_was_used_lately_is_counted_and_not_drawn(holdfast, tmp_path, capsys):
    page = drawn(holdfast, tmp_path, a_connection())

    assert "<rect" not in page
    assert "1 sign-ins that were used" in page


@pytest.mark.parametrize("name", [name for name in NASTY.values() if "\ud800" not in name])
def test_a_hostile_name_stays_text(holdfast, tmp_path, capsys, name):
    page = drawn(holdfast, tmp_path, an_app_connection(display_name=name))

    assert "<script>" not in page
    assert "<svg/onload" not in page
    assert "\x1b" not in page


def test_what_costs_most_runs_comes_first_where_that_is_asked(holdfast, capsys):
    import json

    cloud = holdfast.tenants["contoso"].cloud
    cloud.apps = [an_app(a_secret(expires=40)), an_app(a_secret("k2", expires=20), client_id="app-2")]
    cloud.held = [an_app_connection("busy"), an_app_connection("idle", client_id="app-2")]
    cloud.pointers = [a_reference("r", "busy")]
    cloud.automations = [a_flow("f", "r", every=("day", 1))]
    run(["scan"])
    capsys.readouterr()

    run(["forecast", "--by", "runs", "-o", "jsonl"])

    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["connection"], row["runs_lost_per_week"]) for row in rows] == [("busy", 7.0), ("idle", None)]
