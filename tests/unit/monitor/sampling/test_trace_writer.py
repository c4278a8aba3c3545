"""Trace writer: stored samples as CSV."""

import gzip
import io

import numpy as np
import pytest

from monitor.errors import MonitorError
from monitor.sampling.trace_reader import read_trace
from monitor.sampling.trace_writer import open_text_output, write_trace
from storage import SAMPLE_FIELDS, Sample, SampleRepository, open_database

pytestmark = pytest.mark.unit

DAY = 86_400.0


@pytest.fixture
def repository():
    with open_database("sqlite://") as database:
        yield SampleRepository(database)


def test_write_trace_writes_short_exact_cells():
    row = np.full((1, 1 + len(SAMPLE_FIELDS)), np.nan)
    row[0, :3] = [1.7e9, 0.1, 1.0]
    file = io.StringIO()
    assert write_trace(file, [row, row[:0]]) == 1
    header, line = file.getvalue().splitlines()
    assert header == "timestamp," + ",".join(SAMPLE_FIELDS)
    assert line == "1700000000,0.1,1" + "," * (len(SAMPLE_FIELDS) - 2)


def test_written_trace_is_read_back_exactly(repository, tmp_path):
    samples = [Sample(DAY * day + 0.25, cpu_usage=1 / (3 + day), disk_read=1e9) for day in range(4)]
    repository.append_many(samples)
    with open_text_output(tmp_path / "trace.csv.gz") as file:
        assert write_trace(file, repository.chunks(0.0)) == 4
    trace = read_trace(tmp_path / "trace.csv.gz")
    assert trace.columns == SAMPLE_FIELDS
    np.testing.assert_array_equal(np.column_stack([trace.times, trace.values]), repository.between(0, 1e9))


@pytest.mark.parametrize("name", ["trace.csv", "trace.csv.gz"])
def test_open_text_output_compresses_by_name(tmp_path, name):
    with open_text_output(tmp_path / name) as file:
        file.write("a,b\n")
    content = (tmp_path / name).read_bytes()
    assert (gzip.decompress(content) if name.endswith(".gz") else content) == b"a,b\n"


def test_open_text_output_names_a_missing_directory(tmp_path):
    with pytest.raises(MonitorError, match=r"trace\.csv"), open_text_output(tmp_path / "absent" / "trace.csv"):
        pass
