"""Trainings on histories in which high load is rare or unevenly spread."""

import functools
from dataclasses import replace

import numpy as np
import pytest

from model.errors import NotEnoughHistoryError, SkipReason
from model.features.labels import Rules, future_labels
from model.forecast.metrics import brier, calibration_error, with_known_label
from model.forecast.predictor import predict_at
from model.training.pipeline import train
from model.training.promotion import decide_promotion
from model.training.refusal import RefusalReason
from model.training.settings import GateConfig, Recipe
from model.training.task import MIN_EVENTS, Task
from model.trees.boosting import BoostingConfig

pytestmark = pytest.mark.integration

COLUMNS = ("cpu_usage", "memory_usage", "network_receive")
STEP = 300.0
DAY_ROWS = 288
DAYS = 28
TASK = Task(Rules(((("cpu_usage", 0.8),),), 60.0), (900.0, 3600.0))
RECIPE = Recipe(networks=2, layers=(32,), boosting=BoostingConfig(trees=20))


def host(onsets, days=DAYS, seed=0, *, announced=True):
    """Return samples of a host with high load of about 40 minutes from each onset (days) on.

    Args:
        onsets: days since the first sample.
        days: length.
        seed: of the noise.
        announced: network traffic rises 20 minutes before an onset.
    """
    rng = np.random.default_rng(seed)
    rows = days * DAY_ROWS
    times = 1.7e9 + STEP * np.arange(rows)
    cpu = 0.3 + 0.1 * np.sin(2 * np.pi * np.arange(rows) / DAY_ROWS) + rng.normal(0, 0.04, rows)
    traffic = 8 + rng.normal(0, 0.3, rows)
    for onset in np.round(np.asarray(onsets) * DAY_ROWS).astype(int):
        end = onset + rng.integers(5, 12)
        cpu[onset:end] = rng.normal(0.92, 0.02, len(cpu[onset:end]))
        if announced:
            traffic[max(0, onset - 4) : onset] += 2
    memory = rng.normal(0.5, 0.02, rows)
    return times, np.column_stack([np.clip(cpu, 0, 1), memory, np.exp(traffic)])


def spread(events, first, last, seed=1):
    """Return onsets at random times of the days `first` to `last`, at least four hours apart."""
    rng = np.random.default_rng(seed)
    return np.sort(rng.uniform(first, last - events / 6, events)) + np.arange(events) / 6


HISTORIES = {
    "first half": (spread(14, 0.5, 14), 3),
    "newest fifth": (spread(12, 23, 27.8), 3),
    "twice a week": (spread(8, 0.5, 27.5), 3),
    "normal": (spread(60, 0.5, 27.8), 3),
}


@functools.cache
def train_on(name):
    """Return the samples of a history, and the candidate trained on them."""
    samples = host(HISTORIES[name][0])
    return samples, train(*samples, COLUMNS, TASK, RECIPE, np.random.default_rng(0))


@pytest.fixture(params=HISTORIES, ids=str)
def trained(request):
    samples, candidate = train_on(request.param)
    return request.param, samples, candidate, HISTORIES[request.param][1]


def test_history_with_enough_events_yields_a_model_that_the_gate_accepts(trained):
    _, samples, candidate, folds = trained
    assert candidate.folds == folds
    assert candidate.predictor.horizons == TASK.horizons
    assert not candidate.omitted_horizons
    assert decide_promotion(candidate, None, *samples, GateConfig()).refusal is None
    for scores in candidate.scores:
        assert scores["network"].brier_skill > 0.25
        assert scores["network"].calibration_error < 0.08


def test_model_is_calibrated_on_data_that_it_has_not_seen(trained):
    name, _, candidate, _ = trained
    # Four weeks more of the same host, with as many events a day as while it had any.
    rate = {"first half": 0.5, "newest fifth": 2.0, "twice a week": 0.3, "normal": 2.2}[name]
    times, values = host(spread(round(rate * 28), 0.5, 27.8, seed=7), seed=8)
    state = (values[:, 0] >= 0.8).astype(float)
    later = np.arange(3 * DAY_ROWS, len(times))
    p = predict_at(candidate.predictor, times, values, times[later])
    labels = future_labels(times, state, TASK.horizons, later)
    for column in range(len(TASK.horizons)):
        y, probability = with_known_label(labels[:, column], p[:, column])
        assert calibration_error(y, probability) < 0.08
        assert brier(y, probability) < 0.75 * brier(y, np.full(len(y), y.mean()))


def test_gate_refuses_a_model_with_wrong_predictions(trained):
    _, samples, candidate, _ = trained
    rng = np.random.default_rng(0)
    shuffled = replace(candidate, probabilities=rng.permutation(candidate.probabilities))
    refusal = decide_promotion(shuffled, None, *samples, GateConfig()).refusal
    assert refusal.reason is RefusalReason.NOT_BETTER_THAN_BASELINE


@pytest.mark.parametrize("events", [1, MIN_EVENTS - 1])
def test_history_with_too_few_events_is_refused_with_the_figures(events):
    with pytest.raises(NotEnoughHistoryError) as caught:
        train(*host(spread(events, 5, 20)), COLUMNS, TASK, RECIPE, np.random.default_rng(0))
    assert caught.value.skip_reason is SkipReason.TOO_FEW_EVENTS
    assert f"{events} of {MIN_EVENTS}" in str(caught.value)


def test_later_samples_do_not_change_the_predictions_of_a_fold():
    (times, values), candidate = train_on("twice a week")
    holdout_model = candidate.predictor.holdout_model
    begin = np.searchsorted(times, holdout_model.fitted_until)
    changed = values.copy()
    # High load stays where it was, so that the folds are the same.
    changed[begin:, 2] = changed[begin:, 2][::-1]
    again = train(times, changed, COLUMNS, TASK, RECIPE, np.random.default_rng(0)).predictor.holdout_model
    for old, new in zip(holdout_model.ensemble.networks, again.ensemble.networks, strict=True):
        assert np.array_equal(old.flat, new.flat)
