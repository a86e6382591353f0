"""A small part of the backtest that `python -m bench backtest` runs whole: what was foretold, and what came."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

from bench import bench_backtest as backtest
from holdfast.adapters.cloud import transport
from tests.e2e.tenants import NOON

SIZE = 48
DAYS = 240


def test_what_breaks_was_foretold_a_week_before_and_what_was_foretold_breaks(monkeypatch):
    monkeypatch.setattr(backtest, "DAYS", DAYS)
    # The backtest replaces it for good; so it is put back.
    monkeypatch.setattr(transport, "AsyncLimiter", vars(transport)["AsyncLimiter"])
    table: defaultdict[str, backtest.Tally] = defaultdict(backtest.Tally)

    began, ended, watched = backtest.lived(0, SIZE, NOON)
    backtest.graded(began, ended, watched, table)

    assert ended - began == timedelta(days=DAYS)
    foreseeable = [table[cause] for cause in backtest.FORESEEABLE]
    assert sum(len(each.leads) for each in foreseeable) >= 5
    assert [(each.missed, each.wrong) for each in foreseeable] == [(0, 0)] * len(foreseeable)
    assert table["token_inactive"].due > 0
