"""Small real objects that play the ports in tests; held to the contract suites."""
