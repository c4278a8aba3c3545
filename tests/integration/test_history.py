"""Recent history from a real database, and the documents of the JSON API."""

import json
from dataclasses import replace

import numpy as np
import pytest

from model.features.labels import Rules
from model.features.rolling_window import RollingWindow
from monitor.documents.history import history_document
from monitor.queries.anomaly_scores import AnomalyScores
from monitor.queries.history import HistoryReader, high_load_periods
from monitor.queries.overview import Overview
from monitor.queries.scorecard import ScorecardReader
from monitor.state import AnomalyState, DaemonState
from monitor.stores import open_stores
from monitor.web import Application, StoredDocuments
from storage import AnomalyRecord, Prediction, Sample

from .conftest import create_database

pytestmark = pytest.mark.integration

NOW = 1_800_000_000.0
RULES = Rules(((("cpu_usage", 0.8),),), 20.0)
NO_SCORES = AnomalyScores()


@pytest.fixture
def stores(tmp_path):
    with open_stores(create_database(tmp_path / "x.db")) as opened:
        opened.samples.append_many(
            Sample(NOW - 3600 + 10 * i, cpu_usage=0.9 if 100 <= i < 110 else 0.2, disk_read=1000.0 * i)
            for i in range(360)
            if not 200 <= i < 260
        )
        opened.predictions.append(
            [
                Prediction(NOW - 3600 + 10 * i, horizon, 1, 0.7 if i == 95 else 0.1, 0.05, 0.6, warning=i == 95)
                for i in range(360)
                for horizon in (300.0, 900.0)
            ]
        )
        yield opened


@pytest.fixture
def reader(stores):
    return HistoryReader(stores, lambda: RULES, 10.0)


def read(reader, slots=60, scores=NO_SCORES):
    """Return the document of the last hour."""
    return history_document(reader.read(3600.0, slots, NOW - 1, scores))


def test_history_has_the_mean_of_each_slot_and_none_for_an_empty_one(reader):
    history = read(reader)
    assert (history.from_, history.until, history.step) == (NOW - 3600, NOW, 60.0)
    assert history.at == tuple(NOW - 3600 + 60 * i for i in range(60))
    cpu = history.load["cpu_usage"]
    assert cpu[0] == 0.2
    assert cpu[16] == pytest.approx((4 * 0.2 + 2 * 0.9) / 6, abs=1e-4)
    assert history.load["disk_read"][1] == 8500.0
    assert [i for i, value in enumerate(cpu) if value is None] == list(range(34, 43))
    assert set(history.load["swap_usage"]) == {None}


def test_history_has_the_largest_probability_of_each_slot(reader):
    predictions = read(reader, 12).predictions
    assert [prediction.horizon_name for prediction in predictions] == ["5m", "15m"]
    assert max(predictions[0].probability) == 0.7
    assert [i for i, warning in enumerate(predictions[0].warning) if warning] == [3]
    assert set(predictions[0].threshold) == {0.6}


def test_history_has_no_warning_at_a_threshold_of_one(stores, reader):
    stores.predictions.append([Prediction(NOW - 5, 60.0, 1, 0.99, 0.5, 1.0)])
    prediction = read(reader).predictions[0]
    assert prediction.probability[-1] == 0.99
    assert prediction.warning[-1] is False


def test_high_load_period_starts_after_the_sustained_time(reader):
    (period,) = read(reader).high
    start = NOW - 3600 + 1000
    # A dip ends it after the sustained time only.
    assert period == (start + 10, start + 100)


def test_history_has_no_high_load_periods_with_unresolved_bounds(stores):
    rules = Rules(((("cpu_usage", "p95"),),), 20.0)
    assert read(HistoryReader(stores, lambda: rules, 10.0)).high == ()


def test_history_has_the_largest_anomaly_score_of_each_slot(stores, reader):
    stores.anomalies.add(AnomalyRecord(NOW - 300, None, 0.9, NOW - 300, "spike", {"cpu_usage": 1.0}, 1))
    scores = AnomalyScores(
        times=NOW - np.array([100_000.0, 90.0, 70.0, 30.0]),
        scores=np.array([0.9, 0.5, 0.75, np.nan]),
        evidence_ratios=np.array([2.0, 0.25, np.nan, 1.5]),
    )
    history = read(reader, scores=scores)
    assert history.anomaly_score[-3:] == (None, 0.75, None)
    assert history.anomaly_evidence_ratio[-3:] == (None, 0.25, 1.5)
    assert [event.channel for event in history.anomalies] == ["spike"]


STATE = DaemonState(
    "1", "3", overview=Overview(0.0, None, None, 0.0, 1.0, (), None, None, None, {}, None, False, True, 0, 5.0)
)


@pytest.fixture
def get(stores, reader):
    """Return a function that requests a path and returns the HTTP status line and the document."""
    stores.registry.promote(stores.registry.register(b"x", "{}", 5.0), 5.0)
    application = Application(
        lambda: replace(STATE, anomaly=AnomalyState((), None, None, 0, 0, 2.0)),
        lambda: StoredDocuments(stores, reader, ScorecardReader(stores, lambda: RULES, 10.0)),
    )

    def request(path, query=""):
        lines = []
        environ = {"PATH_INFO": path, "REQUEST_METHOD": "GET", "QUERY_STRING": query}
        body = application(environ, lambda line, _: lines.append(line))
        return lines[0], json.loads(b"".join(body))

    return request


def test_api_answers_each_document(get):
    answers = {path: get(f"/api/v1/{path}") for path in ("models", "anomalies", "status", "prediction", "model")}
    assert {line for line, _ in answers.values()} == {"200 OK"}
    (model,) = answers["models"][1]
    assert (model["id"], model["serving"], "report" in model) == (1, True, False)
    assert answers["status"][1]["interval"] == 5.0
    assert [answers[path][1] for path in ("anomalies", "prediction", "model")] == [[], [], None]
    assert len(get("/api/v1/history", "range=24h&points=24")[1]["at"]) == 24
    assert get("/api/v1/training") == ("200 OK", None)


def test_api_answers_the_history_between_two_times(get):
    line, document = get("/api/v1/history", "from=7200&to=10800&points=60")
    assert line == "200 OK"
    assert (document["from"], document["until"], document["step"]) == (7200.0, 10800.0, 60.0)


@pytest.mark.parametrize(
    ("path", "query"), [("/api/v1/history", "range=1h&range=7d"), ("/api/v1/status", "x=1"), ("/api/v1/model", "=")]
)
def test_api_refuses_an_invalid_query(get, path, query):
    line, document = get(path, query)
    assert line == "400 Bad Request"
    assert document["error"]


@pytest.mark.parametrize("step", [15.0, 300.0])
def test_long_history_has_the_periods_of_all_samples(tmp_path, step):
    rng = np.random.default_rng(3)
    times = NOW - 5 * 86_400 + np.arange(0, 5 * 86_400, step)
    usage = np.full(len(times), 0.2)
    # Some start before and end after a whole hour, or contain short dips.
    for begin in [*(NOW - 3600 * rng.choice(100, 12, replace=False) - 300), *(NOW - rng.uniform(0, 4e5, 8))]:
        usage[(times >= begin) & (times < begin + 1800)] = 0.9
        usage[(times >= begin + 900) & (times < begin + 912)] = 0.2
    usage[rng.random(len(times)) < 0.001] = 0.95
    usage[200:210] = np.nan
    with open_stores(create_database(tmp_path / "long.db")) as stores:
        stores.samples.insert_missing(np.column_stack((times, usage, np.full((len(times), 15), np.nan))))
        after = 0.0
        while (hour := stores.compactor.compact_next("samples", after, NOW - 86_400)) is not None:
            after = hour.start + 3600
        history = HistoryReader(stores, lambda: RULES, 15.0).read(4 * 86_400.0, 100, NOW - 1, NO_SCORES)
    window = RollingWindow(("cpu_usage",), RULES, step)
    window.extend(times, usage[:, None])
    expected = high_load_periods(times, window.period_start, history.start)
    assert len(expected) > 10
    assert history.high_load_periods == expected
