"""High-load rules, load index and labels."""

import numpy as np
import pytest

from model.errors import InputError
from model.features.labels import Rules, future_labels, parse_quantile
from model.features.spacing import follows_gap, sample_spacing

pytestmark = pytest.mark.unit

COLUMNS = ("cpu_usage", "memory_usage")
RULES = Rules(((("cpu_usage", 0.8),), (("cpu_usage", 0.5), ("memory_usage", 0.9))), sustained=0.0)
NAN = float("nan")


@pytest.mark.parametrize(
    ("cpu", "memory", "high"),
    [(0.8, 0.1, True), (0.79, 0.1, False), (0.5, 0.9, True), (0.5, 0.89, False), (0.49, 1.0, False)],
)
def test_load_index_reaches_1_when_all_bounds_of_any_rule_hold(cpu, memory, high):
    assert (RULES.load_index(COLUMNS, np.array([[cpu, memory]]))[0] >= 1) == high


def test_load_index_leaves_out_a_rule_with_a_missing_value():
    index = RULES.load_index(COLUMNS, np.array([[0.9, NAN], [NAN, 0.9]]))
    assert index[0] == pytest.approx(0.9 / 0.8)
    assert np.isnan(index[1])


def test_resolve_replaces_a_quantile_by_its_value():
    values = np.column_stack([np.linspace(0, 1, 101), np.full(101, NAN)])
    rules = Rules(((("cpu_usage", "p95"),),), 0.0)
    assert not rules.resolved
    assert np.isnan(rules.load_index(COLUMNS, values)).all()
    assert rules.resolve(COLUMNS, values).rules == ((("cpu_usage", pytest.approx(0.95)),),)


def test_resolve_rejects_a_quantile_without_values():
    with pytest.raises(InputError, match="memory_usage"):
        Rules(((("memory_usage", "p95"),),), 0.0).resolve(COLUMNS, np.full((5, 2), NAN))


@pytest.mark.parametrize(
    ("text", "quantile"), [("p95", 0.95), ("p99.5", 0.995), ("p0", None), ("95", None), ("px", None)]
)
def test_parse_quantile_needs_a_p_and_a_percentage(text, quantile):
    assert parse_quantile(text) == (None if quantile is None else pytest.approx(quantile))


def labels(times, state, horizon):
    return future_labels(np.array(times, float), np.array(state, float), [horizon])[:, 0].tolist()


def test_label_covers_the_time_after_the_sample_up_to_the_horizon():
    assert labels([0, 10, 20, 30, 40, 50], [1, 0, 0, 1, 0, 0], 20)[:4] == [0, 1, 1, 0]


def test_label_at_the_end_of_the_history_is_known_only_for_high_load():
    values = labels([0, 10, 20, 30], [0, 0, 0, 1], 30)
    assert values[:3] == [1, 1, 1]
    assert np.isnan(values[3])


def test_label_is_unknown_if_a_gap_interrupts_calm():
    values = labels([0, 10, 20, 200, 210, 220, 230], [0] * 7, 20)
    assert values[0] == 0
    assert np.isnan(values[1:3]).all()
    assert values[3:5] == [0, 0]


def test_label_is_known_if_high_load_follows_a_gap_within_the_horizon():
    assert labels([0, 10, 60, 70], [0, 0, 1, 0], 50)[1] == 1


def test_label_is_unknown_if_a_state_within_the_horizon_is():
    values = labels([0, 10, 20, 30, 40], [0, 0, NAN, 0, 0], 20)
    assert np.isnan(values[0])
    assert values[2] == 0


def test_labels_of_some_rows_equal_those_of_all_rows():
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.choice([10.0, 10.0, 40.0], 200))
    state = rng.choice([0.0, 0.0, 0.0, 1.0, NAN], 200)
    rows = np.array([3, 50, 51, 199])
    complete = future_labels(times, state, (20.0, 100.0))
    assert np.array_equal(future_labels(times, state, (20.0, 100.0), rows), complete[rows], equal_nan=True)


@pytest.mark.parametrize("seed", range(5))
def test_labels_follow_from_the_samples_within_the_horizon(seed):
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.choice([1.0, 10.0, 10.0, 10.0, 90.0], 120))
    state = rng.choice([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, NAN], 120)
    spacing = sample_spacing(times)
    follows = [False, *follows_gap(np.diff(times), spacing[1:]).tolist()]
    for row, label in enumerate(future_labels(times, state, (45.0,))[:, 0].tolist()):
        end = times[row] + 45.0
        later = [i for i in range(row + 1, 120) if times[i] <= end]
        # The first sample from this one on that no known state follows without a gap.
        breaks = [i for i in range(row, 120) if i == 119 or follows[i + 1] or np.isnan(state[i + 1])]
        covered_until = min(times[i] + spacing[i] for i in breaks)
        if any(state[i] == 1 for i in later):
            assert label == 1
        elif later and covered_until > end:
            assert label == 0
        else:
            assert np.isnan(label)


def test_label_is_unknown_if_the_horizon_is_shorter_than_the_spacing():
    times = np.arange(0.0, 6000.0, 600.0)
    known = future_labels(times, np.zeros(10), (300.0, 600.0, 1200.0))
    assert np.isnan(known[:, 0]).all()
    assert known[:-1, 1].tolist() == [0] * 9


def test_labels_follow_a_change_of_the_spacing():
    times = np.concatenate((np.arange(0.0, 6000.0, 600.0), np.arange(6000.0, 6100.0)))
    labels_of_minute = future_labels(times, np.zeros(len(times)), (60.0,))[:, 0]
    assert np.isnan(labels_of_minute[:10]).all()
    assert labels_of_minute[10:30].tolist() == [0] * 20
