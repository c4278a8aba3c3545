"""Prometheus API: queries, expensive periods and answers of another structure."""

import pytest

from monitor.errors import MonitorError
from monitor.sampling.history_sources.http_answers import ExpensiveQueryError, HttpStatusError
from monitor.sampling.history_sources.prometheus_api import MIN_POINTS, PrometheusApi, label_text

pytestmark = pytest.mark.unit


class Client:
    """Client that answers by a function of path and parameters."""

    url = "http://prom:9090"
    clock_skew = 0.0

    def __init__(self, answer):
        self.answer = answer
        self.requests = []

    def get(self, path, parameters):
        self.requests.append((path, dict(parameters)))
        return self.answer(path, parameters)


def matrix(*series):
    return {"status": "success", "data": {"resultType": "matrix", "result": list(series)}}


def points_of(parameters):
    """Return one series whose value at each time is the time itself."""
    start, end, step = (int(parameters[key]) for key in ("start", "end", "step"))
    return matrix({"metric": {"a": "b"}, "values": [[at, str(at)] for at in range(start, end + 1, step)]})


def test_range_query_returns_times_and_values():
    series = {"metric": {"__name__": "x"}, "values": [[60, "1.5"], [120.5, "NaN"], [180, "-Inf"]]}
    client = Client(lambda *_: matrix(series))
    (answer,) = PrometheusApi(client).query_range("x", 60, 180, 60)
    assert (answer.labels, answer.times.tolist()) == ({"__name__": "x"}, [60, 120.5, 180])
    assert [str(value) for value in answer.values.tolist()] == ["1.5", "nan", "-inf"]
    path, parameters = client.requests[0]
    assert path == "api/v1/query_range"
    assert (parameters["start"], parameters["end"], parameters["step"]) == ("60", "180", "60")
    assert parameters["partial_response"] == "false"


def test_period_that_is_too_expensive_is_halved():
    def answer(_, parameters):
        if int(parameters["end"]) - int(parameters["start"]) > 300 * 15:
            raise ExpensiveQueryError("too many samples", 422, None)
        return points_of(parameters)

    client = Client(answer)
    (series,) = PrometheusApi(client).query_range("x", 15_000, 30_000, 15)
    assert series.times.tolist() == series.values.tolist() == list(range(15_000, 30_001, 15))


def test_expensive_short_period_is_refused_with_the_query():
    def refuse(*_):
        raise ExpensiveQueryError("too many samples", 422, None)

    client = Client(refuse)
    with pytest.raises(MonitorError, match=r"too many samples.*sum"):
        PrometheusApi(client).query_range("sum(x)", 0, 60 * (MIN_POINTS - 1), 60)
    assert len(client.requests) == 1


def test_invalid_query_is_not_repeated():
    def refuse(*_):
        raise HttpStatusError("parse error", 400, None)

    client = Client(refuse)
    with pytest.raises(MonitorError, match="parse error"):
        PrometheusApi(client).query_range("sum(", 0, 60_000, 60)
    assert len(client.requests) == 1


def test_warnings_are_kept_once():
    api = PrometheusApi(Client(lambda *_: {**matrix(), "warnings": ["partial", "partial"]}))
    api.query_range("x", 0, 60, 60)
    api.query_range("x", 0, 60, 60)
    assert api.warnings == ["partial"]


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"status": "success"},
        {"status": "success", "data": {"resultType": "vector", "result": []}},
        matrix({"metric": {}}),
        matrix({"metric": {}, "values": [["a", "b"]]}),
        matrix({"metric": None, "values": []}),
        {"status": "error", "error": "no"},
    ],
)
def test_other_structure_is_refused_with_the_url(document):
    with pytest.raises(MonitorError, match="http://prom:9090"):
        PrometheusApi(Client(lambda *_: document)).query_range("x", 0, 60, 60)


def test_labels_and_series_are_queried_in_the_period():
    client = Client(lambda path, _: {"status": "success", "data": ["eth0"] if "label" in path else [{"a": "b"}]})
    api = PrometheusApi(client)
    assert api.label_values("device", "x", 1, 2) == ["eth0"]
    assert api.series("x", 1, 2) == [{"a": "b"}]
    assert [path for path, _ in client.requests] == ["api/v1/label/device/values", "api/v1/series"]
    assert client.requests[0][1]["match[]"] == "x"


def test_label_text_is_a_selector():
    assert label_text({"job": "node", "instance": "a"}) == '{instance="a", job="node"}'
