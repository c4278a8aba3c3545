"""Statistics of trace files."""

import pytest

from monitor.sampling.trace_format.statistics import LISTED, BadCell, TraceStatistics

pytestmark = pytest.mark.unit


def test_statistics_count_all_and_list_the_first():
    counts = TraceStatistics()
    for line in range(2, 20):
        counts.add_bad_cell(line, "cpu_usage", "x" * 100)
        counts.add_row_without_value(line)
    assert (counts.bad_cells, counts.without_value) == (18, 18)
    assert counts.lines_without_value == list(range(2, 2 + LISTED))
    assert counts.bad_cell_examples[0] == BadCell(2, "cpu_usage", "x" * 40 + "…")
    assert len(counts.bad_cell_examples) == LISTED
