"""One round over several tenants: what stands in one tenant's way stops no other."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from holdfast.core.errors import SettingsError, StoreError
from holdfast.engine.watching import Watched, Watching
from tests.builders import START


class ToldEngine:
    """Has nothing left to do, and notes which tenants it was asked to go round."""

    def __init__(self) -> None:
        self.rounds: list[str] = []

    async def mend(self) -> None: ...
    async def tidy(self) -> None: ...
    async def take_up(self, tenant, now) -> None: ...

    async def left(self):
        return []

    async def round(self, tenant, now, *, ahead=False):
        self.rounds.append(tenant)
        return []


async def measured():
    return timedelta(0)


def failing(error):
    async def skew():
        raise error

    return skew


def watching(engine, first):
    tenants = {
        "a": Watched("a", "contoso", first),
        "b": Watched("b", "fabrikam", measured),
    }
    return Watching(engine, tenants, lambda: START, lambda at, said: None)


async def test_a_tenant_whose_settings_cannot_be_used_does_not_keep_the_others_from_their_round():
    engine = ToldEngine()

    await watching(engine, failing(SettingsError("The certificate file is gone."))).once(asyncio.Event())

    assert engine.rounds == ["a", "b"]


async def test_a_store_that_does_not_answer_ends_the_round():
    with pytest.raises(StoreError):
        await watching(ToldEngine(), failing(StoreError("The disk is full."))).once(asyncio.Event())
