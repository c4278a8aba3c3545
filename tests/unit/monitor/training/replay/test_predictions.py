"""Replayed predictions: selection, storage and scores."""

import numpy as np
import pytest

from model.forecast.online import OnlineEngine
from model.training.holdout_replay import ReplayModel
from monitor.inference.forecast import make_forecast, warm_up
from monitor.training.replay.predictions import SampleHistory, has_predictions, replay_predictions
from storage import SAMPLE_FIELDS, Prediction

from .conftest import END, START, STEP

pytestmark = pytest.mark.unit

MIDDLE = START + 7200.0


def stored(stores, horizon=None):
    return stores.replayed_predictions.between(0.0, 1e12, horizon)


def test_predictions_are_stored_from_the_start_of_the_model_on(filled_stores, history, predictor):
    count = replay_predictions(filled_stores, [ReplayModel(MIDDLE, predictor)], history, 7, since=0.0)
    made = stored(filled_stores)
    assert (len(made), made[0].at, made[-1].at) == (count, MIDDLE, END)
    assert {prediction.model_id for prediction in made} == {7}
    assert filled_stores.predictions.count() == 0


def test_replayed_prediction_equals_the_live_one(filled_stores, history, predictor):
    replay_predictions(filled_stores, [ReplayModel(MIDDLE, predictor)], history, 7, since=0.0)
    engine = OnlineEngine(predictor.spec, predictor)
    at = MIDDLE + 100 * STEP
    warm_up(engine, filled_stores, at)
    live = make_forecast(engine, 7, at).predictions
    replayed = {p.horizon: p for p in stored(filled_stores) if p.at == at}
    assert replayed[300.0].probability == pytest.approx(live[0].probability, abs=1e-9)
    assert replayed[300.0].high_load_since == live[0].high_load_since


def test_predictions_are_thinned_to_sixty_per_horizon(filled_stores, history, predictor):
    replay_predictions(filled_stores, [ReplayModel(MIDDLE, predictor)], history, 7, since=0.0)
    assert set(np.diff([p.at for p in stored(filled_stores, 300.0)])) == {10.0}
    assert len([p for p in stored(filled_stores, 900.0) if p.at < MIDDLE + 900.0]) == 60


def test_nothing_is_replayed_next_to_live_predictions(filled_stores, history, predictor):
    live = [Prediction(at, 300.0, 1, 0.5, 0.1, 0.9) for at in np.arange(MIDDLE, MIDDLE + 600.0, STEP).tolist()]
    filled_stores.predictions.append(live)
    replay_predictions(filled_stores, [ReplayModel(START, predictor)], history, 7, since=0.0)
    times = {prediction.at for prediction in stored(filled_stores)}
    assert not times & set(np.arange(MIDDLE, MIDDLE + 600.0, STEP))
    assert {MIDDLE - STEP, MIDDLE + 600.0} <= times
    assert filled_stores.predictions.between(0.0, 1e12) == live


def test_second_replay_replaces_the_first(filled_stores, history, predictor):
    for model_id in (7, 8):
        count = replay_predictions(filled_stores, [ReplayModel(MIDDLE, predictor)], history, model_id, since=0.0)
    assert {prediction.model_id for prediction in stored(filled_stores)} == {8}
    assert filled_stores.replayed_predictions.count() == count
    (scored,) = {
        sum(row.scored for row in filled_stores.replayed_scores.totals_since(300.0, 0.0)),
    }
    assert scored == len([p for p in stored(filled_stores, 300.0) if p.at <= END - 300.0])


def test_replay_keeps_earlier_predictions_before_its_start(filled_stores, history, predictor):
    replay_predictions(filled_stores, [ReplayModel(START, predictor)], history, 7, since=0.0)
    replay_predictions(filled_stores, [ReplayModel(MIDDLE, predictor)], history, 8, since=0.0)
    models = {prediction.at: prediction.model_id for prediction in stored(filled_stores)}
    assert (models[MIDDLE - STEP], models[MIDDLE]) == (7, 8)


def test_since_limits_the_replay(filled_stores, history, predictor):
    models = [ReplayModel(START, predictor), ReplayModel(START + 3600.0, predictor)]
    replay_predictions(filled_stores, models, history, 7, since=MIDDLE)
    assert stored(filled_stores)[0].at == MIDDLE
    assert replay_predictions(filled_stores, models, history, 7, since=END + 1) == 0


def test_scores_are_kept_apart_from_live_ones(filled_stores, history, predictor):
    replay_predictions(filled_stores, [ReplayModel(START, predictor)], history, 7, since=0.0)
    assert filled_stores.replayed_scores.horizons() == [300.0, 900.0]
    assert len(filled_stores.replayed_scores.onsets_since(300.0, 0.0)) == 8
    assert (filled_stores.scores.horizons(), filled_stores.scores.scored_until()) == ([], {})


def test_samples_without_a_metric_of_the_rules_have_no_prediction(filled_stores, history, predictor):
    values = history.values.copy()
    values[1000:, SAMPLE_FIELDS.index("cpu_usage")] = np.nan
    unknown = SampleHistory(history.times, values)
    replay_predictions(filled_stores, [ReplayModel(START, predictor)], unknown, 7, since=0.0)
    assert stored(filled_stores)[-1].at == history.times[999]


def test_has_predictions_is_true_in_occupied_buckets_after_the_start(stores):
    stores.predictions.append([Prediction(at, 300.0, 1, 0.5, 0.1, 0.9) for at in (1000.0, 2050.0)])
    times = np.array([1010.0, 1990.0, 2000.0, 2099.0, 2100.0])
    assert has_predictions(stores.predictions, times, 1990.0, 100.0).tolist() == [False, False, True, True, False]
