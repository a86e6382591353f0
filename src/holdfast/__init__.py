"""holdfast knows before a Power Automate SQL connection breaks."""

# A constant, not importlib.metadata: reading metadata costs 40 ms on every start.
__version__ = "0.1.0"
