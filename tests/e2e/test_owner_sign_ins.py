"""Last uses dated by owners' sign-in logs, on a tenant whose platform hides every expiry: never narrower than the truth."""

from __future__ import annotations

import json
import random
import urllib.request
from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import replace

import pytest

from bench.forecast_tenant import tenant_of
from holdfast.adapters.cloud import transport
from holdfast.compose import compose
from holdfast.core.inventory import Connection
from holdfast.core.judgement import Judgement
from holdfast.core.witness import Source
from holdfast.reading.witnesses import expiry_witness
from holdfast.sandbox import embedded
from holdfast.sandbox.scenarios import named
from holdfast.scan import owners
from holdfast.scan.tenant import scan
from holdfast.settings.ready import from_ready
from tests.e2e.tenants import NOON

SIZE = 60
SOURCE = Source.OWNER_SIGN_IN


class Hiding:
    """A platform that tells no expiry; what it hid is kept to compare."""

    def __init__(self, platform) -> None:
        self._platform = platform
        self.hidden: dict[str, Connection] = {}

    def __getattr__(self, name):
        return getattr(self._platform, name)

    async def connections(self, environment, connector) -> AsyncIterator[Connection]:
        async for each in self._platform.connections(environment, connector):
            self.hidden[each.id] = each
            yield replace(each, token_expires_at=None)


@pytest.mark.parametrize("seed", [3, 4])
async def test_a_date_from_an_owners_log_holds_the_true_last_use(tmp_path, monkeypatch, seed):
    monkeypatch.setitem(named.SCENARIOS, "hidden", tenant_of(SIZE, 200, {}, random.Random(seed)))
    monkeypatch.setattr(owners, "MOST_OWNERS", SIZE)
    # The documented pace of the logs is in real seconds.
    monkeypatch.setattr(transport, "AsyncLimiter", lambda *_: nullcontext())
    dated = 0
    with (
        embedded("hidden", seed=seed, frozen=True, born_at=NOON) as ready,
        compose(from_ready(ready, tmp_path), {}) as holdfast,
    ):
        told(ready, "/faults", {"unkind": False})
        tenant = holdfast.chosen(None)
        for days in (3, 16, 40):
            told(ready, "/clock/advance", {"days": days})
            async with tenant.reached() as reach:
                hiding = Hiding(reach.platform)
                await scan(
                    tenant.id,
                    hiding,
                    reach.directory,
                    holdfast.history,
                    holdfast.clock,
                    holdfast.read,
                    fresh=True,
                )
                now = reach.platform.cloud_now()
                assert now is not None
            async for judgement in holdfast.history.current(tenant.id, Judgement):
                for witness in judgement.witnesses:
                    if witness.source is SOURCE:
                        truth = expiry_witness(hiding.hidden[judgement.connection], now)
                        assert truth is not None
                        assert witness.refreshed.earliest <= truth.refreshed.latest
                        assert truth.refreshed.earliest <= witness.refreshed.latest
                        dated += 1
    assert dated > SIZE / 4


def told(ready, path, body):
    request = urllib.request.Request(
        ready["control"] + path, json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)
