"""Training pipeline."""

from dataclasses import replace

import numpy as np
import pytest

from model.errors import NotEnoughHistoryError, SkipReason
from model.forecast.online.hysteresis import start_threshold
from model.forecast.predictor import predict_at
from model.forecast.pretrained import bootstrap_predictor
from model.forecast.serialization import bundled_pretrained_model, dumps, loads
from model.training.pipeline import train
from tests.unit.model.conftest import COLUMNS, RECIPE, TASK, make_trace

pytestmark = pytest.mark.unit


def test_same_seed_and_samples_yield_the_same_bytes(candidate, trace):
    again = train(*trace, COLUMNS, TASK, RECIPE, np.random.default_rng(0))
    assert dumps(again.predictor) == dumps(candidate.predictor)


def test_train_reports_each_epoch(trace):
    times, values = trace
    recipe = replace(RECIPE, networks=2, fit=replace(RECIPE.fit, epochs=2))
    epochs = []
    train(
        times[:2000],
        values[:2000],
        COLUMNS,
        TASK,
        recipe,
        np.random.default_rng(0),
        lambda epoch, total: epochs.append((epoch.number, total)),
    )
    # A plain network of two epochs and an encoded one of one epoch, for three folds and for serving.
    assert epochs == [(number, 12) for number in range(1, 13)]


def test_warnings_start_at_the_threshold_of_the_target_precision(candidate):
    predictor = candidate.predictor
    assert predictor.thresholds == predictor.holdout_model.thresholds == (start_threshold(TASK.precision),) * 2


def test_horizon_without_examples_is_served_by_the_pretrained_model():
    times, values = make_trace(rows=600)
    # Within 20 minutes, high load always follows.
    task = replace(TASK, horizons=(60.0, 1200.0))
    candidate = train(times, values, COLUMNS, task, RECIPE, np.random.default_rng(0))
    assert candidate.omitted_horizons[1200.0].reason is SkipReason.NO_CALM_LOAD
    assert candidate.horizons == candidate.predictor.holdout_model.horizons == (60.0,)
    predictor = loads(dumps(candidate.predictor))
    assert (predictor.horizons, predictor.pretrained_horizons) == (task.horizons, (1200.0,))
    pretrained = bundled_pretrained_model()
    spec = predictor.spec
    alone = bootstrap_predictor(pretrained, COLUMNS, spec.rules, task.horizons, spec.step, task.precision)
    served = predict_at(predictor, times, values, times[-300:])
    assert served[:, 1] == pytest.approx(
        np.maximum(predict_at(alone, times, values, times[-300:])[:, 1], served[:, 0]), abs=1e-6
    )
    assert (predictor.base_rates[1], predictor.thresholds[1]) == (alone.base_rates[1], task.precision)


def test_horizon_is_omitted_where_the_pretrained_model_does_not_apply():
    times, values = make_trace(rows=600)
    task = replace(TASK, horizons=(20.0, 1200.0))
    candidate = train(times, values, COLUMNS, task, RECIPE, np.random.default_rng(0))
    assert set(candidate.omitted_horizons) == {1200.0}
    assert (candidate.predictor.horizons, candidate.predictor.pretrained_horizons) == ((20.0,), ())


def test_history_without_high_load_is_not_enough():
    times, values = make_trace()
    values[:, 0] = 0.1
    with pytest.raises(NotEnoughHistoryError) as caught:
        train(times, values, COLUMNS, TASK, RECIPE, np.random.default_rng(0))
    assert caught.value.skip_reason is SkipReason.NO_HIGH_LOAD


def test_history_without_known_outcomes_is_not_enough():
    times, values = make_trace(rows=30, step=10.0)
    values[:, 0] = np.where(np.arange(len(values)) % 2, 0.5, np.nan)
    with pytest.raises(NotEnoughHistoryError) as caught:
        train(times, values, COLUMNS, TASK, RECIPE, np.random.default_rng(0))
    assert caught.value.skip_reason is SkipReason.NO_KNOWN_OUTCOME


def test_history_without_the_metric_of_the_rule_names_both():
    times, values = make_trace(rows=300)
    values[:, 0] = np.nan
    for bound in (0.8, "p95"):
        task = replace(TASK, rules=replace(TASK.rules, rules=((("cpu_usage", bound),),)))
        with pytest.raises(NotEnoughHistoryError) as caught:
            train(times, values, COLUMNS, task, RECIPE, np.random.default_rng(0))
        assert caught.value.skip_reason is SkipReason.MISSING_METRIC
        assert f"cpu_usage = {bound}" in str(caught.value)
