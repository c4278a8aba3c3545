"""Keys of advisory locks on a PostgreSQL server."""

from __future__ import annotations

import hashlib


def lock_key(scope: str, name: str) -> int:
    """Return the key of an advisory lock: 64 bits with a sign.

    Args:
        scope: what the lock belongs to, such as the schema of a host.
        name: name of the lock.
    """
    digest = hashlib.sha256(f"monitor/{scope}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
