"""Read once, from file and environment, into one frozen Settings."""
