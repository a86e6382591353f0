"""Entra: who may sign in, what their tokens are worth, and what administrators do to accounts and applications."""
