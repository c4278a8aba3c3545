"""Training attempts of a backtest."""

from dataclasses import replace

import numpy as np
import pytest

from model.errors import SkipReason
from model.training.refusal import ComparisonSkip, RefusalReason
from model.training.settings import BacktestConfig, GateConfig
from model.training.training_attempt import Samples, attempt_training
from tests.unit.model.conftest import COLUMNS, RECIPE, TASK

pytestmark = pytest.mark.unit

FAST = replace(RECIPE, networks=2, layers=(8,), fit=replace(RECIPE.fit, epochs=3))


def attempt(trace, incumbent=None, **gate):
    config = BacktestConfig(until=0.0, interval=None, history=1e9, gate=GateConfig(**gate))
    return attempt_training(Samples(*trace, COLUMNS), TASK, FAST, config, now=5.0, incumbent=incumbent)


def test_accepted_candidate_has_no_reason(trace):
    predictor, result = attempt(trace)
    assert predictor is not None
    assert (result.at, result.promoted, result.reason, result.by_gate) == (5.0, True, None, False)


def test_refused_candidate_has_the_reason_of_the_gate(trace):
    predictor, result = attempt(trace, min_skill=1.0)
    assert predictor is None
    assert (result.promoted, result.reason, result.by_gate) == (False, RefusalReason.LOW_SKILL, True)
    assert result.refusal


@pytest.mark.parametrize(("gate", "promoted"), [({}, True), ({"min_skill": 1.0}, False)])
def test_attempt_has_the_reason_why_the_incumbent_was_not_compared(trace, gate, promoted):
    predictor, first = attempt(trace)
    foreign = replace(predictor, spec=replace(predictor.spec, columns=("other", *COLUMNS[1:])), holdout_model=None)
    _, result = attempt(trace, foreign, **gate)
    assert (first.comparison_skip, result.comparison_skip) == (None, ComparisonSkip.OTHER_METRICS)
    assert result.promoted is promoted


def test_history_that_is_not_enough_has_the_reason_of_the_training(trace):
    times, values = trace
    calm = values.copy()
    calm[:, 0] = 0.1
    predictor, result = attempt((times, calm))
    assert predictor is None
    assert (result.reason, result.by_gate) == (SkipReason.NO_HIGH_LOAD, False)


def test_training_uses_the_newest_part_of_the_history(trace):
    times, values = trace
    calm = values.copy()
    calm[len(calm) // 2 :, 0] = 0.1
    config = BacktestConfig(until=0.0, interval=None, history=float(times[-1] - times[-1000]), gate=GateConfig())
    _, result = attempt_training(Samples(times, calm, COLUMNS), TASK, FAST, config, now=0.0, incumbent=None)
    assert result.reason is SkipReason.NO_HIGH_LOAD
    rows = Samples(times, calm, COLUMNS).take(slice(3, 7))
    assert np.array_equal(rows.times, times[3:7])
