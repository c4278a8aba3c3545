"""Prometheus history: hosts, periods, gaps and repeated imports, on a simulated server."""

import numpy as np
import pytest

from monitor.errors import MonitorError
from monitor.sampling.history_sources.prometheus_api import Series
from monitor.sampling.history_sources.prometheus_history import HistoryQuery, PrometheusHistory
from storage import SAMPLE_FIELDS

pytestmark = pytest.mark.unit

START = 1_800_000_000
METRICS = ("node_load1", "node_cpu_seconds_total", "node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes")


class Server:
    """Server with the scrapes of one host; every other expression has the value 0.5 at each time.

    Attributes:
        queries: expressions of the range queries.
    """

    warnings = ()
    client = type("Client", (), {"url": "http://prom:9090"})

    def __init__(self, scrapes, targets=({"instance": "web1"},), metrics=METRICS, values=None):
        self.scrapes = np.asarray(scrapes, dtype=float)
        self.targets = targets
        self.metrics = metrics
        self.values = values or {}
        self.queries = []

    def label_values(self, label, selector, start, end):
        return list(self.metrics) if label == "__name__" else ["eth0", "sda"]

    def series(self, selector, start, end):
        return [{"__name__": "node_load1", **labels} for labels in self.targets]

    def samples(self, selector, seconds, until):
        inside = self.scrapes[(self.scrapes > until - seconds) & (self.scrapes <= until)]
        return [Series({}, inside, np.ones(len(inside)))]

    def query_range(self, expression, start, end, step):
        self.queries.append(expression)
        times = np.arange(start, end + 1, step, dtype=float)
        if "count_over_time" in expression:
            window = int(expression.split("[")[1].split("s]")[0])
            counts = np.array([np.sum((self.scrapes > at - window) & (self.scrapes <= at)) for at in times])
            labels = self.targets if not expression.startswith("max") else [{}]
            return [Series(entry, times[counts > 0], counts[counts > 0].astype(float)) for entry in labels]
        value = self.values.get(expression, 0.5)
        return value if isinstance(value, list) else [Series({}, times, np.full(len(times), value))]


def history(server, **query):
    return PrometheusHistory(server, HistoryQuery(**{"selector": "", "start": START, "end": START + 3600} | query))


def scrapes(interval=15, start=START, end=START + 3600):
    return np.arange(start + 7, end, interval)


def test_rows_are_at_multiples_of_the_scrape_interval():
    (rows,) = history(Server(scrapes())).rows()
    assert set(np.diff(rows.times).tolist()) == {15.0}
    assert rows.times[0] % 15 == 0
    assert rows.columns == ("cpu_usage", "cpu_iowait", "cpu_steal", "load_per_cpu", "memory_usage")
    assert (rows.values == 0.5).all()


def test_step_is_at_least_the_sampling_interval():
    (rows,) = history(Server(scrapes(5)), least_step=30.0).rows()
    assert set(np.diff(rows.times).tolist()) == {30.0}
    assert history(Server(scrapes(5)), step=20)._base_step == 20


def test_rows_whose_window_lacks_scrapes_are_left_out():
    present = scrapes()
    present = present[(present < START + 1000) | (present > START + 2000)]
    (rows,) = history(Server(present)).rows()
    outside = (rows.times <= START + 1030) | (rows.times >= START + 2000)
    assert outside.all()
    assert (np.diff(rows.times) > 15).sum() == 1


def test_long_history_is_read_in_periods_and_skips_those_without_scrapes():
    day = 86_400
    present = np.concatenate((scrapes(60, end=START + day), scrapes(60, START + 50 * day, START + 51 * day)))
    parts = list(history(Server(present), end=START + 60 * day).rows())
    times = np.concatenate([rows.times for rows in parts])
    assert len(parts) >= 2
    assert max(len(rows.times) for rows in parts) <= 10_000
    assert (np.diff(times) > 0).all()
    assert len(times) == pytest.approx(2 * 1440, abs=4)


def test_repeated_import_queries_only_fields_with_a_missing_value():
    server = Server(scrapes(), values={"own": [Series({}, np.empty(0), np.empty(0))]})
    reader = history(server, expressions={"disk_busy": "own"})
    (rows,) = reader.rows()

    def stored(start, end):
        table = np.full((len(rows.times), 1 + len(SAMPLE_FIELDS)), np.nan)
        table[:, 0] = rows.times
        table[:, [1 + SAMPLE_FIELDS.index(name) for name in rows.columns]] = rows.values
        return table[(table[:, 0] > start) & (table[:, 0] <= end)]

    server.queries.clear()
    (again,) = reader.rows(stored)
    assert [query for query in server.queries if "count_over_time" not in query] == ["own"]
    np.testing.assert_array_equal(again.values, rows.values)


def test_values_outside_their_bounds_are_bad_cells():
    times = np.array([START + 600.0, START + 615.0, START + 630.0])
    server = Server(scrapes(), values={"own": [Series({}, times, np.array([1.5, np.inf, np.nan]))]})
    (rows,) = history(server, expressions={"disk_busy": "own"}).rows()
    assert rows.counts.bad_cells == 2
    assert [(cell.column, cell.text) for cell in rows.counts.bad_cell_examples] == [
        ("disk_busy", "1.5"),
        ("disk_busy", "inf"),
    ]


def test_own_expressions_need_no_node_exporter():
    server = Server([], metrics=())
    (rows,) = history(server, expressions={"cpu_usage": "rate(x[$__rate_interval]) / $__interval"}).rows()
    assert server.queries == ["rate(x[120s]) / 60s"]
    assert (rows.columns, len(rows.times)) == (("cpu_usage",), 61)


@pytest.mark.parametrize(
    ("server", "query", "problem"),
    [
        (Server([], metrics=()), {}, "no series"),
        (Server(scrapes(), targets=({"instance": "web1"}, {"instance": "web2"})), {}, "web1, web2"),
        (Server(scrapes(), targets=({"instance": "a", "job": "x"}, {"instance": "a", "job": "y"})), {}, 'job="y"'),
        (
            Server(scrapes(), values={"own": [Series({"cpu": c}, np.empty(0), np.empty(0)) for c in "01"]}),
            {"expressions": {"cpu_usage": "own"}},
            "2 series",
        ),
    ],
)
def test_ambiguous_or_empty_selection_is_refused(server, query, problem):
    with pytest.raises(MonitorError, match=problem):
        list(history(server, **query).rows())
