"""The parts of the detector: means, tails, peaks, runs, rows and holes."""

import numpy as np
import pytest

from model.anomaly.detector import settled
from model.anomaly.ewma import Smoother
from model.anomaly.flatline import LASTS, StuckRule, fit_runs
from model.anomaly.forecaster import AHEAD, LAGS, REACH, fit_forecaster
from model.anomaly.mahalanobis import fit_level
from model.anomaly.resampling import resample, row_interval
from model.anomaly.tails import Rarity, fit_block_maxima, fit_tails
from model.anomaly.thresholds import A_DAY, A_WEEK, BlockMaxima

pytestmark = pytest.mark.unit


def plainly(x, known, half_life):
    """An exponential mean as its definition has it."""
    kept, total, weight, found = 0.5 ** (1 / half_life), 0.0, 0.0, []
    for value, there in zip(x, known, strict=True):
        if there:
            total, weight = kept * total + (1 - kept) * value, kept * weight + (1 - kept)
        found.append(total / weight if weight else 0.0)
    return np.array(found)


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_means_are_what_their_definition_says_at_once_in_pieces_and_row_by_row(missing):
    rng = np.random.default_rng(1)
    x, known = rng.normal(size=(700, 3)), rng.random((700, 3)) >= missing
    half_lives = np.array([2.0, 2.0, 90.0])
    expected = np.stack([plainly(x[:, j], known[:, j], h) for j, h in enumerate(half_lives)], axis=1)
    at_once, pieces, single = Smoother(half_lives), Smoother(half_lives), Smoother(half_lives)
    assert at_once.extend(x, known) == pytest.approx(expected)
    split = [pieces.extend(x[a:b], known[a:b]) for a, b in ((0, 1), (1, 300), (300, 700))]
    assert np.concatenate(split) == pytest.approx(expected)
    rows = [single.extend(x[i : i + 1], known[i : i + 1]) for i in range(700)]
    assert np.concatenate(rows) == pytest.approx(expected)
    assert single.means == pytest.approx(at_once.means)


def test_a_mean_of_nothing_is_nothing():
    smoother = Smoother(np.array([4.0]))
    assert smoother.means.tolist() == [0.0]
    assert smoother.extend(np.full((2, 1), np.nan), np.zeros((2, 1), bool)).tolist() == [[0.0], [0.0]]


def test_a_tail_tells_the_probability_beyond_what_was_seen():
    rng = np.random.default_rng(2)
    x = rng.exponential(size=(200_000, 1))
    tails = fit_tails(x, np.ones(x.shape, bool))
    # an exponential tail: -log P(X > x) = x
    assert tails(np.array([[6.0], [9.0]]))[:, 0] == pytest.approx([6.0, 9.0], rel=0.12)
    assert tails(np.zeros((1, 1))).tolist() == [[0.0]]
    ordered = tails(np.linspace(0, 20, 500)[:, None])[:, 0]
    assert (np.diff(ordered) > 0).all()


def test_peaks_are_reached_as_often_as_is_said():
    rng = np.random.default_rng(3)
    months = (1 - rng.random((400, 120))) ** (-0.5)
    rates = [
        (rng_peaks > fit_block_maxima(months[i - 1]).reached(2 / 120)).sum()
        for i, rng_peaks in enumerate(months)
        if i
    ]
    assert np.mean(rates) == pytest.approx(2.0, rel=0.25)
    assert fit_block_maxima(np.ones(2)) is None


def test_rarity_is_right_at_the_rate_it_was_made_for_and_falls():
    rarity = Rarity(7.0, 1 / 60)
    assert rarity(7.0) == pytest.approx(1 / 60)
    assert rarity(0.0) == 1.0
    assert 0 < rarity(200.0) < rarity(7.0) < rarity(3.0)


def filled(days, value=1.0):
    peaks = BlockMaxima(1)
    for slot in range(days * A_DAY):
        peaks.add(slot, np.array([value]))
    return peaks


def test_what_came_on_three_of_the_last_days_at_this_time_is_routine_and_at_no_other():
    peaks, night = filled(8), 6
    for day in (5, 6):
        peaks.add(day * A_DAY + night, np.array([9.0]))
    assert peaks.routine(8 * A_DAY + night)[0] == 1.0
    peaks.add(7 * A_DAY + night + 1, np.array([9.0]))
    assert peaks.routine(8 * A_DAY + night)[0] == 9.0
    assert peaks.routine(8 * A_DAY + night + 5)[0] == 1.0


def test_what_came_in_three_of_the_last_weeks_is_routine_on_that_day_alone():
    peaks, sunday = filled(29), 3 * A_DAY + 10
    for week in (0, 1, 2):
        peaks.add(week * A_WEEK + sunday, np.array([9.0]))
    assert peaks.routine(4 * A_WEEK + sunday)[0] == 9.0
    assert peaks.routine(4 * A_WEEK + sunday - A_DAY)[0] == 1.0


def test_the_operator_s_word_makes_routine_of_one_time_and_nothing_of_another():
    peaks = filled(10)
    peaks.add(9 * A_DAY + 20, np.array([9.0]))
    assert peaks.routine(10 * A_DAY + 20)[0] == 1.0
    peaks.judge([9 * A_DAY + 20], [])
    assert peaks.routine(10 * A_DAY + 21)[0] == 9.0
    high = filled(20)
    for day in range(10, 20):
        high.add(day * A_DAY + 7 * day % 48, np.array([50.0]))
    with_all = high.tails(20 * A_DAY)[0].reached(2 / 120)
    high.judge([], [day * A_DAY + 7 * day % 48 for day in range(10, 20)])
    assert high.tails(20 * A_DAY)[0].reached(2 / 120) < with_all / 3


def test_thresholds_look_back_thirty_days_and_say_nothing_of_a_few_hours():
    assert filled(1).tails(A_DAY // 2) == [None]
    old = filled(40)
    old.add(2, np.array([100.0]))
    assert old.tails(40 * A_DAY)[0].reached(2 / 120) <= 1.0


def test_samples_are_averaged_by_minutes_and_holes_are_laid_out_no_further_than_they_matter():
    times = np.array([600.0, 605.0, 650.0, 660.0, 780.0, 10_000_020.0])
    values = np.array([[1.0], [3.0], [np.nan], [5.0], [7.0], [9.0]])
    at, rows = resample(times, values, 60.0)
    assert at[:4].tolist() == [600.0, 660.0, 720.0, 780.0]
    assert rows[:4, 0].tolist() == pytest.approx([2.0, 5.0, np.nan, 7.0], nan_ok=True)
    assert len(at) == 4 + REACH + 1
    assert (at[-1], rows[-1, 0]) == (10_000_020.0, 9.0)
    assert (np.diff(at[4:]) == 60.0).all()
    assert row_interval(5.0) == 60.0
    assert row_interval(300.0) == 300.0


def test_a_metric_is_heard_again_only_a_while_after_a_hole():
    known = np.ones((100, 1), bool)
    known[40:42] = False
    known[60:70] = False
    heard = settled(known, 10)[:, 0]
    assert not heard[:10].any()
    assert heard[10:40].all()
    assert heard[42:60].all()
    assert not heard[60:80].any()
    assert heard[80:].all()


def test_a_forecast_is_the_ridge_regression_of_the_rows_before():
    rng = np.random.default_rng(4)
    z = rng.normal(size=(900, 2)).cumsum(axis=0) * 0.1 + rng.normal(size=(900, 2))
    forecaster, errors = fit_forecaster(z, np.ones(900, bool))
    for i, ahead in enumerate(AHEAD):
        rows = np.arange(REACH, 900)
        lags = np.concatenate([z[rows - ahead - k] for k in range(LAGS)], axis=1)
        design = np.concatenate((lags, np.ones((len(rows), 1))), axis=1)
        held = np.diag([10.0] * lags.shape[1] + [1e-6])
        weights = np.linalg.solve(design.T @ design + held, design.T @ z[rows])
        before = np.stack([z[row - REACH : row].ravel() for row in rows])
        assert forecaster(before)[:, 2 * i : 2 * i + 2] == pytest.approx(design @ weights)
    assert not errors[:REACH].any()
    # each third was foreseen by what was learned from the others: it is worse than in hindsight
    last = z[REACH:] - forecaster(before)[:, :2]
    assert np.square(errors[REACH:, :2]).mean() > np.square(last).mean()


def test_a_place_is_far_in_the_direction_in_which_nothing_ever_goes():
    rng = np.random.default_rng(5)
    x = rng.normal(size=4000)
    z = np.stack([x, x + 0.1 * rng.normal(size=4000)], axis=1)
    level, distance = fit_level(z, np.ones(4000, bool))
    along, across = level(np.array([[2.0, 2.0]]))[0], level(np.array([[1.0, -1.0]]))[0]
    assert across > 5 * along
    assert distance.mean() == pytest.approx(1.0, rel=0.5)


def moving(rows, seed=6):
    return np.random.default_rng(seed).normal(size=(rows, 3))


def test_a_value_that_freezes_is_stuck_until_that_is_the_new_state_of_things():
    runs = fit_runs(moving(2000), np.full(3, 1e-9))
    rule = StuckRule(runs, 60.0, 2.0)
    x = moving(1000, seed=7)
    x[200:, 1] = 0.5
    found = [rule(row) for row in x]
    ratios = np.array([ratio for ratio, _ in found])
    assert not (ratios[:200] >= 1).any()
    assert 200 + 55 < np.flatnonzero(ratios >= 1)[0] < 200 + 70
    assert found[300][1].argmax() == 1
    assert np.flatnonzero(ratios >= 1)[-1] == pytest.approx(260 + LASTS / 60, abs=10)


def test_all_values_frozen_are_seen_sooner_and_a_metric_that_rests_says_nothing():
    past = moving(2000)
    past[:, 2] = np.where(np.arange(2000) % 40 == 0, past[:, 2], 0.0)
    runs = fit_runs(past, np.full(3, 1e-9))
    assert runs.alone.tolist() == [True, True, False]
    x = moving(200, seed=8)
    x[100:] = x[100]
    rule = StuckRule(runs, 60.0, 2.0)
    ratios = np.array([rule(row)[0] for row in x])
    # a rest of the third alone is no news, and half an hour of all is
    assert 110 < np.flatnonzero(ratios >= 1)[0] < 160
    x = moving(600, seed=9)
    x[:, 2] = 0.0
    rule = StuckRule(runs, 60.0, 2.0)
    assert max(rule(row)[0] for row in x) < 1


def test_a_run_that_happened_twice_is_no_longer_strange():
    runs = fit_runs(moving(2000), np.full(3, 1e-9))
    rule = StuckRule(runs, 60.0, 2.0)
    alarms = []
    for turn in range(4):
        x = moving(400, seed=10 + turn)
        x[100:300, 0] = 0.25
        alarms.append(max(rule(row)[0] for row in x) >= 1)
    assert alarms == [True, True, False, False]
