"""Fleet forecaster: hosts that come, go and miss samples, and models that serve them."""

import numpy as np
import pytest

from model.forecast.online import FallbackDecision
from monitor.config.loader import Config
from monitor.fleet.forecasting.factory import shared_predictor
from monitor.fleet.forecasting.forecaster import BLOCK_HOSTS, ArrayForecaster
from monitor.fleet.interfaces import FleetSample, HostHistory

pytestmark = pytest.mark.unit

COLUMNS = ("cpu_usage", "memory_usage")
STEP = 60.0
START = 1.7e9 // STEP * STEP


def make_forecaster():
    return ArrayForecaster(shared_predictor(Config(), COLUMNS, STEP))


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


def test_forecaster_leaves_out_history_newer_than_the_newest_sample():
    forecaster, reference = make_forecaster(), make_forecaster()
    times = START + STEP * np.arange(30)
    values = np.full((30, 2), 0.5)
    for each, known in ((forecaster, 30), (reference, 20)):
        each.advance(FleetSample(times[19], ("b",), values[:1]))
        each.add([HostHistory("a", times[:known], values[:known])])
    sample = make_sample(20, ("a", "b"))
    np.testing.assert_array_equal(forecaster.advance(sample).probabilities, reference.advance(sample).probabilities)


def test_forecaster_has_no_predictions_for_a_sample_that_is_not_newer():
    forecaster = make_forecaster()
    forecaster.add([HostHistory("a", np.array([START]), np.zeros((1, 2)))])
    assert forecaster.advance(make_sample(0, ("a", "b"))).hosts == ()
    assert forecaster.advance(make_sample(1, ("a", "b"))).hosts == ("a", "b")


def test_forecaster_predicts_the_same_for_equal_hosts_of_several_blocks(monkeypatch):
    monkeypatch.setattr(ArrayForecaster, "_recalibrate", lambda *_: None)
    forecaster = make_forecaster()
    hosts = tuple(f"{number:04}" for number in range(BLOCK_HOSTS + 50))
    for number in range(20):
        values = np.tile(make_sample(number, ("a",)).values, (len(hosts), 1))
        forecast = forecaster.advance(FleetSample(START + STEP * number, hosts, values))
    assert forecast.hosts == hosts
    assert (forecast.probabilities == forecast.probabilities[0]).all()
    forecaster.remove(hosts[::2])
    forecaster.add([HostHistory("new", np.empty(0), np.empty((0, 2)))])
    sample = FleetSample(START + STEP * 20, (*hosts[1::2], "new"), np.full((len(hosts) // 2 + 1, 2), 0.5))
    probabilities = forecaster.advance(sample).probabilities
    assert (probabilities[:-1] == probabilities[0]).all()
    assert (probabilities[-1] != probabilities[0]).any()


def test_pooled_model_serves_all_hosts():
    forecaster = make_forecaster()
    forecaster.advance(make_sample(0, ("a",)))
    forecaster.serve_pooled(shared_predictor(Config(), COLUMNS, STEP).ensemble)
    assert forecaster.advance(make_sample(1, ("a", "b"))).models == ("pooled", "pooled")


def test_base_rate_counts_the_history_and_the_outcomes_since():
    forecaster = make_forecaster()
    times = START + STEP * np.arange(900)
    cpu = np.where(np.arange(900) < 100, 0.95, 0.1)
    forecaster.add([HostHistory("a", times, np.column_stack([cpu, cpu]))])
    rates = forecaster.advance(FleetSample(times[-1] + STEP, ("a",), np.array([[0.1, 0.1]]))).base_rates
    labels = [round(rate * known) for rate, known in zip(rates[0], (895, 885, 840), strict=True)]
    assert labels == [99, 99, 99]


def test_each_host_is_recalibrated_once_per_interval(monkeypatch):
    decided = []
    module = "monitor.fleet.forecasting.forecaster.decide_fallbacks"
    undecided = (FallbackDecision(),) * 3
    monkeypatch.setattr(module, lambda matured, *_: decided.append(matured) or undecided)
    forecaster = make_forecaster()
    hosts = tuple(f"{number:04}" for number in range(BLOCK_HOSTS + 1))
    for number in range(360):
        forecaster.advance(FleetSample(START + STEP * number, hosts, np.full((len(hosts), 2), 0.5)))
        assert len(decided) <= 2 * (number + 1)
    assert len(decided) == len(hosts)


def test_recalibration_lowers_the_predictions_of_a_host_that_stays_calm():
    forecaster = make_forecaster()
    probabilities = []
    for number in range(1440):
        values = np.array([[0.84 if number % 30 == 0 else 0.6, 0.5]])
        probabilities.append(forecaster.advance(FleetSample(START + STEP * number, ("a",), values)).probabilities)
    first, last = (np.concatenate(probabilities[rows])[::30].mean() for rows in (slice(60, 360), slice(-360, None)))
    assert last < 0.8 * first
