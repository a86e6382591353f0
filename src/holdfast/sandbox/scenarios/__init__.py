"""Named worlds, and what they are built with."""
