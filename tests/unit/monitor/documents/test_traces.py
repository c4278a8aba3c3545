"""Documents of imported traces."""

from pathlib import Path

import pytest

from monitor.documents.traces import trace_counts_document, trace_import_document
from monitor.sampling.trace_reader import TraceStatistics

pytestmark = pytest.mark.unit

COUNTS = TraceStatistics(rows=10, unordered=1, repeated=2, bad_cells=3, future=4)


def test_trace_documents_have_every_count():
    document = trace_counts_document(COUNTS)
    assert vars(document) == vars(COUNTS)
    imported = trace_import_document(Path("x.csv"), COUNTS, 5)
    assert vars(imported) == vars(COUNTS) | {"file": "x.csv", "added": 5}
