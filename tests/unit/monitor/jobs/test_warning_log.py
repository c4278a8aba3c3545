"""Tests of the log of high-load warnings."""

import logging
from types import SimpleNamespace

import pytest

from monitor.jobs.warning_log import WarningLog
from storage import Prediction

pytestmark = pytest.mark.unit


def live(*warnings, high_load_since=None):
    """Return a live state with one prediction per horizon (5, 15 minutes)."""
    predictions = tuple(
        Prediction(0.0, 300.0 * (1 + 2 * i), 1, 0.8125, 0.05, 0.7, warning=warning, high_load_since=high_load_since)
        for i, warning in enumerate(warnings)
    )
    return SimpleNamespace(forecast=SimpleNamespace(predictions=predictions))


@pytest.fixture
def observe(caplog):
    """Return a function that passes states to a log, and returns the events with level and fields."""
    caplog.set_level(logging.INFO, "monitor")
    warning_log = WarningLog(lambda _: None)

    def observe(*states):
        caplog.clear()
        for state in states:
            warning_log.observe(state)
        return [(record.levelname, record.getMessage(), record.fields) for record in caplog.records]

    return observe


def test_start_and_end_of_a_warning_are_logged_once(observe):
    started = {"horizon": "15m", "probability": 0.812, "base_rate": 0.05}
    warned = live(False, True)
    assert observe(live(False, False)) == []
    assert observe(warned, warned, live(False, True)) == [("WARNING", "warning started", started)]
    assert observe(SimpleNamespace(forecast=None)) == []
    ended = {"horizon": "15m", "probability": 0.812, "high_load": True}
    assert observe(live(False, False, high_load_since=9.0)) == [("INFO", "warning ended", ended)]


def test_each_horizon_has_its_own_warning(observe):
    assert [fields["horizon"] for _, _, fields in observe(live(True, True))] == ["5m", "15m"]
    assert [event for _, event, _ in observe(live(False, True))] == ["warning ended"]


def test_horizon_of_a_previous_model_is_forgotten(observe):
    observe(live(True, True))
    assert observe(live(True)) == []
    assert [event for _, event, _ in observe(live(True, True))] == ["warning started"]


def test_predictions_with_which_warnings_start_are_passed_on_together():
    started = []
    warning_log = WarningLog(started.append)
    for state in (live(False, False), live(True, True), live(True, True), live(False, True), live(True, False)):
        warning_log.observe(state)
    assert [[prediction.horizon for prediction in predictions] for predictions in started] == [[300, 900], [300]]
