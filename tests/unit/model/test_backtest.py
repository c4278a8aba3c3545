"""A past lived through again says nothing that it could not have known."""

import numpy as np
import pytest
from model.forecast.bundled_weights import bundled_pretrained_model

from model.errors import NotEnoughHistoryError
from model.features.labels import Rules
from model.forecast.predictor import predict_at
from model.forecast.pretrained import bootstrap_predictor
from model.nn.fit_config import FitConfig
from model.training.backtest import BacktestConfig, backtest
from model.training.pipeline import Task
from model.training.settings import GateConfig, Recipe

from .conftest import COLUMNS, make_trace

pytestmark = pytest.mark.unit

TASK = Task(Rules(((("cpu_usage", 0.8),),), 20.0), (60.0, 200.0))
RECIPE = Recipe(layers=(16,), fit=FitConfig(epochs=6))
EVER = 1e9


def rerun(times, share=0.6, interval=None, **kwargs):
    return BacktestConfig(float(times[int(len(times) * share)]), interval, EVER, GateConfig(**kwargs))


@pytest.fixture(scope="module")
def lived(trace):
    times, values = trace
    return backtest(times, values, COLUMNS, TASK, RECIPE, rerun(times, interval=(times[-1] - times[0]) / 8))


def test_it_trains_at_its_interval_and_says_something_at_every_moment_after(lived, trace):
    times, _ = trace
    assert [a.at for a in lived.attempts] == sorted({a.at for a in lived.attempts})
    assert len(lived.attempts) == 4
    assert lived.attempts[0].at == lived.times[0] == times[int(len(times) * 0.6)]
    assert not np.isnan(lived.probabilities).any()
    assert set(np.unique(lived.warnings)) <= {0.0, 1.0}


def test_a_rhythm_is_foreseen_at_all_times_and_at_the_onset(lived):
    for onset in (False, True):
        for found in lived.scores(onset=onset):
            assert found["network"].brier_skill > 0.3
            assert set(found) == {"network", *lived.baselines}
            assert found["network"].brier < min(score.brier for name, score in found.items() if name != "network")


def test_at_the_onset_skill_is_over_how_often_it_begins(lived):
    for found in lived.scores(onset=True):
        assert found["climatology"].brier_skill == pytest.approx(0, abs=1e-9)
    assert (lived.onset_rates < lived.base_rates).all()
    assert (lived.onset_rates > 0).all()


def test_held_still_it_trains_once(trace):
    times, values = trace
    assert len(backtest(times, values, COLUMNS, TASK, RECIPE, rerun(times)).attempts) == 1


@pytest.mark.parametrize("cut", [0.7, 0.85])
def test_what_comes_later_changes_nothing_that_was_said(lived, trace, cut):
    times, values = trace
    row = int(len(times) * cut)
    spoiled = values.copy()
    spoiled[row:] = np.random.default_rng(0).random(spoiled[row:].shape)
    again = backtest(times, spoiled, COLUMNS, TASK, RECIPE, rerun(times, interval=(times[-1] - times[0]) / 8))
    before = lived.times < times[row]
    assert np.array_equal(again.probabilities[before], lived.probabilities[before])
    assert not np.array_equal(again.probabilities[~before], lived.probabilities[~before])


def test_while_no_model_of_the_host_may_serve_the_prior_does_and_the_reason_is_kept(trace):
    times, values = trace
    found = backtest(times, values, COLUMNS, TASK, RECIPE, rerun(times, min_skill=1.0))
    assert "gate.min_skill asks for 1" in found.attempts[0].refusal
    prior = bootstrap_predictor(bundled_pretrained_model(), COLUMNS, TASK.rules, TASK.horizons, 10.0, TASK.precision)
    assert np.array_equal(found.probabilities, predict_at(prior, times, values, found.times))


def test_where_a_prior_cannot_serve_either_nothing_is_said():
    times, values = make_trace(rows=400, step=7200.0)
    task = Task(TASK.rules, (7200.0, 14400.0))
    found = backtest(times, values, COLUMNS, task, RECIPE, rerun(times, min_skill=1.0))
    assert np.isnan(found.probabilities).all()
    assert found.scores(onset=False) == ({}, {})


def test_a_moment_outside_the_trace_is_refused(trace):
    times, values = trace
    for until in (times[0], times[-1] + 1):
        with pytest.raises(NotEnoughHistoryError, match="rows before that moment"):
            backtest(times, values, COLUMNS, TASK, RECIPE, BacktestConfig(float(until), None, EVER, GateConfig()))


def test_a_hole_and_missing_values_around_it_are_lived_through():
    times, values = make_trace()
    hole = slice(int(len(times) * 0.7), int(len(times) * 0.75))
    values[hole.stop : hole.stop + 20, 0] = np.nan
    times, values = np.delete(times, hole), np.delete(values, hole, axis=0)
    found = backtest(times, values, COLUMNS, TASK, RECIPE, rerun(times))
    assert np.isfinite(found.probabilities).all()
    assert np.isnan(found.labels).any()
