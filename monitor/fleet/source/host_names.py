"""Host names: valid values of the host label, and batches of hosts for one query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

MAX_NAME_LENGTH = 256
"""Longest name of a host in characters."""

BATCH_HOSTS = 100
"""Largest number of hosts of one range query."""

BATCH_CHARACTERS = 2000
"""Largest length of all names in one range query. An expression may contain them five times, and VictoriaMetrics
refuses queries above 16 KiB."""


def is_valid_name(name: str) -> bool:
    """Return True if a value of the host label can name a host: printable, and of limited length."""
    return 0 < len(name) <= MAX_NAME_LENGTH and name.isprintable()


def batches(hosts: Iterable[str]) -> Iterator[list[str]]:
    """Yield the distinct hosts in their order, in batches of limited number and length."""
    batch: list[str] = []
    characters = 0
    for host in dict.fromkeys(hosts):
        if batch and (len(batch) == BATCH_HOSTS or characters + len(host) > BATCH_CHARACTERS):
            yield batch
            batch = []
            characters = 0
        batch.append(host)
        characters += len(host)
    if batch:
        yield batch
