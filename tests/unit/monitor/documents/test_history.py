"""History document."""

import numpy as np
import pytest

from monitor.documents.history import history_document
from monitor.queries.history import RecentHistory
from monitor.system.json_codec import to_plain
from storage import SAMPLE_FIELDS
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit

NAN = float("nan")


@pytest.fixture
def history():
    load = np.full((2, len(SAMPLE_FIELDS)), NAN)
    load[:, 0] = [0.123456, NAN]
    return RecentHistory(
        start=NOW,
        step=10.0,
        count=2,
        load=load,
        high_load_periods=((NOW, NOW + 5),),
        rules=((("cpu_usage", 0.85), ("memory_usage", "p95")),),
        predictions={
            300.0: np.array([[0.7, 0.1, 0.6, 0.1, 1.0], [NAN] * 5]),
            900.0: np.array([[1.0, 0.1, 1.0, 0.0, 0.0]] * 2),
        },
        anomaly_scores=np.array([[0.5, NAN], [NAN, 1.5]]),
        anomalies=(),
    )


def test_history_document_has_slots_and_rounded_values(history):
    document = history_document(history)
    assert (document.at, document.until) == ((NOW, NOW + 10), NOW + 20)
    assert document.load[SAMPLE_FIELDS[0]] == (0.1235, None)
    assert (document.anomaly_score, document.anomaly_evidence_ratio) == ((0.5, None), (None, 1.5))
    assert document.rules == ({"cpu_usage": 0.85, "memory_usage": "p95"},)


def test_history_document_warns_from_the_threshold_on_and_never_at_one(history):
    warnings = {prediction.horizon_name: prediction.warning for prediction in history_document(history).predictions}
    assert warnings == {"5m": (True, None), "15m": (False, False)}


def test_history_document_marks_replayed_slots(history):
    replayed = {prediction.horizon_name: prediction.replayed for prediction in history_document(history).predictions}
    assert replayed == {"5m": (True, None), "15m": (False, False)}


def test_history_document_has_the_key_from(history):
    assert to_plain(history_document(history))["from"] == NOW
