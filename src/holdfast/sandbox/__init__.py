"""A pretend cloud with its own clock. It imports the shapes of `wire` and nothing else of ours."""
