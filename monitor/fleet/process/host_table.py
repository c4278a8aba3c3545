"""Host table: newest values and predictions of all hosts of a fleet, as immutable arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from model.array_types import Bools, Floats
from monitor.fleet.interfaces import FleetForecast, FleetSample

RECENT_STEPS = 60
"""Number of newest probabilities that are kept for the curve of a host."""

STALE_STEPS = 3
"""Number of steps without a sample after which a host is stale."""


@dataclass(frozen=True)
class HostTable:
    """Hosts in the order in which they came, with their newest values and predictions.

    Attributes:
        hosts: (hosts,) values of the host label.
        columns: names of the sample fields.
        horizons: seconds.
        time: newest step, in seconds since the epoch; NaN before the first one.
        due: step that the clock has reached, in seconds since the epoch; NaN if it is not later than `time`.
        filled: True if the newest step was missed and filled later, so that it is in the past.
        first_seen: (hosts,) time of the first sample in this process.
        last_seen: (hosts,) time of the newest sample.
        values: (hosts, columns) newest sample, NaN where missing.
        probabilities: (hosts, horizons) newest predictions, NaN without one.
        base_rates: (hosts, horizons) usual probabilities, NaN if unknown.
        thresholds: (hosts, horizons) probabilities at which a warning starts.
        warnings: (hosts, horizons) True while a warning is active.
        high: (hosts,) True during high load.
        models: (hosts,) names of the serving models.
        recent: (hosts, RECENT_STEPS) probability for the middle horizon at the newest steps, oldest first.
        rows: row of each host.
    """

    hosts: tuple[str, ...]
    columns: tuple[str, ...]
    horizons: tuple[float, ...]
    time: float
    first_seen: Floats
    last_seen: Floats
    values: Floats
    probabilities: Floats
    base_rates: Floats
    thresholds: Floats
    warnings: Bools
    high: Bools
    models: np.ndarray[Any, np.dtype[np.str_]]
    recent: np.ndarray[Any, np.dtype[np.float32]]
    rows: Mapping[str, int] = field(repr=False, compare=False)
    due: float = np.nan
    filled: bool = False

    @property
    def risk_horizon(self) -> int:
        """Number of the horizon by whose probability hosts are ranked: the middle one."""
        return len(self.horizons) // 2

    def stale(self, step: float) -> Bools:
        """Return (hosts,) True for hosts without a sample in the newest STALE_STEPS steps of `step` seconds.

        The newest step is that of the clock, so that hosts become stale while the source is away.
        """
        newest = float(np.fmax(self.time, self.due))
        return newest - self.last_seen >= STALE_STEPS * step

    def predicted(self, step: float) -> Bools:
        """Return (hosts,) True for hosts that have a current prediction."""
        if not self.horizons:
            return np.zeros(len(self.hosts), bool)
        return ~self.stale(step) & np.isfinite(self.probabilities[:, self.risk_horizon])


def empty_table(columns: Sequence[str]) -> HostTable:
    """Return a table without hosts; its horizons are those of the first forecast."""
    return HostTable(
        hosts=(),
        columns=tuple(columns),
        horizons=(),
        time=np.nan,
        first_seen=np.empty(0),
        last_seen=np.empty(0),
        values=np.empty((0, len(columns))),
        probabilities=np.empty((0, 0)),
        base_rates=np.empty((0, 0)),
        thresholds=np.empty((0, 0)),
        warnings=np.empty((0, 0), bool),
        high=np.empty(0, bool),
        models=np.empty(0, "U16"),
        recent=np.empty((0, RECENT_STEPS), np.float32),
        rows={},
    )


def as_of(table: HostTable, due: float, step: float) -> HostTable:
    """Return the table at a later time; the same table if no further host is stale then.

    Args:
        table: table of the newest step.
        due: step that the clock has reached, in seconds since the epoch.
        step: seconds between samples.
    """
    if not due > table.time:
        return table
    later = replace(table, due=due)
    return table if np.array_equal(later.stale(step), table.stale(step)) else later


def updated(
    table: HostTable, sample: FleetSample, forecast: FleetForecast, step: float, *, filled: bool = False
) -> HostTable:
    """Return the table after one step; hosts that it lacks are appended.

    Args:
        table: table before the step.
        sample: samples of some hosts.
        forecast: predictions of the same hosts or of fewer.
        step: seconds between samples.
        filled: True for a missed step that is filled later.
    """
    table = _shifted(
        _extended(_with_horizons(table, forecast.horizons), sample.hosts, sample.time), sample.time, step
    )
    seen = _rows_of(table, sample.hosts)
    predicted = _rows_of(table, forecast.hosts)
    changed: dict[str, Any] = {
        "last_seen": _assigned(table.last_seen, seen, sample.time),
        "values": _assigned(table.values, seen, sample.values),
    }
    for name in ("probabilities", "base_rates", "thresholds", "warnings", "high", "models"):
        changed[name] = _assigned(getattr(table, name), predicted, getattr(forecast, name))
    if len(predicted):
        newest = forecast.probabilities[:, table.risk_horizon]
        changed["recent"] = _assigned(table.recent, (predicted, -1), newest)
    return replace(table, filled=filled, **changed)


def without(table: HostTable, hosts: Sequence[str]) -> HostTable:
    """Return the table without some hosts."""
    removed = set(hosts)
    kept = np.array([host not in removed for host in table.hosts], bool)
    arrays: dict[str, Any] = {name: getattr(table, name)[kept] for name in _ARRAYS}
    names = tuple(host for host in table.hosts if host not in removed)
    return replace(table, hosts=names, rows=_numbered(names), **arrays)


def _with_horizons(table: HostTable, horizons: tuple[float, ...]) -> HostTable:
    """Return the table for other horizons, without the predictions for the previous ones."""
    if table.horizons == horizons:
        return table
    shape = (len(table.hosts), len(horizons))
    empty = np.full(shape, np.nan)
    return replace(
        table,
        horizons=horizons,
        probabilities=empty,
        base_rates=empty,
        thresholds=empty,
        warnings=np.zeros(shape, bool),
        recent=np.full((shape[0], RECENT_STEPS), np.nan, np.float32),
    )


def _extended(table: HostTable, hosts: Sequence[str], time: float) -> HostTable:
    new = [host for host in hosts if host not in table.rows]
    if not new:
        return table
    arrays: dict[str, Any] = {}
    for name, fill in _ARRAYS.items():
        array = getattr(table, name)
        value = time if name == "first_seen" else fill
        arrays[name] = np.concatenate([array, np.full((len(new), *array.shape[1:]), value, array.dtype)])
    names = (*table.hosts, *new)
    return replace(table, hosts=names, rows=_numbered(names), **arrays)


def _shifted(table: HostTable, time: float, step: float) -> HostTable:
    """Return the table at another time, whose recent probabilities have moved by the steps between."""
    steps = 0 if np.isnan(table.time) else round((time - table.time) / step)
    if steps <= 0:
        return replace(table, time=time if np.isnan(table.time) else max(time, table.time))
    recent = np.full_like(table.recent, np.nan)
    if steps < RECENT_STEPS:
        recent[:, :-steps] = table.recent[:, steps:]
    return replace(table, time=time, recent=recent)


def _rows_of(table: HostTable, hosts: Sequence[str]) -> Any:
    return np.fromiter((table.rows[host] for host in hosts), np.intp, len(hosts))


def _assigned(array: Any, rows: Any, values: Any) -> Any:
    """Return a copy of an array with other values in some rows."""
    copy = array.copy()
    copy[rows] = values
    return copy


def _numbered(hosts: Sequence[str]) -> dict[str, int]:
    return {host: row for row, host in enumerate(hosts)}


_ARRAYS: dict[str, Any] = {
    "first_seen": np.nan,
    "last_seen": np.nan,
    "values": np.nan,
    "probabilities": np.nan,
    "base_rates": np.nan,
    "thresholds": np.nan,
    "warnings": False,
    "high": False,
    "models": "",
    "recent": np.nan,
}
"""Arrays with the hosts as their first axis, and the values of a new host."""
