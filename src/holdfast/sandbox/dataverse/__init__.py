"""Dataverse: flows in solutions, connection references, runs and users."""
