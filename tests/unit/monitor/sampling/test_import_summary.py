"""Totals of an import over its parts."""

import numpy as np
import pytest

from monitor.sampling.import_summary import ImportSummary
from monitor.sampling.trace_format.statistics import TraceStatistics
from monitor.sampling.trace_importer import ImportCounts
from monitor.sampling.trace_reader import TraceRows

pytestmark = pytest.mark.unit


def part(times, values, column="cpu_usage", **statistics):
    counts = TraceStatistics(rows=len(times), **statistics)
    return TraceRows((column,), np.array(times, dtype=float), np.array(values)[:, None], counts, ignored=("x",))


def test_parts_are_added():
    summary = ImportSummary()
    summary.add(part([10.0, 20.0, 30.0], [0.1, 0.2, np.nan], bad_cells=1), ImportCounts(added=2, without_value=1))
    summary.add(part([60.0, 70.0], [0.1, 0.2], "disk_busy", bad_cells=2), ImportCounts(added=1, repeated=1))
    assert (summary.statistics.rows, summary.statistics.bad_cells, summary.ignored) == (5, 3, ("x",))
    assert summary.counts == ImportCounts(added=3, repeated=1, without_value=1)
    assert (summary.fields, summary.spacing, summary.period) == ({"cpu_usage", "disk_busy"}, 10.0, (10.0, 70.0))
    assert summary.gaps().tolist() == [[20.0, 60.0]]
    assert "cpu_usage" not in summary.missing_fields


def test_summary_without_rows_is_empty():
    summary = ImportSummary()
    assert (summary.spacing, summary.period, summary.gaps().tolist()) == (None, None, [])
    summary.add(part([], []), ImportCounts())
    assert (summary.spacing, summary.period, summary.gaps().tolist()) == (None, None, [])
