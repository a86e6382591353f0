"""The one door to SQL servers: two drivers, of which one is always there, behind one way to ask."""
