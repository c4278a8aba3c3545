"""Backtest: replay of a trace without knowledge of the future."""

import numpy as np
import pytest

from model.errors import NotEnoughHistoryError, SkipReason
from model.features.labels import Rules
from model.forecast.predictor import predict_at
from model.forecast.pretrained import bootstrap_predictor
from model.forecast.serialization import bundled_pretrained_model
from model.nn.fit_config import FitConfig
from model.training.backtest import backtest
from model.training.refusal import RefusalReason
from model.training.settings import BacktestConfig, GateConfig, Recipe
from model.training.task import Task
from model.trees.boosting import BoostingConfig
from tests.unit.model.conftest import COLUMNS, TASK, make_trace

pytestmark = pytest.mark.unit

RECIPE = Recipe(networks=2, layers=(16,), fit=FitConfig(epochs=6), boosting=BoostingConfig(trees=20))
ALL_HISTORY = 1e9


def schedule(times, ratio=0.6, interval=None, **gate):
    until = float(times[int(len(times) * ratio)])
    return BacktestConfig(until, interval, ALL_HISTORY, GateConfig(**gate))


@pytest.fixture(scope="module")
def replayed(trace):
    times, values = trace
    config = schedule(times, interval=(times[-1] - times[0]) / 8)
    return backtest(times, values, COLUMNS, TASK, RECIPE, config)


def test_backtest_trains_at_its_interval_and_predicts_every_sample(replayed, trace):
    times, _ = trace
    starts = [attempt.at for attempt in replayed.attempts]
    assert starts == sorted(set(starts))
    assert len(starts) == 4
    assert starts[0] == replayed.times[0] == times[int(len(times) * 0.6)]
    assert not np.isnan(replayed.probabilities).any()
    assert set(np.unique(replayed.warnings)) <= {0.0, 1.0}


@pytest.mark.parametrize("onset", [False, True])
def test_backtest_predicts_a_rhythm_better_than_the_baselines(replayed, onset):
    for scores in replayed.scores(onset=onset):
        assert scores["network"].brier_skill > 0.3
        assert set(scores) == {"network", *replayed.baselines}
        assert scores["network"].brier < min(s.brier for name, s in scores.items() if name != "network")


def test_onset_skill_is_relative_to_the_onset_rate(replayed):
    for scores in replayed.scores(onset=True):
        assert scores["climatology"].brier_skill == pytest.approx(0, abs=1e-9)
    assert (replayed.onset_rates < replayed.base_rates).all()
    assert (replayed.onset_rates > 0).all()


def test_backtest_without_interval_trains_once(trace):
    times, values = trace
    assert len(backtest(times, values, COLUMNS, TASK, RECIPE, schedule(times)).attempts) == 1


@pytest.mark.parametrize("cut", [0.7, 0.85])
def test_later_samples_do_not_change_predictions(replayed, trace, cut):
    times, values = trace
    row = int(len(times) * cut)
    changed = values.copy()
    changed[row:] = np.random.default_rng(0).random(changed[row:].shape)
    config = schedule(times, interval=(times[-1] - times[0]) / 8)
    again = backtest(times, changed, COLUMNS, TASK, RECIPE, config)
    before = replayed.times < times[row]
    assert np.array_equal(again.probabilities[before], replayed.probabilities[before])
    assert not np.array_equal(again.probabilities[~before], replayed.probabilities[~before])


def test_pretrained_model_serves_while_the_gate_refuses_candidates(trace):
    times, values = trace
    result = backtest(times, values, COLUMNS, TASK, RECIPE, schedule(times, min_skill=1.0))
    assert result.attempts[0].reason is RefusalReason.LOW_SKILL
    pretrained = bootstrap_predictor(
        bundled_pretrained_model(), COLUMNS, TASK.rules, TASK.horizons, 10.0, TASK.precision
    )
    assert np.array_equal(result.probabilities, predict_at(pretrained.fused(), times, values, result.times))


def test_backtest_has_no_predictions_if_no_model_can_serve():
    times, values = make_trace(rows=400, step=7200.0)
    task = Task(TASK.rules, (7200.0, 14400.0))
    result = backtest(times, values, COLUMNS, task, RECIPE, schedule(times, min_skill=1.0))
    assert np.isnan(result.probabilities).all()
    assert np.isnan(result.warnings).all()
    assert result.scores(onset=False) == ({}, {})


@pytest.mark.parametrize("position", ["before", "after"])
def test_start_outside_the_trace_is_refused(trace, position):
    times, values = trace
    until = float(times[0]) if position == "before" else float(times[-1] + 1)
    config = BacktestConfig(until, None, ALL_HISTORY, GateConfig())
    with pytest.raises(NotEnoughHistoryError) as caught:
        backtest(times, values, COLUMNS, TASK, RECIPE, config)
    assert caught.value.skip_reason is SkipReason.HISTORY_TOO_SHORT


@pytest.mark.parametrize("start", [0.0, 1.8e9, 1.8e9 + 3e-7])
@pytest.mark.parametrize("replayed_rows", [1, 2, 3])
@pytest.mark.parametrize("interval", [None, 3600.0, 1e9])
def test_few_rows_are_replayed_at_any_time(start, replayed_rows, interval):
    times = start + 60.0 * np.arange(10)
    values = np.full((10, len(COLUMNS)), 0.3)
    config = BacktestConfig(float(times[-replayed_rows]), interval, ALL_HISTORY, GateConfig())
    result = backtest(times, values, COLUMNS, TASK, RECIPE, config)
    assert len(result.times) == len(result.probabilities) == replayed_rows
    assert (result.state == 0).all()


def test_trace_with_a_sample_of_1970_is_replayed():
    times = np.append(0.0, 1.8e9 + 60.0 * np.arange(10))
    values = np.full((11, len(COLUMNS)), 0.3)
    config = BacktestConfig(float(times[0]) + 1.0, 3600.0, ALL_HISTORY, GateConfig())
    result = backtest(times, values, COLUMNS, TASK, RECIPE, config)
    assert len(result.times) == 10


def test_gap_and_missing_values_are_replayed():
    times, values = make_trace()
    gap = slice(int(len(times) * 0.7), int(len(times) * 0.75))
    values[gap.stop : gap.stop + 20, 0] = np.nan
    times = np.delete(times, gap)
    values = np.delete(values, gap, axis=0)
    result = backtest(times, values, COLUMNS, TASK, RECIPE, schedule(times))
    assert np.isfinite(result.probabilities).all()
    assert np.isnan(result.labels).any()


def test_quantile_bounds_are_resolved_per_training(trace):
    times, values = trace
    task = Task(Rules(((("cpu_usage", "p90"),),), 20.0), TASK.horizons)
    config = schedule(times, interval=(times[-1] - times[0]) / 4)
    result = backtest(times, values, COLUMNS, task, RECIPE, config)
    assert np.isfinite(result.probabilities).all()
    assert len(result.attempts) >= 2
