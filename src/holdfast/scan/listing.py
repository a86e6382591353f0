"""Flows by Power Automate's own list, which only a person may ask: what the reader does not see is read one by one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import replace
from typing import Final

from holdfast.core.errors import CloudError, MissingError, RefusedError
from holdfast.core.inventory import Environment, FlowId, ListedFlow
from holdfast.ports import FlowList

AT_ONCE: Final = 8
"""Definitions read at the same time; the transport's limiters set the pace."""

MOST_REFUSALS: Final = 3
"""After so many environments refused the list and none gave it, the person may not have any."""


class Listing:
    """Asks for the lists of environments, each once; it stops asking when nothing but refusals comes."""

    def __init__(self, source: FlowList) -> None:
        self._source = source
        self._refusals: list[RefusedError] = []
        self._is_answered = False

    async def of(
        self, environment: Environment, shown: Collection[FlowId], known: Mapping[FlowId, ListedFlow]
    ) -> AsyncIterator[ListedFlow]:
        """Every flow of an environment; those that the reader does not show with their connections.

        Args:
            shown: what the reader showed and could read, whose definitions are not read again.
            known: by id, as last listed; a definition that has not changed since is not read again either.

        Raises:
            CloudError: the list broke off; or a definition was refused, after the rest was given.
        """
        if len(self._refusals) >= MOST_REFUSALS and not self._is_answered:
            raise self._refusals[0]
        unread: list[ListedFlow] = []
        try:
            async for listed in self._source.flows(environment):
                self._is_answered = True
                before = known.get(listed.id)
                if listed.id in shown:
                    yield listed
                elif before is not None and _is_unchanged(before, listed):
                    yield _defined(listed, before)
                else:
                    unread.append(listed)
            self._is_answered = True
        except RefusedError as error:
            self._refusals.append(error)
            raise
        refused: CloudError | None = None
        for start in range(0, len(unread), AT_ONCE):
            for listed, whole in await self._wholes(environment, unread[start : start + AT_ONCE]):
                if isinstance(whole, RefusedError):
                    refused = refused or whole
                    yield listed
                elif whole is not None:
                    yield _defined(listed, whole)
        if refused is not None:
            raise refused

    async def _wholes(
        self, environment: Environment, some: Collection[ListedFlow]
    ) -> list[tuple[ListedFlow, ListedFlow | RefusedError | None]]:
        """Each with its definition; None for one that was removed meanwhile."""
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._whole(environment, listed)) for listed in some]
        except BaseExceptionGroup as failures:
            # The first to fail stopped the others; it is what went wrong.
            raise failures.exceptions[0] from failures
        return [(listed, task.result()) for listed, task in zip(some, tasks, strict=True)]

    async def _whole(self, environment: Environment, listed: ListedFlow) -> ListedFlow | RefusedError | None:
        try:
            return await self._source.flow(environment.id, FlowId(listed.name or listed.id))
        except MissingError:
            return None
        except RefusedError as error:
            return error


def _is_unchanged(before: ListedFlow, now: ListedFlow) -> bool:
    return before.is_readable and now.modified_at is not None and before.modified_at == now.modified_at


def _defined(listed: ListedFlow, whole: ListedFlow) -> ListedFlow:
    """As listed, with what only the whole flow tells."""
    return replace(
        listed,
        bindings=whole.bindings,
        is_readable=whole.is_readable,
        recurrence=whole.recurrence,
        operations=whole.operations,
    )
