"""Sharding: hosts of each fleet process, by the hash of the relabelling action hashmod."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

SEPARATOR = ";"
"""Default `separator` of a relabelling rule, between the values of several labels."""

HASH_BYTES = 8


def hashmod(values: Sequence[str], modulus: int) -> int:
    """Return the result of the relabelling action hashmod of Prometheus.

    It is the number in the last eight bytes of the MD5 digest, in big-endian order, modulo `modulus`
    (model/relabel/relabel.go of Prometheus).

    Args:
        values: values of the source labels.
        modulus: at least 1.
    """
    digest = hashlib.md5(SEPARATOR.join(values).encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[-HASH_BYTES:], "big") % modulus


def in_shard(host: str, shard: int, shards: int) -> bool:
    """Return True if a host belongs to a shard."""
    return shards == 1 or hashmod((host,), shards) == shard
