"""The curves of the page, read from a real database: means, the most that was said, and when load was high."""

import json
from dataclasses import replace

import numpy as np
import pytest

from model.features.labels import Rules
from monitor.queries.history import Curves, slot_width, stretches
from monitor.queries.status import Overview
from monitor.state import AnomalyState, DaemonState
from monitor.stores import open_stores
from monitor.web import Application, Records
from storage import AnomalyRecord, Prediction, Sample

pytestmark = pytest.mark.integration

NOW = 1_800_000_000.0
RULES = Rules(((("cpu_usage", 0.8),),), 20.0)
EMPTY = np.empty((0, 3))


@pytest.fixture
def stores(tmp_path):
    with open_stores(f"sqlite:///{tmp_path}/x.db") as opened:
        opened.samples.append_many(
            Sample(NOW - 3600 + 10 * i, cpu_usage=0.9 if 100 <= i < 110 else 0.2, disk_read=1000.0 * i)
            for i in range(360)
            if not 200 <= i < 260
        )
        opened.predictions.append(
            [
                Prediction(NOW - 3600 + 10 * i, horizon, 1, 0.7 if i == 95 else 0.1, 0.05, 0.6)
                for i in range(360)
                for horizon in (300.0, 900.0)
            ]
        )
        yield opened


@pytest.fixture
def curves(stores):
    return Curves(stores, lambda: RULES, 10.0)


def test_each_slot_holds_the_mean_of_its_samples_and_none_where_there_are_none(curves):
    found = curves.document(3600.0, 60, NOW - 1, EMPTY)
    assert (found["from"], found["until"], found["step"]) == (NOW - 3600, NOW, 60.0)
    assert found["at"] == [NOW - 3600 + 60 * i for i in range(60)]
    cpu = found["load"]["cpu_usage"]
    assert cpu[0] == 0.2
    assert cpu[16] == pytest.approx((4 * 0.2 + 2 * 0.9) / 6, abs=1e-4)
    assert found["load"]["disk_read"][1] == 8500.0
    assert [i for i, value in enumerate(cpu) if value is None] == list(range(34, 43))
    assert set(found["load"]["swap_usage"]) == {None}


def test_a_short_peak_of_the_probability_is_not_averaged_away(curves):
    found = curves.document(3600.0, 12, NOW - 1, EMPTY)["predictions"]
    assert [one["horizon_name"] for one in found] == ["5m", "15m"]
    assert max(found[0]["probability"]) == 0.7
    assert [i for i, warned in enumerate(found[0]["warning"]) if warned] == [3]
    assert set(found[0]["threshold"]) == {0.6}


def test_a_threshold_that_nothing_reaches_never_warned(stores, curves):
    stores.predictions.append([Prediction(NOW - 5, 60.0, 1, 0.99, 0.5, 1.0)])
    found = curves.document(3600.0, 60, NOW - 1, EMPTY)["predictions"][0]
    assert found["probability"][-1] == 0.99
    assert found["warning"][-1] is False


def test_load_was_high_from_when_it_had_lasted(curves):
    (stretch,) = curves.document(3600.0, 60, NOW - 1, EMPTY)["high"]
    begins = NOW - 3600 + 1000
    assert stretch == [begins + 10, begins + 90]


def test_bounds_yet_to_be_learned_make_nothing_high(stores):
    rules = Rules(((("cpu_usage", "p95"),),), 20.0)
    assert Curves(stores, lambda: rules, 10.0).document(3600.0, 60, NOW - 1, EMPTY)["high"] == []


def test_readings_of_the_watch_fall_into_their_slots(stores, curves):
    stores.anomalies.add(AnomalyRecord(NOW - 300, None, 0.9, NOW - 300, "spike", {"cpu_usage": 1.0}, 1))
    trail = np.array(
        [[NOW - 100_000, 0.9, 2.0], [NOW - 90, 0.5, 0.25], [NOW - 70, 0.75, np.nan], [NOW - 30, np.nan, 1.5]]
    )
    found = curves.document(3600.0, 60, NOW - 1, trail)
    assert found["anomaly_score"][-3:] == [None, 0.75, None]
    assert found["anomaly_evidence_ratio"][-3:] == [None, 0.25, 1.5]
    assert [one["channel"] for one in found["anomalies"]] == ["spike"]


@pytest.mark.parametrize(
    ("wanted", "least", "is_"), [(60, 5, 60), (61, 5, 120), (1, 5, 5), (1, 7, 10), (1e9, 5, 86400)]
)
def test_a_slot_is_as_long_as_a_round_number(wanted, least, is_):
    assert slot_width(wanted, least) == is_


def test_moments_that_are_apart_are_two_stretches():
    assert stretches(np.array([1.0, 2.0, 3.0, 9.0]), 2.0) == [[1.0, 3.0], [9.0, 9.0]]
    assert stretches(np.empty(0), 2.0) == []


STATUS = DaemonState(
    "1", "3", overview=Overview(0.0, None, None, 0.0, 1.0, (), None, None, None, {}, None, False, True, 0, 5.0)
)


def test_the_documents_are_what_the_commands_print(stores, curves):
    stores.registry.promote(stores.registry.register(b"x", "{}", 5.0), 5.0)
    answered = {}

    def ask(path, query=""):
        app = Application(
            lambda: replace(STATUS, anomaly=AnomalyState((), None, None, 0, 0, 2.0)),
            lambda: Records(stores, curves),
        )
        codes = []
        body = app(
            {"PATH_INFO": path, "REQUEST_METHOD": "GET", "QUERY_STRING": query}, lambda code, _: codes.append(code)
        )
        answered[path] = codes[0]
        return json.loads(b"".join(body))

    (model,) = ask("/api/v1/models")
    assert (model["id"], model["serving"], "report" in model) == (1, True, False)
    assert ask("/api/v1/anomalies") == []
    assert len(ask("/api/v1/history", "range=24h&points=24")["at"]) == 24
    assert ask("/api/v1/status")["interval"] == 5.0
    assert ask("/api/v1/prediction") == []
    assert ask("/api/v1/model") is None
    assert ask("/api/v1/training") is None
    assert set(answered.values()) == {"200 OK"}
    assert ask("/api/v1/history", "range=1h&range=7d") == {"error": "a parameter stands twice"}
    assert ask("/api/v1/status", "x=1") == {"error": "/api/v1/status takes no parameter x"}
