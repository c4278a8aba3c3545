"""Pretrained model on a host without history."""

import numpy as np
import pytest

from model.errors import UnsupportedTaskError, UnsupportedTaskReason
from model.features.dataset import features_at
from model.features.labels import Rules
from model.forecast.predictor import predict_at
from model.forecast.pretrained import PRETRAINED_HORIZONS, adapt, bootstrap_predictor, input_names
from model.forecast.serialization import bundled_pretrained_model

pytestmark = pytest.mark.unit

COLUMNS = ("cpu_usage", "memory_usage")
RULES = Rules(((("cpu_usage", 0.8),),), 30.0)
HORIZONS = (300.0, 900.0, 3600.0)


def make_predictor(horizons=HORIZONS, step=5.0, rules=RULES):
    return bootstrap_predictor(bundled_pretrained_model(), COLUMNS, rules, horizons, step, 0.8)


def predict(predictor, load, step=5.0):
    times = 1.7e9 + np.arange(len(load)) * step
    return predict_at(predictor, times, np.stack([load, np.full(len(load), 0.5)], axis=1), times)


def test_probability_rises_with_rising_and_high_load():
    predictor = make_predictor()
    loads = {
        "calm": np.full(720, 0.2),
        "rising": np.concatenate([np.full(360, 0.2), np.linspace(0.2, 0.78, 360)]),
        "high": np.concatenate([np.full(600, 0.2), np.full(120, 0.95)]),
    }
    last = {name: predict(predictor, load)[-1] for name, load in loads.items()}
    assert (last["calm"] < 0.2).all()
    assert (last["rising"] > 2 * last["calm"]).all()
    assert (last["high"] > last["rising"]).all()


def test_first_sample_has_a_prediction():
    first = predict(make_predictor(), np.array([0.3]))
    assert ((first > 0) & (first < 1)).all()
    assert (np.diff(first, axis=1) >= 0).all()


def test_adapt_interpolates_between_the_pretrained_horizons():
    spec = make_predictor(PRETRAINED_HORIZONS[:5]).spec
    times = 1.7e9 + np.arange(400) * 5.0
    x = features_at(spec, times, np.random.default_rng(0).random((400, 2)), times)
    pretrained = bundled_pretrained_model()
    outputs = adapt(pretrained, spec, PRETRAINED_HORIZONS).predict(x)
    middle = (PRETRAINED_HORIZONS[3] * PRETRAINED_HORIZONS[4]) ** 0.5
    interpolated = adapt(pretrained, spec, (PRETRAINED_HORIZONS[3], middle, 1e-3, 1e9)).predict(x)
    assert interpolated[:, 0] == pytest.approx(outputs[:, 3], abs=1e-4)
    assert interpolated[:, 1] == pytest.approx((outputs[:, 3] + outputs[:, 4]) / 2, abs=1e-4)
    assert interpolated[:, 2] == pytest.approx(outputs[:, 0], abs=1e-4)
    assert interpolated[:, 3] == pytest.approx(outputs[:, -1], abs=1e-4)


@pytest.mark.parametrize("step", [1.0, 5.0, 60.0, 300.0, 3600.0])
def test_bootstrap_predictor_supports_any_step_up_to_an_hour(step):
    predictor = make_predictor(step=step)
    assert set(input_names(step)) <= set(predictor.spec.names)
    assert np.isfinite(predict(predictor, np.random.default_rng(0).random(50), step)).all()


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        ({"step": 7200.0}, UnsupportedTaskReason.OUT_OF_RANGE),
        ({"horizons": (5.0, 300.0)}, UnsupportedTaskReason.OUT_OF_RANGE),
        ({"rules": Rules(((("cpu_usage", "p95"),),), 30.0)}, UnsupportedTaskReason.QUANTILE_BOUND),
    ],
)
def test_bootstrap_predictor_rejects_unsupported_tasks(task, reason):
    with pytest.raises(UnsupportedTaskError) as caught:
        make_predictor(**task)
    assert caught.value.reason is reason
    assert reason.message in str(caught.value)
