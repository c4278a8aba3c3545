"""Prediction documents."""

from dataclasses import replace

import pytest

from model.serving import REDUCED_MODEL, Serving, ServingReason
from monitor.documents.prediction import largest_contributions, prediction_documents, prediction_summary
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit


def test_prediction_document_has_the_values_of_the_forecast(live):
    (document,) = prediction_documents(live.forecast)
    (prediction,) = live.forecast.predictions
    assert (document.probability, document.horizon_name, document.warning) == (prediction.probability, "5m", True)
    assert (document.served_by, document.contributions) == ("model", {"cpu_usage": 1.5, "load_index": -0.25})
    assert len(document.because) == 2
    assert (document.serving_reason, document.serving_message, document.inputs_out_of_range) == (None, "", ())


def test_prediction_document_states_why_the_whole_model_does_not_serve(live):
    serving = Serving(REDUCED_MODEL, ServingReason.INPUT_OUT_OF_RANGE, ("memory_usage",))
    (document,) = prediction_documents(replace(live.forecast, serving=(serving,)))
    assert (document.served_by, document.serving_reason) == ("reduced model", "input_out_of_range")
    assert document.serving_message == "memory_usage outside its training range"
    assert document.inputs_out_of_range == ("memory_usage",)


def test_prediction_summary_states_warning_and_event(overview):
    (prediction,) = overview.predictions
    summary = prediction_summary(prediction)
    assert (summary.warning, summary.event, summary.high_load_since) == (True, "onset", None)
    high = prediction_summary(replace(prediction, warning=False, high_load_since=NOW - 300))
    assert (high.warning, high.event, high.high_load_since) == (False, "continuation", NOW - 300)


@pytest.mark.parametrize(
    ("contributions", "names"),
    [
        ({"a": 0.1, "b": -2.0, "c": 0.01}, ("b", "a")),
        ({"a": 0.01, "b": 0.02}, ("b",)),
        (dict.fromkeys("abcdef", 1.0), ("a", "b", "c", "d")),
        ({}, ()),
    ],
)
def test_largest_contributions_are_ordered_by_size_and_limited(contributions, names):
    assert largest_contributions(contributions) == names
