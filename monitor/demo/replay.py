"""Replay of a trace: clock and source of the samples."""

from __future__ import annotations

import math

import numpy as np

from monitor.sampling.sources import Values
from monitor.sampling.trace_reader import Trace


class ReplayClock:
    """Clock that the replay sets; returns seconds since the epoch.

    Attributes:
        now: current time of the trace in seconds since the epoch.
    """

    def __init__(self, now: float) -> None:
        """Initialize the clock."""
        self.now = now

    def __call__(self) -> float:
        """Return the current time of the trace."""
        return self.now


class TraceSource:
    """Source that yields the row of a trace at the time of a clock."""

    name = "trace"
    optional = True

    def __init__(self, trace: Trace, clock: ReplayClock) -> None:
        """Initialize the source."""
        self.fields = trace.columns
        self._trace = trace
        self._clock = clock

    def read(self) -> list[float]:
        """Return the values of the row at the current time; NaN if the trace has no such row."""
        row = int(np.searchsorted(self._trace.times, self._clock()))
        if row == len(self._trace.times) or self._trace.times[row] != self._clock():
            return [math.nan] * len(self.fields)
        values: list[float] = self._trace.values[row].tolist()
        return values

    def compute(self, reading: list[float], at: float, max_age: float) -> Values:  # noqa: ARG002
        """Return the values by field; None for a missing value."""
        return {
            field: None if math.isnan(value) else value for field, value in zip(self.fields, reading, strict=True)
        }
