"""Warning tracker: start, continuation and end of warnings."""

from dataclasses import replace

import pytest

from monitor.fleet.process.warning_tracker import WarningTracker
from storage.fleet.records import FleetWarning
from tests.unit.monitor.fleet.fleets import START, STEP, FakeForecaster, sample

pytestmark = pytest.mark.unit


def forecast(time, loads):
    return FakeForecaster().advance(sample(time, loads))


def test_warning_starts_once_and_ends_with_its_peak():
    tracker = WarningTracker()
    started = tracker.update(forecast(START, {"a": 0.6}))
    assert [(warning.horizon, warning.started_at) for warning in started] == [(300.0, START), (900.0, START)]
    assert tracker.update(forecast(START + STEP, {"a": 0.8})) == []
    ended = tracker.update(forecast(START + 2 * STEP, {"a": 0.2}))
    assert ended[0] == FleetWarning("a", 300.0, START, START + 2 * STEP, 0.6, 0.8)
    assert not tracker.active


def test_warning_of_the_previous_process_continues():
    stored = FleetWarning("a", 300.0, START - 600, None, 0.6, 0.7)
    tracker = WarningTracker([stored, replace(stored, horizon=900.0)])
    assert tracker.update(forecast(START, {"a": 0.6})) == []
    assert tracker.active["a", 300.0] == stored


def test_warning_of_the_previous_process_ends_if_it_is_over():
    stored = FleetWarning("a", 300.0, START - 600, None, 0.6, 0.7)
    tracker = WarningTracker([stored])
    assert tracker.update(forecast(START, {"a": 0.1})) == [replace(stored, ended_at=START)]


def test_warning_for_a_removed_horizon_ends():
    stored = FleetWarning("a", 7200.0, START - 600, None, 0.6, 0.7)
    tracker = WarningTracker([stored])
    assert tracker.update(forecast(START, {"b": 0.1})) == [replace(stored, ended_at=START)]


def test_warning_of_a_host_without_a_sample_continues():
    tracker = WarningTracker()
    tracker.update(forecast(START, {"a": 0.6, "b": 0.1}))
    assert tracker.update(forecast(START + STEP, {"b": 0.1})) == []
    assert len(tracker.active) == 2


def test_removed_host_ends_its_warnings():
    tracker = WarningTracker()
    tracker.update(forecast(START, {"a": 0.6, "b": 0.7}))
    ended = tracker.remove(["a"], START + STEP)
    assert {(warning.host, warning.ended_at) for warning in ended} == {("a", START + STEP)}
    assert {host for host, _ in tracker.active} == {"b"}
