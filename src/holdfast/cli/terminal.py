"""Whether a terminal may be spoken to in more than words."""

from __future__ import annotations

import os


def is_plain() -> bool:
    """Whether nothing but text may be written, even to a terminal: no colour, no bold, nothing that moves.

    NO_COLOR counts where it is set to anything (no-color.org); a terminal that calls itself dumb obeys no codes.
    """
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
