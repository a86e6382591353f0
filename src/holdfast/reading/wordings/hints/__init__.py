"""Which two words near each other hint at which state: a thing, and what is wrong with it."""

from __future__ import annotations

from typing import Final

from holdfast.reading.wordings.hints.data import DATA
from holdfast.reading.wordings.hints.pair import Pair as Pair
from holdfast.reading.wordings.hints.rights import RIGHTS
from holdfast.reading.wordings.hints.servers import SERVERS
from holdfast.reading.wordings.hints.sign_ins import SIGN_INS

PAIRS: Final = (*SIGN_INS, *RIGHTS, *SERVERS, *DATA)
"""All pairs. Where two are equally near, the earlier one speaks."""
