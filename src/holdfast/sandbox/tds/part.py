"""What SQL on the wire brings to the sandbox: no room, only rules."""

from __future__ import annotations

from holdfast.sandbox.frame import Part
from holdfast.sandbox.tds.signing_in import RULES

PART = Part("sql on the wire", rules=RULES)
