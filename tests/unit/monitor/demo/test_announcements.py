"""Lines of the terminal output."""

from dataclasses import replace

import pytest

from model.serving import Serving
from monitor.demo.announcements import Announcer
from monitor.inference.forecast import Forecast
from storage import ChannelHealth, Prediction
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit


@pytest.fixture
def lines():
    return []


@pytest.fixture
def at(live, lines):
    """Return a function that passes the state of a minute to the announcer."""
    announcer = Announcer(lines.append)

    def observe(minute, warnings=(), high_load_since=None):
        time = NOW + 60 * minute
        predictions = tuple(
            Prediction(time, horizon, 3, 0.8, 0.1, 0.7, warning=horizon in warnings) for horizon in (300.0, 900.0)
        )
        forecast = Forecast(predictions, (Serving(),) * 2, lambda: [{}, {}], inputs=())
        sample = replace(live.sample, at=time)
        announcer.observe(replace(live, sample=sample, forecast=forecast, high_load_since=high_load_since))

    return observe


def test_each_warning_is_announced_once_with_the_high_load_that_follows(at, lines):
    at(0)
    at(1, warnings=(900.0,))
    at(2, warnings=(900.0, 300.0))
    at(7, high_load_since=NOW + 420)
    at(8, high_load_since=NOW + 420)
    assert len(lines) == 3
    assert "warning: high load within 15m, probability 80%" in lines[0]
    assert "within 5m" in lines[1]
    assert lines[2].endswith("high load begins, 6 min after the warning")


def test_end_of_a_warning_and_of_high_load_are_announced(at, lines):
    at(0, warnings=(900.0,))
    at(1)
    at(2)
    at(3, high_load_since=NOW + 180)
    at(4)
    assert [line.split("  ")[1] for line in lines[1:]] == [
        "warning ended: high load within 15m",
        "high load begins, without a warning",
        "high load ended",
    ]


def test_failed_delivery_is_announced_once_until_a_delivery_succeeds(lines):
    announcer = Announcer(lines.append)
    failed = ChannelHealth("demo", None, NOW, "Connection refused", failures=1)
    for health in (failed, replace(failed, failures=2), replace(failed, failures=0), failed):
        announcer.observe_deliveries(NOW, [health])
    assert len(lines) == 2
    assert lines[0].endswith("notification not delivered: Connection refused")


def test_high_load_without_a_warning_is_announced_as_such(at, lines):
    at(0, warnings=(300.0,))
    at(1)
    at(2, high_load_since=NOW + 120)
    assert lines[2].endswith("without a warning")


def test_anomaly_is_announced_once(state, lines):
    announcer = Announcer(lines.append)
    announcer.observe_jobs(replace(state, anomaly=None))
    announcer.observe_jobs(state)
    announcer.observe_jobs(state)
    assert [line.split("anomaly: ")[1].split()[0] for line in lines] == [
        next(iter(state.anomaly.active.contributions))
    ]
    assert lines[0].endswith("(share of the score)")
