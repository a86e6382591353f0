"""What exists: frozen values and arithmetic. Standard library only, no I/O, clock, chance or logging."""
