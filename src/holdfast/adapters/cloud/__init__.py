"""The one door to the cloud and what goes through it. `connect.connect` opens it."""
