"""What the sandbox consists of, one line per part. The order is the order in which the cloud would answer."""

from __future__ import annotations

from holdfast.sandbox import powerplatform
from holdfast.sandbox.frame import Part

PARTS: tuple[Part, ...] = (powerplatform.PART,)
