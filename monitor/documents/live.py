"""Live documents: state that only the memory of a running daemon has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.config.loader import Config
from monitor.documents.storage import StorageStatus
from monitor.queries.port_probe import PROBE_ADDRESSES, request
from monitor.system.json_codec import DecodeError, from_plain

if TYPE_CHECKING:
    # Imports the forecasting model, which `monitor status` does not need.
    from monitor.state import JobState

PATH = "/api/v1/status"

PATIENCE = 1.0
"""Longest time in seconds to wait for the daemon."""


@dataclass(frozen=True)
class HungJob:
    """Job whose run takes longer than its deadline, or whose runs have stopped.

    Attributes:
        job: name of the job.
        since: start of the run, or end of the last run, in seconds since the epoch.
    """

    job: str
    since: float


@dataclass(frozen=True)
class LiveStatus:
    """Part of the status document that is not in the database.

    Attributes:
        sampling: True if the daemon takes samples, stored or not.
        storage: state of the writes to the database.
        hung_jobs: jobs that hang.
    """

    sampling: bool
    storage: StorageStatus
    hung_jobs: tuple[HungJob, ...]


def hung_jobs(jobs: Mapping[str, JobState]) -> tuple[HungJob, ...]:
    """Return the jobs that hang, ordered by name."""
    return tuple(
        HungJob(name, state.hung_since) for name, state in sorted(jobs.items()) if state.hung_since is not None
    )


def read_live_status(config: Config) -> LiveStatus | None:
    """Ask the daemon at the configured address; None if it does not answer in time or wants a password."""
    host, port = config.web.address
    response = request(PROBE_ADDRESSES.get(host, host), port, PATH, PATIENCE)
    if response.code != 200:
        return None
    try:
        return from_plain(LiveStatus, json.loads(response.body))
    except (ValueError, DecodeError, RecursionError):
        # Another program, or another release.
        return None
