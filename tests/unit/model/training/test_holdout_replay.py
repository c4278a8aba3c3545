"""Holdout replay."""

from dataclasses import replace

import numpy as np
import pytest

from model.training.blend_weights import expert_predictions, halves
from model.training.holdout_replay import holdout_models, replay

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def replayed(candidate, trace):
    return list(replay(candidate.holdout_models, *trace))


def test_each_fold_has_the_model_fitted_before_it(candidate, trace, replayed):
    times, _ = trace
    models = candidate.holdout_models
    starts = [model.start for model in models]
    assert starts == sorted(set(starts))
    assert all(model.predictor.fitted_until == model.start for model in models)
    assert len({model.predictor.base_rates for model in models}) == candidate.folds == len(models) == 3
    assert models[-1].start == candidate.predictor.holdout_model.fitted_until
    assert [part.rows.start for part in replayed] == np.searchsorted(times, starts).tolist()


def test_holdout_models_ignore_the_labels_of_their_part(candidate):
    model = candidate.predictor.holdout_model
    predictions = expert_predictions([model], [candidate.holdout])
    parts = halves(len(predictions.times))
    first_half_reversed = np.where((parts == 0)[:, None], 1 - predictions.y, predictions.y)
    changed = replace(predictions, y=first_half_reversed)
    before, after = (
        [part.predictor for part in holdout_models([model, model], parts, made)] for made in (predictions, changed)
    )
    assert before[0].blends == after[0].blends
    assert before[1].blends != after[1].blends


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
