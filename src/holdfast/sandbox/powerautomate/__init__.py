"""Power Automate: its own API, signed links, and what people do to flows."""
