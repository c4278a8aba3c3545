"""Documents of anomaly events."""

from dataclasses import replace

import pytest

from monitor.documents.anomalies import anomaly_count_document, anomaly_document
from storage import AnomalyRecord, Verdict
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit

EVENT = AnomalyRecord(
    started_at=NOW - 7200,
    ended_at=NOW - 3600,
    peak=0.99,
    peak_at=NOW - 5000,
    channel="joint",
    contributions={"cpu_usage": 1.0},
    model_id=3,
    verdict=Verdict.EXPECTED,
    note="backup",
    verdict_at=NOW,
    id=7,
)


def test_anomaly_document_has_every_field_of_the_record():
    document = anomaly_document(EVENT)
    assert vars(document) == {name: getattr(EVENT, name) for name in vars(document)}


def test_anomaly_count_leaves_out_events_that_started_earlier():
    old = replace(EVENT, started_at=NOW - 31 * 86400)
    other = replace(EVENT, verdict=None, channel="spike")
    counts = anomaly_count_document([EVENT, other, old], 2.0, NOW - 30 * 86400, NOW)
    assert (counts.anomalies, counts.days, counts.allowed) == (2, 30.0, 2.0)
    assert counts.verdicts == {"incident": 0, "expected": 1, "none": 1}
    assert counts.channels == {"joint": 1, "spike": 1}


def test_anomaly_count_covers_the_given_period():
    counts = anomaly_count_document([EVENT], 2.0, NOW - 3600, NOW)
    assert (counts.anomalies, counts.days) == (0, 1 / 24)
