"""Documents of the details of anomaly events."""

import numpy as np
import pytest

from model.anomaly.expectation import ExpectedValues
from monitor.documents.anomalies import anomaly_details_document, anomaly_document
from monitor.documents.anomalies.details import CURVES
from monitor.queries.event_context import AnomalyDetails, Expectation, MetricValue, MissingExpectation
from monitor.queries.similar_events import SimilarEvent
from storage import AnomalyRecord
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit

METRICS = ("a", "b", "c", "d", "e", "f")
EVENT = AnomalyRecord(
    started_at=NOW - 60,
    ended_at=NOW,
    peak=0.9,
    peak_at=NOW - 60,
    channel="joint",
    contributions={"unmonitored": 0.4, "f": 0.3, "b": 0.2, "a": 0.1, "c": 0.0, "d": 0.0},
    model_id=3,
    id=2,
)


def expectation():
    table = np.array([range(6), range(10, 16)], float) + 1 / 3
    expected = table.copy()
    expected[0] = np.nan
    values = ExpectedValues(
        times=np.array([NOW - 120, NOW - 60]),
        actual=table,
        expected=expected,
        lower=expected - 1,
        upper=expected + 1,
        usual=expected,
        deviations=expected,
    )
    return Expectation(model_id=4, detected=False, step=60.0, metrics=METRICS, values=values)


def details(**changes):
    values = (MetricValue("f", 0.3, NOW - 60, 15.33333333, 14.0, 13.0, 15.0, None),)
    parts = {"event": EVENT, "values": values, "expectation": expectation(), "missing": None, "similar": ()}
    parts["processes"] = None
    return AnomalyDetails(**{**parts, **changes})


def test_details_document_has_the_fields_of_the_event():
    document = anomaly_details_document(details())
    event = vars(anomaly_document(EVENT))
    assert {name: getattr(document, name) for name in event} == event


def test_values_have_six_significant_digits():
    (value,) = anomaly_details_document(details()).values
    assert (value.actual, value.expected, value.lower, value.upper, value.usual) == (15.3333, 14.0, 13.0, 15.0, None)
    assert (value.metric, value.contribution, value.at) == ("f", 0.3, NOW - 60)


def test_curves_are_those_of_the_monitored_metrics_with_the_largest_contributions():
    curves = anomaly_details_document(details()).curves
    assert [curve.metric for curve in curves.metrics] == ["f", "b", "a", "c"]
    assert len(curves.metrics) == CURVES
    assert (curves.at, curves.step) == ((NOW - 120, NOW - 60), 60.0)
    first = curves.metrics[0]
    assert (first.actual, first.expected) == ((5.33333, 15.3333), (None, 15.3333))
    assert (first.lower, first.upper) == ((None, 14.3333), (None, 16.3333))


def test_expectation_names_its_detector():
    document = anomaly_details_document(details()).expectation
    assert (document.model_id, document.detected, document.missing, document.message) == (4, False, None, "")


@pytest.mark.parametrize("missing", list(MissingExpectation))
def test_expectation_names_the_reason_why_it_is_missing(missing):
    document = anomaly_details_document(details(expectation=None, missing=missing))
    assert (document.expectation.model_id, document.expectation.missing) == (None, missing)
    assert document.expectation.message == missing.message
    assert document.curves is None


def test_similar_events_have_their_verdicts():
    (similar,) = anomaly_details_document(details(similar=(SimilarEvent(EVENT, 0.98765),))).similar
    assert (similar.id, similar.similarity, similar.verdict) == (2, 0.988, None)
