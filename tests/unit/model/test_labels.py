"""High load means what the rules say, lasts as long as it must, and labels look only forward."""

import numpy as np
import pytest

from model.errors import InputError
from model.features.labels import Rules, future_labels, parse_quantile
from model.features.rolling_window import RollingWindow

pytestmark = pytest.mark.unit

COLUMNS = ("cpu_usage", "memory_usage")
RULES = Rules(((("cpu_usage", 0.8),), (("cpu_usage", 0.5), ("memory_usage", 0.9))), sustained=0.0)
NAN = float("nan")


def states(times, index, sustained, step=10.0):
    history = RollingWindow(("u",), Rules(((("u", 1.0),),), sustained), step)
    history.extend(np.array(times, float), np.array(index, float)[:, None])
    return history.state.tolist()


@pytest.mark.parametrize(
    ("cpu", "memory", "high"),
    [(0.8, 0.1, True), (0.79, 0.1, False), (0.5, 0.9, True), (0.5, 0.89, False), (0.49, 1.0, False)],
)
def test_a_sample_is_high_when_all_bounds_of_any_rule_hold(cpu, memory, high):
    assert (RULES.load_index(COLUMNS, np.array([[cpu, memory]]))[0] >= 1) == high


def test_a_rule_with_a_missing_value_is_unknown_and_another_still_decides():
    index = RULES.load_index(COLUMNS, np.array([[0.9, NAN], [NAN, 0.9]]))
    assert index[0] == pytest.approx(0.9 / 0.8)
    assert np.isnan(index[1])


def test_a_quantile_is_resolved_on_the_history_and_kept():
    values = np.column_stack([np.linspace(0, 1, 101), np.full(101, NAN)])
    rules = Rules(((("cpu_usage", "p95"),),), 0.0)
    assert not rules.resolved
    assert np.isnan(rules.load_index(COLUMNS, values)).all()
    assert rules.resolve(COLUMNS, values).rules == ((("cpu_usage", pytest.approx(0.95)),),)


def test_a_quantile_of_nothing_names_its_metric():
    with pytest.raises(InputError, match="memory_usage"):
        Rules(((("memory_usage", "p95"),),), 0.0).resolve(COLUMNS, np.full((5, 2), NAN))


@pytest.mark.parametrize(
    ("text", "share"), [("p95", 0.95), ("p99.5", 0.995), ("p0", None), ("95", None), ("px", None)]
)
def test_quantiles_are_written_with_a_p(text, share):
    assert parse_quantile(text) == (None if share is None else pytest.approx(share))


def test_high_load_counts_once_it_has_lasted():
    assert states([0, 10, 20, 30, 40, 50], [0, 1, 1, 1, 0, 1], sustained=30) == [0, 0, 0, 1, 0, 0]


def test_a_step_longer_than_the_time_it_must_last_counts_at_once():
    assert states([0, 300, 600], [0, 1, 0], sustained=120, step=300) == [0, 1, 0]


def test_a_run_does_not_go_on_across_a_gap():
    assert states([0, 10, 20, 100, 110, 120], [1, 1, 1, 1, 1, 1], sustained=30) == [0, 0, 1, 0, 0, 1]


def test_an_unknown_sample_is_an_unknown_state_and_ends_the_run():
    found = states([0, 10, 20, 30], [1, NAN, 1, 1], sustained=20)
    assert found[0] == 0
    assert np.isnan(found[1])
    assert found[2:] == [0, 1]


def labels(times, state, horizon, step=10.0):
    return future_labels(np.array(times, float), np.array(state, float), [horizon], step)[:, 0].tolist()


def test_a_label_sees_the_future_up_to_its_horizon_and_not_the_present():
    assert labels([0, 10, 20, 30, 40, 50], [1, 0, 0, 1, 0, 0], 20)[:4] == [0, 1, 1, 0]


def test_the_end_of_the_history_leaves_calm_unknown_and_high_load_known():
    found = labels([0, 10, 20, 30], [0, 0, 0, 1], 30)
    assert found[:3] == [1, 1, 1]
    assert np.isnan(found[3])


def test_a_gap_in_the_horizon_makes_calm_unknown():
    found = labels([0, 10, 20, 200, 210, 220, 230], [0] * 7, 20)
    assert found[0] == 0
    assert np.isnan(found[1:3]).all()
    assert found[3:5] == [0, 0]


def test_high_load_after_a_gap_but_within_the_horizon_is_known():
    assert labels([0, 10, 60, 70], [0, 0, 1, 0], 50)[1] == 1


def test_an_unknown_state_in_the_horizon_makes_calm_unknown():
    found = labels([0, 10, 20, 30, 40], [0, 0, NAN, 0, 0], 20)
    assert np.isnan(found[0])
    assert found[2] == 0
