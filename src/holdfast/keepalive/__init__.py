"""Keep them alive: for whom it helps, which flow does it, and whether it did."""
