"""State of the remote write."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RemoteWriteState:
    """Counters of the remote write since the start.

    Attributes:
        sent: number of requests that the server accepted.
        failures: number of failed requests, which are repeated.
        dropped: number of requests that were given up: refused by the server, or too many waited.
        pending: number of requests that wait.
        error: error of the newest request; None if it succeeded.
    """

    sent: int = 0
    failures: int = 0
    dropped: int = 0
    pending: int = 0
    error: str | None = None
