"""Holdout replay."""

from dataclasses import replace

import numpy as np
import pytest

from model.training.blend_weights import expert_predictions, halves
from model.training.holdout_replay import holdout_models, replay, warning_thresholds
from model.training.pipeline import train
from tests.unit.model.conftest import COLUMNS, RECIPE, TASK, make_trace

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def predictions(candidate):
    return expert_predictions([candidate.predictor.holdout_model], [candidate.holdout])


@pytest.fixture(scope="module")
def replayed(candidate, trace):
    return list(replay(candidate.holdout_models, *trace))


def test_candidate_has_a_model_for_each_half_of_a_single_fold(candidate):
    times = candidate.holdout.times
    assert [model.start for model in candidate.holdout_models] == [times[0], times[len(times) // 2]]
    assert all(model.predictor.fitted_until == model.start for model in candidate.holdout_models)


def test_holdout_models_ignore_the_labels_of_their_part(candidate, predictions):
    model = candidate.predictor.holdout_model
    parts = halves(len(predictions.times))
    first_half_reversed = np.where((parts == 0)[:, None], 1 - predictions.y, predictions.y)
    changed = replace(predictions, y=first_half_reversed)
    before, after = (
        [part.predictor for part in holdout_models([model], parts, made, TASK.precision)]
        for made in (predictions, changed)
    )
    assert (before[0].blends, before[0].thresholds) == (after[0].blends, after[0].thresholds)
    assert before[1].blends != after[1].blends


def test_warning_thresholds_ignore_rows_during_high_load(candidate, predictions):
    model = candidate.predictor.holdout_model
    expected = warning_thresholds(model, predictions.take(~predictions.high), TASK.precision)
    reversed_in_high_load = np.where(predictions.high[:, None], 1 - predictions.y, predictions.y)
    assert predictions.high.any()
    assert warning_thresholds(model, replace(predictions, y=reversed_in_high_load), TASK.precision) == expected


def test_replay_starts_with_the_holdout_and_covers_it(candidate, trace, replayed):
    times, _ = trace
    rows = np.concatenate([np.arange(len(times))[part.rows] for part in replayed])
    assert rows.tolist() == list(range(int(np.searchsorted(times, candidate.holdout.times[0])), len(times)))


def test_replay_predicts_as_the_evaluation(candidate, trace, replayed):
    times, _ = trace
    probabilities = np.concatenate([part.probabilities for part in replayed])
    at = np.concatenate([times[part.rows] for part in replayed])
    calm = candidate.holdout.state == 0
    rows = np.searchsorted(at, candidate.holdout.times[calm])
    difference = np.abs(probabilities[rows] - candidate.probabilities[calm])
    assert np.quantile(difference, 0.95) < 0.01


def test_replay_does_not_look_ahead(candidate, trace, replayed):
    times, values = trace
    first = replayed[0]
    end = first.rows.start + 100
    (shortened,) = replay(candidate.holdout_models, times[:end], values[:end])
    assert np.array_equal(shortened.probabilities, first.probabilities[:100])


def test_each_of_several_folds_has_the_model_fitted_before_it():
    times, values = make_trace(rows=4000, period=4000.0)
    candidate = train(times, values, COLUMNS, TASK, RECIPE, np.random.default_rng(0))
    models = candidate.holdout_models
    assert (candidate.folds, len(models)) == (3, 3)
    assert [model.start for model in models] == sorted(model.start for model in models)
    assert len({model.predictor.base_rates for model in models}) == 3
    assert models[-1].start == candidate.predictor.holdout_model.fitted_until
    rows = [part.rows.start for part in replay(models, times, values)]
    assert rows == np.searchsorted(times, [model.start for model in models]).tolist()
