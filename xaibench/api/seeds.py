"""Seeds that depend on what is drawn for, never on order, batch or company."""

import hashlib


def seed_of(*parts: object) -> int:
    """Seed derived from what names the draw, so that neither order nor batch changes it: 0 .. 2**32 - 1."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")
