"""What was learned on other hosts says something sensible of any host from its first sample on."""

import numpy as np
import pytest
from model.forecast.bundled_weights import bundled_pretrained_model

from model.errors import SerializationError
from model.features.dataset import features_at
from model.features.labels import Rules
from model.forecast.predictor import predict_at
from model.forecast.pretrained import PRETRAINED_HORIZONS, adapted, bootstrap_predictor, inputs
from model.forecast.serialization import dumps, dumps_pretrained, loads, loads_pretrained
from model.nn.numerics import logit

pytestmark = pytest.mark.unit

COLUMNS = ("cpu_usage", "memory_usage")
RULES = Rules(((("cpu_usage", 0.8),),), 30.0)
HORIZONS = (300.0, 900.0, 3600.0)


def predictor(horizons=HORIZONS, step=5.0, rules=RULES):
    return bootstrap_predictor(bundled_pretrained_model(), COLUMNS, rules, horizons, step, 0.8)


def said(found, load, step=5.0):
    times = 1.7e9 + np.arange(len(load)) * step
    return predict_at(found, times, np.stack([load, np.full(len(load), 0.5)], axis=1), times)


def test_it_knows_calm_from_high_and_rising_from_steady():
    found = predictor()
    calm, rising = np.full(720, 0.2), np.concatenate([np.full(360, 0.2), np.linspace(0.2, 0.78, 360)])
    high = np.concatenate([np.full(600, 0.2), np.full(120, 0.95)])
    at_last = {name: said(found, load)[-1] for name, load in (("calm", calm), ("rising", rising), ("high", high))}
    assert (at_last["calm"] < 0.2).all()
    assert (at_last["rising"] > 2 * at_last["calm"]).all()
    assert (at_last["high"] > at_last["rising"]).all()


def test_it_says_something_of_the_very_first_sample():
    first = said(predictor(), np.array([0.3]))
    assert ((first > 0) & (first < 1)).all()
    assert (np.diff(first, axis=1) >= 0).all()


def test_a_horizon_it_was_taught_is_said_by_its_head_and_others_lie_between():
    spec = predictor(PRETRAINED_HORIZONS[:5]).spec
    x = features_at(
        spec, 1.7e9 + np.arange(400) * 5.0, np.random.default_rng(0).random((400, 2)), 1.7e9 + np.arange(400) * 5.0
    )
    taught = adapted(bundled_pretrained_model(), spec, PRETRAINED_HORIZONS).predict(x)
    between = adapted(
        bundled_pretrained_model(),
        spec,
        (PRETRAINED_HORIZONS[3], (PRETRAINED_HORIZONS[3] * PRETRAINED_HORIZONS[4]) ** 0.5, 1e-3, 1e9),
    ).predict(x)
    assert between[:, 0] == pytest.approx(taught[:, 3], abs=1e-4)
    assert between[:, 1] == pytest.approx((taught[:, 3] + taught[:, 4]) / 2, abs=1e-4)
    assert between[:, 2] == pytest.approx(taught[:, 0], abs=1e-4)
    assert between[:, 3] == pytest.approx(taught[:, -1], abs=1e-4)


@pytest.mark.parametrize("step", [1.0, 5.0, 60.0, 300.0, 3600.0])
def test_it_fits_hosts_of_any_interval_up_to_an_hour(step):
    found = predictor(step=step)
    assert set(inputs(step)) <= set(found.spec.names)
    assert np.isfinite(said(found, np.random.default_rng(0).random(50), step)).all()


def test_samples_hours_apart_and_bounds_that_are_not_known_yet_are_too_little():
    for wrong in ({"step": 7200.0}, {"horizons": (5.0, 300.0)}, {"rules": Rules(((("cpu_usage", "p95"),),), 30.0)}):
        with pytest.raises(ValueError, match="prior needs"):
            predictor(**wrong)


def test_its_shares_add_up_to_the_move_from_the_base_rate():
    found = predictor()
    load = np.concatenate([np.full(300, 0.2), np.linspace(0.2, 0.9, 100)])
    times = 1.7e9 + np.arange(400) * 5.0
    for at in (10, 350, 399):
        x = features_at(found.spec, times, np.stack([load, load], axis=1), times[at : at + 1])
        for i, shares in enumerate(found.contributions(x)):
            moved = logit(found.probabilities(x)[0, i]) - logit(np.array(found.base_rates[i]))
            assert sum(shares.values()) == pytest.approx(moved, abs=1e-4)
            assert "memory_usage" not in shares


def test_it_survives_its_bytes():
    found = predictor()
    load = np.random.default_rng(0).random(100)
    assert np.array_equal(said(loads(dumps(found)), load), said(found, load))
    again = loads_pretrained(dumps_pretrained(bundled_pretrained_model(), {}))
    assert np.array_equal(again.networks[0].flat, bundled_pretrained_model().networks[0].flat)
    with pytest.raises(SerializationError):
        loads_pretrained(dumps(found))
