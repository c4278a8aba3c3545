"""Documents of trace files and imports."""

from dataclasses import asdict

import numpy as np
import pytest

from monitor.documents.traces import ImportOrigin, trace_counts_document, trace_import_document
from monitor.sampling.import_summary import HistorySource, summary_of
from monitor.sampling.trace_format.statistics import BadCell
from monitor.sampling.trace_importer import ImportCounts
from monitor.sampling.trace_reader import TraceRows, TraceStatistics

pytestmark = pytest.mark.unit

COUNTS = TraceStatistics(
    rows=10,
    unordered=1,
    repeated=2,
    bad_cells=3,
    without_value=1,
    bad_cell_examples=[BadCell(4, "cpu_usage", "x")],
    lines_without_value=[4],
)
ORIGIN = ImportOrigin("x.csv", HistorySource.CSV)
IMPORTED = ImportCounts(1, 2, 3, 4, 5, 6, 7, 8)


def test_trace_document_has_every_count():
    plain = asdict(trace_counts_document(COUNTS))
    assert {key: list(value) if isinstance(value, tuple) else value for key, value in plain.items()} == asdict(COUNTS)


def test_import_document_has_every_count_and_the_period():
    rows = TraceRows(("cpu_usage",), np.array([5.0, 3.0]), np.array([[0.1], [0.2]]), COUNTS, ignored=("x",))
    document = asdict(trace_import_document(ORIGIN, summary_of(rows, IMPORTED), 5.0, dry_run=True))
    assert document.items() >= asdict(IMPORTED).items()
    assert (document["file"], document["dry_run"], document["ignored_columns"]) == ("x.csv", True, ("x",))
    assert (document["first_at"], document["last_at"], document["rows"]) == (3.0, 5.0, 10)


def test_import_document_without_rows_has_no_period():
    rows = TraceRows((), np.empty(0), np.empty((0, 0)), TraceStatistics())
    document = trace_import_document(ORIGIN, summary_of(rows, ImportCounts()), 5.0, dry_run=False)
    assert (document.first_at, document.last_at) == (None, None)
    assert (document.spacing, document.spacing_differs) == (None, False)


@pytest.mark.parametrize(("interval", "differs"), [(300.0, False), (5.0, True), (3600.0, True)])
def test_import_document_compares_the_spacing_of_rows_with_a_value_to_the_sampling_interval(interval, differs):
    times = 60.0 * np.arange(50)
    values = np.where(times % 300 == 0, 0.2, np.nan)[:, None]
    rows = TraceRows(("cpu_usage",), times, values, TraceStatistics())
    document = trace_import_document(ORIGIN, summary_of(rows, ImportCounts()), interval, dry_run=False)
    assert (document.spacing, document.sampling_interval, document.spacing_differs) == (300.0, interval, differs)


def test_import_document_lists_fields_and_gaps():
    times = np.array([0.0, 5.0, 10.0, 40.0, 45.0, 50.0, 500.0])
    rows = TraceRows(("swap_usage", "cpu_usage"), times, np.full((7, 2), [np.nan, 0.5]), TraceStatistics())
    document = trace_import_document(ORIGIN, summary_of(rows, ImportCounts()), 5.0, dry_run=False)
    assert document.fields == ("cpu_usage",)
    assert "swap_usage" in document.missing_fields
    assert (document.gaps, document.gap_seconds) == (2, 480.0)
    assert [(gap.from_, gap.to) for gap in document.longest_gaps] == [(10.0, 40.0), (50.0, 500.0)]
