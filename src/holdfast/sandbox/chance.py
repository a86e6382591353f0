"""Seeded chance (pure): the same seed and names give the same draw, however often it is asked."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from functools import lru_cache
from hashlib import blake2b


def _bytes(size: int, *names: object) -> bytes:
    return blake2b("\x1f".join(map(str, names)).encode(), digest_size=size).digest()


def draw(seed: int, *names: object) -> float:
    """A number from 0 up to but not including 1."""
    return int.from_bytes(_bytes(7, "draw", seed, *names), "big") / (1 << 56)


def draws(seed: int, count: int, *names: object) -> tuple[float, ...]:
    """As many independent numbers, at most 16, from 0 up to but not including 1."""
    lots = _bytes(4 * count, "draws", seed, *names)
    return tuple(int.from_bytes(lots[at : at + 4], "big") / (1 << 32) for at in range(0, 4 * count, 4))


def guid(seed: int, *names: object) -> str:
    """A lower-case GUID that has the marks of a random one (version 4)."""
    text = _bytes(16, "guid", seed, *names).hex()
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{variant}{text[17:20]}-{text[20:]}"


@lru_cache(maxsize=4096)
def secret(seed: int, length: int, *names: object) -> str:
    """A URL-safe text of `length` (at most 85) characters that is not written into the world, only derived."""
    return urlsafe_b64encode(_bytes(64, "secret", seed, *names)).decode().rstrip("=")[:length]
