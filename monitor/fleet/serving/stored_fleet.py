"""Stored fleet: state of the fleet as of the database, for the commands."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import quote

import numpy as np

from monitor import release
from monitor.config.loader import Config
from monitor.documents.fleet import FleetDocument, FleetHostDetailsDocument, FleetStatusDocument
from monitor.fleet.process.host_table import HostTable, empty_table
from monitor.fleet.process.recorder import STORAGE_INTERVAL, prediction_interval
from monitor.fleet.process.state import CycleState, FleetState, current_table
from monitor.fleet.serving.api import FLEET_PATH, HOST_PREFIX
from monitor.fleet.serving.host_documents import status_document
from monitor.queries.port_probe import PROBE_ADDRESSES, request
from monitor.system.json_codec import DecodeError, from_plain
from storage.fleet.records import FleetHost, HostPrediction
from storage.fleet.repository import FleetRepository

Document = TypeVar("Document")

PATIENCE = 1.0
"""Longest time in seconds to wait for the fleet process."""


def read_stored_fleet(repository: FleetRepository, config: Config, now: float) -> FleetState:
    """Return the stored fleet as a state: without samples, curves and counters.

    Hosts are stale as in the running process, but later by the time that a prediction may need to reach the database.

    Args:
        repository: stored fleet.
        config: configuration of the fleet.
        now: current time in seconds since the epoch.

    Raises:
        StorageError: the database cannot be read.
    """
    table = stored_table(repository.hosts(), repository.predictions())
    lag = prediction_interval(len(table.hosts), len(table.horizons)) + 2 * STORAGE_INTERVAL
    return FleetState(
        version=release(),
        python=platform.python_version(),
        config=config,
        started_at=0.0,
        table=current_table(table, config, CycleState(), now - lag),
        warnings=tuple(repository.active_warnings()),
    )


def stored_table(hosts: Sequence[FleetHost], predictions: Sequence[HostPrediction]) -> HostTable:
    """Return the host table of stored records; its newest step is that of the newest record."""
    table = empty_table(())
    if not hosts:
        return table
    rows = {host.host: row for row, host in enumerate(hosts)}
    horizons = tuple(sorted({prediction.horizon for prediction in predictions}))
    shape = (len(hosts), len(horizons))
    last_seen = np.array([host.last_seen for host in hosts])
    arrays: dict[str, Any] = {name: np.full(shape, np.nan) for name in ("probabilities", "base_rates", "thresholds")}
    warnings = np.zeros(shape, bool)
    high = np.zeros(len(hosts), bool)
    models = np.full(len(hosts), "", "U16")
    for prediction in predictions:
        row = rows[prediction.host]
        cell = row, horizons.index(prediction.horizon)
        arrays["probabilities"][cell] = prediction.probability
        arrays["base_rates"][cell] = np.nan if prediction.base_rate is None else prediction.base_rate
        arrays["thresholds"][cell] = prediction.threshold
        warnings[cell] = prediction.warning
        high[row] = prediction.high
        models[row] = prediction.model
        last_seen[row] = max(last_seen[row], prediction.at)
    return replace(
        table,
        hosts=tuple(rows),
        horizons=horizons,
        time=float(last_seen.max()),
        first_seen=np.array([host.first_seen for host in hosts]),
        last_seen=last_seen,
        values=np.empty((len(hosts), 0)),
        warnings=warnings,
        high=high,
        models=models,
        recent=np.full((len(hosts), table.recent.shape[1]), np.nan, np.float32),
        rows=rows,
        **arrays,
    )


def stored_status(state: FleetState, *, running: bool) -> FleetStatusDocument:
    """Return the status of a stored fleet.

    Args:
        state: result of `read_stored_fleet`.
        running: True if a process holds the database.
    """
    document = status_document(state)
    return replace(document, running=running, started_at=None, working=None, source=None, cycle_seconds=None)


def read_live_fleet_status(config: Config) -> FleetStatusDocument | None:
    """Ask the process for its status; None if it does not answer in time or wants a password."""
    return _live(FleetStatusDocument, config, "/api/v1/status")


def read_live_hosts(config: Config, limit: int) -> FleetDocument | None:
    """Ask the process for at most `limit` hosts by risk; None if it does not answer in time or wants a password."""
    return _live(FleetDocument, config, f"{FLEET_PATH}?limit={limit}")


def read_live_host(config: Config, host: str) -> FleetHostDetailsDocument | None:
    """Ask the process for one host; None if it does not answer in time, wants a password, or lacks the host."""
    return _live(FleetHostDetailsDocument, config, f"{HOST_PREFIX}{quote(host, safe='')}")


def _live(kind: type[Document], config: Config, path: str) -> Document | None:
    host, port = config.web.address
    response = request(PROBE_ADDRESSES.get(host, host), port, path, PATIENCE)
    if response.code != 200:
        return None
    try:
        return from_plain(kind, json.loads(response.body))
    except (ValueError, DecodeError, RecursionError):
        # Another program, or another release.
        return None
