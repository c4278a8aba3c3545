"""JSON of a range query: series, fields, units and damaged answers."""

import io
import json
from pathlib import Path

import numpy as np
import pytest

from monitor.errors import MonitorError
from monitor.sampling.history_sources.json_reader import JsonReader
from monitor.sampling.history_sources.matrix_file import read_matrix
from monitor.sampling.trace_format.options import TraceOptions

pytestmark = pytest.mark.unit

CPU = {"metric": {"__name__": "cpu_usage", "instance": "a"}, "values": [[60, "0.5"], [120.0, "NaN"], [180, "+Inf"]]}


def read(*result, kind="matrix", **options):
    text = json.dumps({"status": "success", "data": {"resultType": kind, "result": list(result)}})
    return read_matrix(JsonReader(Path("x.json"), io.StringIO(text)), TraceOptions(**options))


def test_series_are_joined_by_time():
    memory = {"metric": {"instance": "a", "job": "b"}, "values": [[120, "0.25"], [240, "0.5"]]}
    ignored = {"metric": {"__name__": "up"}, "values": [[60, "1"]]}
    rows = read(CPU, memory, ignored, columns={'{instance="a",job="b"}': "memory_usage"})
    assert (rows.columns, rows.times.tolist()) == (("cpu_usage", "memory_usage"), [60, 120, 180, 240])
    np.testing.assert_array_equal(rows.values, [[0.5, np.nan], [np.nan, 0.25], [np.nan, np.nan], [np.nan, 0.5]])
    assert (rows.ignored, rows.counts.rows, rows.counts.without_value, rows.counts.bad_cells) == (("up",), 4, 1, 1)


def test_map_names_a_metric_or_a_result_without_labels():
    rows = read(
        {"metric": {"__name__": "node:cpu"}, "values": [[1, "50"]]}, columns={"node:cpu": "cpu_usage"}, percent=True
    )
    assert rows.values.tolist() == [[0.5]]
    assert read({"metric": {}, "values": [[1, "2"]]}, columns={"{}": "load_per_cpu"}).values.tolist() == [[2.0]]


@pytest.mark.parametrize(
    ("result", "options", "problem"),
    [
        ([], {}, "no series"),
        ([{"metric": {"__name__": "cpu_usag"}, "values": []}], {}, "did you mean 'cpu_usage'"),
        ([CPU, CPU], {}, "two series"),
        ([{**CPU, "values": [[60, "50"]]}], {}, "--percent"),
        ([{**CPU, "values": [[60]]}], {}, "unexpected structure"),
        ([{**CPU, "values": 5}], {}, "unexpected structure"),
        ([{"metric": {}, "histograms": [[1, {}]]}], {}, "histograms"),
        ([CPU], {"now": 100.0}, "in the future"),
        ([CPU], {"kind": "vector"}, "vector"),
    ],
)
def test_unusable_answer_is_refused(result, options, problem):
    with pytest.raises(MonitorError, match=problem):
        read(*result, **options)


def test_error_of_the_server_is_refused():
    with pytest.raises(MonitorError, match="status 'error'"):
        read_matrix(JsonReader(Path("x"), io.StringIO('{"status":"error","error":"x"}')), TraceOptions())
