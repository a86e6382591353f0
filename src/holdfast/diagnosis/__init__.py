"""Why connections break: evidence in, verdicts and horizons out. Pure."""
