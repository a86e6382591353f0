"""Old work is forgotten: the engine itself keeps every workflow for ever."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from dbos import DBOS

from holdfast.ports import Agenda

KEPT: Final = timedelta(days=30)
"""How long a finished run is kept, to answer what was done."""

AT_ONCE: Final = 1000


async def tidy(agenda: Agenda, now: datetime) -> int:
    """Forget what was finished before; how many workflows."""
    before, removed = now - KEPT, 0
    await agenda.prune(before)
    while True:
        old = await DBOS.list_workflows_async(
            completed_before=before.isoformat(),
            status=["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
            limit=AT_ONCE,
            load_input=False,
            load_output=False,
        )
        if not old:
            return removed
        await DBOS.delete_workflows_async([each.workflow_id for each in old])
        removed += len(old)
