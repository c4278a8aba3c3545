"""A fit learns what can be learned, stops when it should, and says what it saw."""

from dataclasses import replace

import numpy as np
import pytest

from model.errors import DivergedError, InputError
from model.training import FitConfig, Part, fit

pytestmark = pytest.mark.unit

CONFIG = FitConfig(layers=(16,), epochs=30, batch_size=64, learning_rate=0.01, dropout=0.0)


def xor_parts(n=1200):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 2)).astype(np.float32)
    y = ((x[:, 0] > 0) ^ (x[:, 1] > 0)).astype(np.float32)[:, None]
    return Part(x[: n // 2], y[: n // 2]), Part(x[n // 2 :], y[n // 2 :])


def test_it_learns_what_no_line_separates():
    train, validation = xor_parts()
    network, report = fit(train, validation, CONFIG, np.random.default_rng(1))
    right = (network.predict(validation.x) > 0) == (validation.y == 1)
    assert right.mean() > 0.95
    assert report.health.state == "healthy"


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not():
    flats = [fit(*xor_parts(), CONFIG, np.random.default_rng(seed))[0].flat.tobytes() for seed in (4, 4, 5)]
    assert flats[0] == flats[1] != flats[2]


def test_it_keeps_the_best_epoch_and_stops_when_later_ones_do_not_help():
    rng = np.random.default_rng(0)
    noise = [
        Part(rng.normal(size=(80, 20)).astype(np.float32), rng.integers(0, 2, (80, 1)).astype(np.float32))
        for _ in "tv"
    ]
    network, report = fit(*noise, replace(CONFIG, epochs=200, patience=3), np.random.default_rng(1))
    losses = [epoch.validation_loss for epoch in report.epochs]
    assert len(losses) == report.kept + 3 < 200
    assert min(losses) == report.best.validation_loss
    z = network.predict(noise[1].x)
    kept = np.mean(np.maximum(z, 0) - z * noise[1].y + np.log1p(np.exp(-np.abs(z))))
    assert kept == pytest.approx(report.best.validation_loss, rel=1e-5)


def test_an_absurd_learning_rate_is_stopped_and_named():
    with pytest.raises(DivergedError, match=r"training\.learning_rate"), np.errstate(all="ignore"):
        fit(
            *xor_parts(),
            replace(CONFIG, learning_rate=1e4, schedule="constant", gradient_clip=0),
            np.random.default_rng(0),
        )


def test_health_counts_clipped_steps_and_names_every_parameter():
    train, validation = xor_parts()
    _, report = fit(train, validation, replace(CONFIG, gradient_clip=1e-3, epochs=2), np.random.default_rng(0))
    health = report.health
    assert health.clipped_steps == health.steps == 2 * -(-len(train.x) // 16)
    assert [p.name for p in health.parameters] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert all(0 < p.norm <= p.norm_max and p.update_ratio > 0 for p in health.parameters)


@pytest.mark.parametrize(
    ("limits", "state"),
    [({"vanishing_gradient": 1e9}, "vanishing"), ({"exploding_gradient": 1e-9}, "exploding")],
)
def test_the_verdict_follows_the_configured_limits(limits, state):
    _, report = fit(*xor_parts(), replace(CONFIG, epochs=1, **limits), np.random.default_rng(0))
    assert report.health.state == state
    assert report.health.advice


def test_recorded_norms_are_those_of_the_gradient():
    train, validation = xor_parts(8)
    config = replace(CONFIG, epochs=1, batch_size=100, layers=())
    _, report = fit(train, validation, config, np.random.default_rng(0))
    epoch = report.epochs[0]
    total = np.sqrt(sum(p.norm**2 for p in report.health.parameters))
    assert total == pytest.approx(epoch.gradient_norm, rel=1e-5)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda p: Part(np.where(p.x > 2, np.inf, p.x), p.y), "not finite"),
        (lambda p: Part(p.x, p.y * 2), "neither 0 nor 1"),
        (lambda p: Part(p.x[:-1], p.y), "same rows"),
    ],
)
def test_data_that_cannot_be_learned_from_is_refused(spoil, words):
    train, validation = xor_parts()
    with pytest.raises(InputError, match=words):
        fit(spoil(train), validation, CONFIG, np.random.default_rng(0))


def test_an_error_from_the_observer_ends_the_training():
    def stop(epoch):
        raise TimeoutError

    with pytest.raises(TimeoutError):
        fit(*xor_parts(), CONFIG, np.random.default_rng(0), stop)
