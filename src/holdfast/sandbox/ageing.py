"""What time and administrators do to the world (pure)."""
