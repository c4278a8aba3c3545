"""Tests of the metrics of predictions and live scores."""

from dataclasses import replace

import pytest

from model.forecast.events import EventScore
from model.serving import REDUCED_MODEL, Serving, ServingReason
from monitor.exporter.predictions import forecast_metrics, high_load_metrics, score_metrics

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("high_load", "expected"), [(True, {1.0}), (False, {0.0}), (None, set())])
def test_high_load_metrics_are_absent_while_unknown(samples, live, high_load, expected):
    assert set(samples(high_load_metrics(replace(live, high_load=high_load))).values()) == expected


@pytest.mark.parametrize("warning", [False, True])
def test_forecast_metrics_state_the_warning(samples, live, warning):
    prediction = replace(live.forecast.predictions[0], warning=warning)
    forecast = replace(live.forecast, predictions=(prediction,))
    values = samples(forecast_metrics(forecast))
    assert values["high_load_warning", "5m"] == warning


def test_forecast_metrics_name_the_serving_predictor(samples, live):
    serving = Serving(REDUCED_MODEL, ServingReason.INPUT_OUT_OF_RANGE, ("memory_usage", "disk_read"))
    forecast = replace(live.forecast, serving=(serving,))
    values = samples(forecast_metrics(forecast))
    assert {labels[1:]: value for labels, value in values.items() if labels[0] == "high_load_served_by"} == {
        ("5m", "model", "", ""): 0.0,
        ("5m", "reduced model", "input_out_of_range", "memory_usage,disk_read"): 1.0,
        ("5m", "pretrained model", "", ""): 0.0,
        ("5m", "persistence", "", ""): 0.0,
        ("5m", "current value", "", ""): 0.0,
        ("5m", "Holt-Winters", "", ""): 0.0,
    }


def test_forecast_metrics_mark_inputs_outside_their_training_range(samples, live):
    serving = Serving(REDUCED_MODEL, ServingReason.INPUT_OUT_OF_RANGE, ("memory_usage",))
    values = samples(forecast_metrics(replace(live.forecast, serving=(serving,))))
    assert values["input_out_of_range", "memory_usage"] == 1.0
    assert values["input_out_of_range", "cpu_usage"] == 0.0


def test_score_metrics_leave_out_scores_that_no_horizon_has(samples, overview):
    (score,) = overview.scores
    values = samples(score_metrics([replace(score, events=EventScore())]))
    assert ("live_brier_score", "5m") in values
    assert ("live_lead_time_seconds", "5m") not in values
    assert ("live_false_warnings_per_week", "5m") not in values
    assert values["live_periods", "5m", "announced"] == 0


def test_score_metrics_count_announced_and_missed_periods(samples, overview):
    values = samples(score_metrics(overview.scores))
    assert (values["live_periods", "5m", "announced"], values["live_periods", "5m", "missed"]) == (4, 1)
    assert values["live_false_warnings_per_week", "5m"] == 6.0
