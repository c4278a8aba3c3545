"""Import summary: totals of an import, and the gaps between its rows."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from model.features.spacing import GAP_FACTOR
from monitor.sampling.history_spacing import median_spacing
from monitor.sampling.trace_format.statistics import TraceStatistics
from monitor.sampling.trace_importer import ImportCounts
from monitor.sampling.trace_reader import TraceRows
from storage import SAMPLE_FIELDS

Array = npt.NDArray[np.float64]


class HistorySource(StrEnum):
    """Origin and format of imported rows."""

    CSV = "csv"
    SADF = "sadf"
    PROMETHEUS_JSON = "prometheus_json"
    PROMETHEUS = "prometheus"


@dataclass
class ImportSummary:
    """Totals of one import.

    Attributes:
        counts: numbers of stored rows and values.
        statistics: numbers of rows and invalid cells.
        ignored: names of columns and series that were not read.
        times: for each part, the times of its rows with a value, in seconds since the epoch.
        all_times: for each part, the times of all its rows.
        fields: fields with at least one value.
    """

    counts: ImportCounts = field(default_factory=ImportCounts)
    statistics: TraceStatistics = field(default_factory=TraceStatistics)
    ignored: tuple[str, ...] = ()
    times: list[Array] = field(default_factory=list)
    all_times: list[Array] = field(default_factory=list)
    fields: set[str] = field(default_factory=set)

    def add(self, rows: TraceRows, counts: ImportCounts) -> None:
        """Add one part and the result of its import."""
        has_value = ~np.isnan(rows.values)
        self.fields |= {name for name, column in zip(rows.columns, has_value.T, strict=True) if column.any()}
        self.times.append(rows.times[has_value.any(axis=1)])
        self.all_times.append(rows.times)
        self.ignored += tuple(name for name in rows.ignored if name not in self.ignored)
        self.statistics.add(rows.counts)
        for key in fields(ImportCounts):
            setattr(self.counts, key.name, getattr(self.counts, key.name) + getattr(counts, key.name))

    @property
    def missing_fields(self) -> tuple[str, ...]:
        """Return the fields without any value."""
        return tuple(name for name in SAMPLE_FIELDS if name not in self.fields)

    @property
    def spacing(self) -> float | None:
        """Return the median seconds between two rows with a value; None if they have fewer than three times."""
        return median_spacing(np.concatenate(self.times)) if self.times else None

    @property
    def period(self) -> tuple[float, float] | None:
        """Return the first and the last time of all rows; None if there are no rows."""
        filled = [times for times in self.all_times if len(times)]
        if not filled:
            return None
        return float(min(times.min() for times in filled)), float(max(times.max() for times in filled))

    def gaps(self) -> Array:
        """Return start and end (gaps, 2) of each interval without rows longer than GAP_FACTOR spacings, by time."""
        spacing = self.spacing
        if spacing is None:
            return np.empty((0, 2))
        times = np.unique(np.concatenate(self.times))
        after = np.flatnonzero(np.diff(times) > GAP_FACTOR * spacing)
        return np.column_stack((times[after], times[after + 1]))


def summary_of(rows: TraceRows, counts: ImportCounts) -> ImportSummary:
    """Return the summary of an import with one part."""
    summary = ImportSummary()
    summary.add(rows, counts)
    return summary
