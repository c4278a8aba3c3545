"""Options of trace files."""

from pathlib import Path

import pytest

from monitor.errors import MonitorError
from monitor.sampling.trace_format.options import TraceOptions, check_columns_exist

pytestmark = pytest.mark.unit


def test_mapped_columns_must_exist_in_one_of_the_files():
    options = TraceOptions(columns={"CPU": "cpu_usage", "Mem": "memory_usage"})
    check_columns_exist(options, {Path("a.csv"): frozenset({"time", "cpu"}), Path("b.csv"): frozenset({"mem"})})
    with pytest.raises(MonitorError, match=r"a\.csv.*'Mem'"):
        check_columns_exist(options, {Path("a.csv"): frozenset({"time", "cpu"})})
