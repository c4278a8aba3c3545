import json

import numpy as np
import pytest

from benchmarks.fleet_server import ReplayedFleet

pytestmark = pytest.mark.unit


@pytest.fixture
def fleet(tmp_path):
    path = tmp_path / "trace.csv"
    rows = [f"{1_700_000_000 + 60 * row},{row % 10 / 20:.2f}" for row in range(3000)]
    path.write_text("\n".join(["timestamp,cpu_usage", *rows]))
    return ReplayedFleet([path], 3)


def test_instant_query_answers_for_all_hosts(fleet):
    document = json.loads(fleet.answer({"query": "cpu_usage{}", "time": "1700000400"}))
    names = [entry["metric"]["instance"] for entry in document["data"]["result"]]
    assert names == ["host000000", "host000001", "host000002"]
    assert len({entry["value"][1] for entry in document["data"]["result"]}) == 3


def test_range_query_answers_for_the_named_hosts_with_equal_values(fleet):
    query = {"query": 'cpu_usage{instance=~"host000001|host000002"}', "start": "1700000400", "end": "1700000520"}
    document = json.loads(fleet.answer({**query, "step": "60"}))
    assert [entry["metric"]["instance"] for entry in document["data"]["result"]] == ["host000001", "host000002"]
    minutes = np.arange(1700000400 // 60, 1700000520 // 60 + 1)
    expected = fleet.values(0, np.array([1]), minutes)[0]
    values = document["data"]["result"][0]["values"]
    assert [float(text) for _, text in values] == pytest.approx(expected, abs=1e-4)
