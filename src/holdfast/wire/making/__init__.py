"""The calls that plans are carried out with: what they make, change and remove, and what they look at to be sure.

A part of the ledger, apart from what only ever reads.
"""

from __future__ import annotations

from typing import Final

from holdfast.wire.call import Call
from holdfast.wire.making.applications import APPLICATIONS
from holdfast.wire.making.connections import CONNECTIONS
from holdfast.wire.making.dataverse import ROWS

MAKING: Final[tuple[Call, ...]] = (*APPLICATIONS, *CONNECTIONS, *ROWS)
