"""History files: recognition by content."""

import gzip
import json

import pytest

from monitor.errors import MonitorError
from monitor.sampling.history_sources.history_file import FileOptions, read_history_file
from monitor.sampling.import_summary import HistorySource
from monitor.sampling.trace_format.options import TraceOptions

pytestmark = pytest.mark.unit

OPTIONS = FileOptions(TraceOptions())
STAMP = {"date": "2026-03-01", "time": "00:10:00", "utc": 1}
SADF = {
    "sysstat": {
        "hosts": [
            {"nodename": "a", "number-of-cpus": 1, "statistics": [{"timestamp": STAMP, "queue": {"ldavg-1": 1.0}}]}
        ]
    }
}
MATRIX = {
    "status": "success",
    "data": {"resultType": "matrix", "result": [{"metric": {"__name__": "load_per_cpu"}, "values": [[60, "1"]]}]},
}
CASES = {
    HistorySource.CSV: "timestamp,load_per_cpu\n60,1\n",
    HistorySource.SADF: json.dumps(SADF, indent=1),
    HistorySource.PROMETHEUS_JSON: json.dumps(MATRIX),
}


@pytest.mark.parametrize("source", CASES)
@pytest.mark.parametrize("encode", [str.encode, lambda text: gzip.compress(b"\xef\xbb\xbf" + text.encode())])
def test_file_is_recognised_by_its_content(tmp_path, source, encode):
    path = tmp_path / "x"
    path.write_bytes(encode(CASES[source]))
    file = read_history_file(path, OPTIONS)
    assert file.source is source
    column = file.rows.columns.index("load_per_cpu")
    assert file.rows.values[:, column].tolist() == [1.0]


@pytest.mark.parametrize("text", [CASES[HistorySource.CSV], CASES[HistorySource.PROMETHEUS_JSON], "", "{}"])
def test_other_file_than_expected_is_refused(tmp_path, text):
    path = tmp_path / "x"
    path.write_text(text)
    with pytest.raises(MonitorError, match="sadf -j"):
        read_history_file(path, OPTIONS, expected=HistorySource.SADF)


@pytest.mark.parametrize("text", ['{"panels": []}', "[1]", "{", "timestamp\n", ""])
def test_unreadable_file_is_refused(tmp_path, text):
    path = tmp_path / "x"
    path.write_text(text)
    with pytest.raises(MonitorError, match=str(path)):
        read_history_file(path, OPTIONS)
