"""Forecast block: equal to online engines, one per host, apart from the running level."""

import numpy as np
import pytest

from model.features.labels import Rules
from model.forecast.fleet.forecast_block import ForecastBlock
from model.forecast.fleet.host_levels import HostLevels
from model.forecast.online.engine import OnlineEngine
from model.forecast.pretrained import bootstrap_predictor
from model.forecast.serialization import bundled_pretrained_model

pytestmark = pytest.mark.unit

STEP = 60.0
START = 1.7e9 // 300 * 300
RULES = Rules(((("cpu_usage", 0.8),),), 120.0)
HOSTS = 3


def make_predictor():
    return bootstrap_predictor(bundled_pretrained_model(), ("cpu_usage",), RULES, (300.0, 900.0, 3600.0), STEP, 0.5)


def make_samples(rows):
    rng = np.random.default_rng(7)
    busy = (np.arange(rows)[:, None] // 25 + np.arange(HOSTS)) % 3 == 0
    values = np.clip(0.45 + 0.4 * busy + rng.normal(0, 0.08, (rows, HOSTS)), 0, 1)
    return START + STEP * np.arange(rows), values[..., None], rng.random((rows, HOSTS)) < 0.9


def test_block_predicts_like_an_engine_per_host(monkeypatch):
    monkeypatch.setattr(HostLevels, "observe", lambda *_: None)
    predictor = make_predictor()
    times, values, present = make_samples(400)
    block = ForecastBlock(predictor, HOSTS + 1)
    engines = [OnlineEngine(predictor.spec, predictor) for _ in range(HOSTS)]
    block.open_slot(times[99])
    for host, engine in enumerate(engines):
        rows = np.flatnonzero(present[:100, host])
        block.add(host, times[rows], values[rows, host])
        engine.advance(times[None, rows], values[None, rows, host])
    warnings = 0
    for row in range(100, len(times)):
        padded = np.concatenate((values[row], np.full((1, 1), np.nan)))
        forecast = block.advance(times[row], padded, np.append(present[row], False))
        assert forecast.hosts.tolist() == np.flatnonzero(present[row]).tolist()
        for i, host in enumerate(forecast.hosts):
            engine = engines[host]
            engine.advance(times[None, row : row + 1], values[None, row : row + 1, host])
            expected = engine.forecast()
            np.testing.assert_array_equal(forecast.probabilities[i], expected.probabilities[0, 0])
            np.testing.assert_array_equal(forecast.warnings[i], expected.warnings[0, 0])
            np.testing.assert_array_equal(forecast.thresholds[i], expected.thresholds[0, 0])
            assert forecast.high[i] == expected.high[0, 0]
        warnings += int(forecast.warnings.sum())
    assert warnings > 10


def test_levels_lower_the_predictions_of_a_host_without_high_load():
    block = ForecastBlock(make_predictor(), 1)
    model = ForecastBlock(make_predictor(), 1)
    for row in range(600):
        value = np.array([[0.79 if row % 10 == 0 else 0.6]])
        published = block.advance(START + STEP * row, value, np.ones(1, bool)).probabilities
        if row == 500:
            model.open_slot(START + STEP * row)
    assert (block.outcomes.log.matured(0).outcomes[:100] == 0).all()
    assert (block.outcomes._levels.offsets[0, 0] < 0).any()
    assert (published < block.outcomes.log.matured(0).probabilities[-1]).any()


def test_cleared_host_starts_without_outcomes():
    block = ForecastBlock(make_predictor(), 2)
    for row in range(100):
        block.advance(START + STEP * row, np.full((2, 1), 0.9), np.ones(2, bool))
    block.clear(np.array([0]))
    assert np.isnan(block.outcomes.base_rates(np.array([0, 1]))[0]).all()
    assert (block.outcomes.base_rates(np.array([1]))[0, 0] > 0.9).all()
    fresh = ForecastBlock(make_predictor(), 2)
    time = START + STEP * 100
    samples = time, np.full((2, 1), 0.5), np.array([True, False])
    np.testing.assert_array_equal(block.advance(*samples).probabilities, fresh.advance(*samples).probabilities)
