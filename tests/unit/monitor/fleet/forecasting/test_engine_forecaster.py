"""Engine forecaster: hosts that come, go and miss samples."""

import numpy as np
import pytest

from monitor.config.loader import Config
from monitor.fleet.forecasting.engine_forecaster import EngineForecaster
from monitor.fleet.forecasting.factory import shared_predictor
from monitor.fleet.interfaces import FleetSample, HostHistory

pytestmark = pytest.mark.unit

COLUMNS = ("cpu_usage", "memory_usage")
STEP = 60.0
START = 1.7e9 // STEP * STEP


def make_forecaster():
    return EngineForecaster(shared_predictor(Config(), COLUMNS, STEP))


def make_sample(number, hosts):
    rng = np.random.default_rng(number)
    return FleetSample(START + STEP * number, hosts, rng.uniform(0, 1, (len(hosts), 2)))


def test_forecaster_adds_hosts_of_a_sample():
    forecaster = make_forecaster()
    forecast = forecaster.advance(make_sample(0, ("a", "b")))
    assert forecaster.hosts == forecast.hosts == ("a", "b")
    assert forecast.probabilities.shape == forecast.warnings.shape == (2, 3)
    assert ((forecast.probabilities >= 0) & (forecast.probabilities <= 1)).all()
    assert forecast.models == ("pretrained", "pretrained")


def test_forecaster_ignores_the_absence_of_other_hosts():
    alone, together = make_forecaster(), make_forecaster()
    for number in range(30):
        sample = make_sample(number, ("a", "b"))
        expected = alone.advance(FleetSample(sample.time, ("b",), sample.values[1:]))
        forecast = together.advance(sample if number % 3 else FleetSample(sample.time, ("b",), sample.values[1:]))
        np.testing.assert_array_equal(forecast.probabilities[-1:], expected.probabilities)


def test_forecaster_forgets_removed_hosts():
    forecaster = make_forecaster()
    forecaster.advance(make_sample(0, ("a", "b")))
    forecaster.remove(["a", "unknown"])
    assert forecaster.hosts == ("b",)


def test_forecaster_leaves_out_hosts_whose_history_is_not_older_than_the_sample():
    forecaster = make_forecaster()
    forecaster.add([HostHistory("a", np.array([START]), np.zeros((1, 2)))])
    assert forecaster.advance(make_sample(0, ("a", "b"))).hosts == ("b",)
    assert forecaster.advance(make_sample(1, ("a", "b"))).hosts == ("a", "b")
