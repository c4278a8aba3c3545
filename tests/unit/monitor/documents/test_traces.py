"""Documents of trace files and imports."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from monitor.documents.traces import trace_counts_document, trace_import_document
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
IMPORTED = ImportCounts(1, 2, 3, 4, 5, 6, 7, 8)


def test_trace_document_has_every_count():
    plain = asdict(trace_counts_document(COUNTS))
    assert {key: list(value) if isinstance(value, tuple) else value for key, value in plain.items()} == asdict(COUNTS)


def test_import_document_has_every_count_and_the_period():
    rows = TraceRows(("cpu_usage",), np.array([5.0, 3.0]), np.array([[0.1], [0.2]]), COUNTS, ignored=("x",))
    document = asdict(trace_import_document(Path("x.csv"), rows, IMPORTED, dry_run=True))
    assert document.items() >= asdict(IMPORTED).items()
    assert (document["file"], document["dry_run"], document["ignored_columns"]) == ("x.csv", True, ("x",))
    assert (document["first_at"], document["last_at"], document["rows"]) == (3.0, 5.0, 10)


def test_import_document_without_rows_has_no_period():
    rows = TraceRows((), np.empty(0), np.empty((0, 0)), TraceStatistics())
    document = trace_import_document(Path("x.csv"), rows, ImportCounts(), dry_run=False)
    assert (document.first_at, document.last_at) == (None, None)
