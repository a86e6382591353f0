"""A pretend cloud with its own clock. It imports the shapes of `wire` and nothing else of ours.

`embedded` starts a tenant in this process and gives its ready mapping; `holdfast sandbox up` is the same thing
with a file and a signal around it.
"""

from holdfast.sandbox.embedding import embedded
from holdfast.sandbox.snapshot import SandboxError

__all__ = ["SandboxError", "embedded"]
