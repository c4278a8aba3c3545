"""Backtest of a trace, and the false-alarm check of a detector."""

from dataclasses import replace

import numpy as np
import pytest

from model.anomaly.backtest import DetectorValidation, backtest_detector, validate_detector
from model.anomaly.detector import DetectorFitError, fit_detector

from .hosts import COLUMNS, ROWS_PER_DAY, START, STEP, TRAINING_ROWS, detect, host, row_times

pytestmark = pytest.mark.unit

DAY = 86400.0
HOUR = 3600.0


@pytest.fixture(scope="module")
def trace():
    x = host(20)
    x[16 * ROWS_PER_DAY : 16 * ROWS_PER_DAY + 40, :3] += 0.4
    return row_times(len(x)), x


@pytest.fixture(scope="module", params=[None, 2 * DAY], ids=["one fit", "fits every two days"])
def interval(request):
    return request.param


@pytest.fixture(scope="module")
def backtest(trace, interval):
    times, x = trace
    return backtest_detector(times, x, COLUMNS, times[TRAINING_ROWS], interval, 2.0)


def test_backtest_scores_do_not_depend_on_later_rows(trace, interval, backtest):
    times, x = trace
    rows = len(x) - 3 * ROWS_PER_DAY
    short = backtest_detector(times[:rows], x[:rows], COLUMNS, times[TRAINING_ROWS], interval, 2.0)
    assert short.scores.tolist() == backtest.scores[: len(short.scores)].tolist()


def test_backtest_reports_the_injected_event(trace, backtest):
    start = trace[0][16 * ROWS_PER_DAY]
    assert any(e.started_at <= start + 3 * STEP and e.ended_at >= start + 30 * STEP for e in backtest.events)


def test_backtest_scores_equal_those_of_an_online_detector(trace):
    times, x = trace
    result = backtest_detector(times, x, COLUMNS, times[TRAINING_ROWS], None, 2.0)
    detector = fit_detector(row_times(TRAINING_ROWS), x[:TRAINING_ROWS], COLUMNS, STEP)
    past = x[TRAINING_ROWS - 1 - 3 * ROWS_PER_DAY : TRAINING_ROWS]
    readings = detect(detector, x[TRAINING_ROWS:], past=past)
    assert result.scores.tolist() == [reading.score for reading in readings]
    assert result.days == pytest.approx(6.0, abs=0.01)


def test_backtest_continues_an_event_over_a_refit(trace):
    times, x = trace
    x = x.copy()
    x[16 * ROWS_PER_DAY - 6 : 16 * ROWS_PER_DAY] += 0.4
    result = backtest_detector(times, x, COLUMNS, times[TRAINING_ROWS], 2 * DAY, 2.0)
    start = times[16 * ROWS_PER_DAY - 6]
    events = [e for e in result.events if abs(e.started_at - start) < HOUR]
    assert len(events) == 1
    assert events[0].ended_at >= start + 2 * HOUR


def test_backtest_scores_samples_with_the_last_complete_row():
    # A sample each twelve seconds, in rows of a minute.
    x = np.repeat(host(6), 5, axis=0)
    times = START + 12.0 * np.arange(len(x))
    first = 4 * ROWS_PER_DAY * 5
    scores = backtest_detector(times, x, COLUMNS, times[first], None, 2.0).scores
    assert len(scores) == len(x) - first
    row = scores[20 * 5 : 21 * 5]
    assert (row == row[0]).all()
    assert scores[21 * 5] != row[0]


def test_backtest_fits_no_detector_for_years_without_rows(monkeypatch):
    x = host(6)
    times = START + STEP * np.arange(len(x))
    times[-1] += 20 * 365 * DAY
    origins = []

    def fit(times, *args):
        origins.append(len(times))
        return fit_detector(times, *args)

    monkeypatch.setattr("model.anomaly.backtest.fit_detector", fit)
    first = 5 * ROWS_PER_DAY
    result = backtest_detector(times, x, COLUMNS, times[first], DAY / 2, 2.0)
    assert len(origins) == 3
    assert len(result.scores) == len(x) - first


def test_backtest_of_a_single_row_has_one_score_and_no_days():
    x = host(5)
    times = START + STEP * np.arange(len(x))
    result = backtest_detector(times, x, COLUMNS, times[-1], DAY, 2.0)
    assert (len(result.scores), result.days) == (1, 0.0)


def test_backtest_without_a_fit_raises():
    times = row_times(400)
    with pytest.raises(DetectorFitError):
        backtest_detector(times, np.ones((400, 5)), COLUMNS, times[300], None, 2.0)


def test_validation_accepts_a_detector_of_a_normal_history(detector):
    validation = validate_detector(detector, 2.0)
    assert validation.days == 7
    assert validation.is_accepted


def test_validation_counts_alarms_by_earlier_thresholds(detector):
    peaks = np.where(np.arange(len(detector.slots)) % 13, 1, 40.0)[:, None]
    recent = (detector.slots > detector.slots[-1] - 5 * 48)[:, None]
    noisy = replace(detector, slot_maxima=detector.slot_maxima * np.where(recent, peaks, 1.0))
    assert validate_detector(noisy, 2.0).alarms >= validate_detector(detector, 2.0).alarms + 3


def test_validation_without_slots_checks_no_day(detector):
    empty = replace(detector, slots=np.zeros(0, np.int64), slot_maxima=np.zeros((0, 3)))
    validation = validate_detector(empty, 2.0)
    assert validation.days == 0
    assert np.isnan(validation.monthly)
    assert validation.is_accepted


@pytest.mark.parametrize(("alarms", "accepted"), [(0, True), (3, True), (4, False), (12, False)])
def test_validation_accepts_alarms_compatible_with_the_budget(alarms, accepted):
    # 1 + 0.583 + 3 sqrt(0.583) = 3.87
    assert DetectorValidation(alarms, 7, 2.0).is_accepted is accepted
