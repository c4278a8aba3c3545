"""Fleet interfaces: the values that source, forecaster and serving exchange."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from model.array_types import Bools, Floats


@dataclass(frozen=True)
class FleetSample:
    """One sample of each host that has values at one step.

    Attributes:
        time: seconds since the epoch, a multiple of the step.
        hosts: (hosts,) values of the host label, sorted and distinct.
        values: (hosts, columns) in the order of `HostSource.columns`, NaN where missing.
    """

    time: float
    hosts: tuple[str, ...]
    values: Floats


@dataclass(frozen=True)
class HostHistory:
    """Part of the history of one host; the parts of a host arrive in time order and do not overlap.

    Attributes:
        host: value of the host label.
        times: (rows,) seconds since the epoch, increasing multiples of the step.
        values: (rows, columns) in the order of `HostSource.columns`, NaN where missing.
    """

    host: str
    times: Floats
    values: Floats


class HostSource(Protocol):
    """Source of the samples of many hosts."""

    @property
    def columns(self) -> tuple[str, ...]:
        """(columns,) names of sample fields, see `monitor.sampling.metric_catalog`."""
        ...

    @property
    def step(self) -> float:
        """Seconds between samples."""
        ...

    def read(self, time: float) -> FleetSample:
        """Return the sample of all hosts at a step.

        Args:
            time: seconds since the epoch, a multiple of the step.

        Raises:
            SourceError: the source gives no usable answer.
        """
        ...

    def history(self, hosts: Sequence[str], start: float, end: float) -> Iterator[HostHistory]:
        """Yield the histories of hosts with start <= time < end (seconds since the epoch).

        Raises:
            SourceError: the source gives no usable answer.
        """
        ...


@dataclass(frozen=True)
class FleetForecast:
    """Predictions of one step.

    Attributes:
        time: seconds since the epoch.
        hosts: (hosts,) values of the host label, in the order of the arrays.
        horizons: (horizons,) seconds.
        probabilities: (hosts, horizons) probability of high load within the horizon, NaN without a prediction.
        base_rates: (hosts, horizons) share of the host's history before high load within the horizon, NaN if too
            few outcomes are known.
        thresholds: (hosts, horizons) probability at which a warning starts.
        warnings: (hosts, horizons) True while a warning is active.
        high: (hosts,) True during high load.
        models: (hosts,) identifier of the serving model: "pretrained", "pooled" or "own".
    """

    time: float
    hosts: tuple[str, ...]
    horizons: tuple[float, ...]
    probabilities: Floats
    base_rates: Floats
    thresholds: Floats
    warnings: Bools
    high: Bools
    models: tuple[str, ...]


class FleetForecaster(Protocol):
    """Online forecasts of all hosts of a fleet."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Hosts that the forecaster follows, sorted."""
        ...

    def add(self, histories: Sequence[HostHistory]) -> None:
        """Follow hosts, with the newest part of their histories (may be empty); one history per host."""
        ...

    def remove(self, hosts: Sequence[str]) -> None:
        """Forget hosts."""
        ...

    def advance(self, sample: FleetSample) -> FleetForecast:
        """Append one sample and return the predictions of its hosts; hosts that are not followed are added first."""
        ...
