"""The online detector on synthetic hosts: scores, alarms and their causes."""

import numpy as np
import pytest

from model.anomaly.block_maxima import SLOT_SECONDS
from model.anomaly.detector import fit_detector
from model.anomaly.events import EventChange
from model.anomaly.online_detector import FLATLINE, OnlineDetector
from model.anomaly.resampling import WARM_UP_ROWS

from .hosts import (
    COLUMNS,
    ROWS_PER_DAY,
    START,
    STEP,
    SWAP,
    TRAINING_DAYS,
    TRAINING_ROWS,
    add_job,
    alarms,
    detect,
    host,
    row_times,
)

pytestmark = pytest.mark.unit


def test_normal_month_has_few_alarms(detector):
    readings = detect(detector, host(44)[TRAINING_ROWS:])
    starts = np.flatnonzero(np.diff(alarms(readings).astype(int), prepend=0) == 1)
    assert len(starts) <= 4


def test_scores_and_contributions_are_normalised(detector):
    readings = detect(detector, host(20)[TRAINING_ROWS:])
    scores = np.array([reading.score for reading in readings])
    assert ((scores >= 0) & (scores <= 1)).all()
    assert np.median(scores) < 0.6
    for reading in readings:
        assert reading.contributions.sum() == pytest.approx(1)
        assert (reading.contributions >= 0).all()


def offset(x):
    x[:72, 1] += 0.25


def spike(x):
    x[3, 0] += 0.5


def flatline(x):
    x[:72, 2] = x[0, 2]


def flatline_of_all(x):
    x[:72] = x[0]


@pytest.mark.parametrize(
    ("fault", "channel", "metric"),
    [(offset, "joint", "memory"), (spike, "spike", "cpu"), (flatline, FLATLINE, "disk")],
)
def test_fault_raises_an_alarm_of_its_channel_and_metric(detector, fault, channel, metric):
    x = host(15)[TRAINING_ROWS:]
    fault(x)
    readings = detect(detector, x)
    assert alarms(readings).any()
    assert max(reading.threshold_ratios[channel] for reading in readings) >= 1
    strongest = max(readings, key=lambda reading: reading.threshold_ratio)
    assert detector.metrics[int(np.argmax(strongest.contributions))] == metric


def test_flatline_of_all_metrics_raises_an_alarm(detector):
    x = host(15)[TRAINING_ROWS:]
    assert not alarms(detect(detector, x)).any()
    flatline_of_all(x)
    assert alarms(detect(detector, x)).any()


def test_unmonitored_and_missing_metrics_raise_no_alarm(detector):
    x = host(16)[TRAINING_ROWS:]
    x[:, SWAP] = 7.0
    x[100:200, 1] = np.nan
    assert not alarms(detect(detector, x)).any()


def test_no_reading_in_a_gap_and_the_warm_up_after_it(detector):
    x = host(16)[TRAINING_ROWS:]
    x[300:330] = np.nan
    readings = detect(detector, x)
    assert all(reading is None for reading in readings[300 : 330 + WARM_UP_ROWS])
    assert readings[330 + WARM_UP_ROWS + 1] is not None
    assert not alarms(readings).any()


def test_no_reading_at_the_start_and_after_a_gap_in_time(detector):
    x = host(18)[TRAINING_ROWS:]
    times = row_times(len(x), TRAINING_ROWS)
    times[200:] += 40 * STEP
    readings = [step.reading for (step,) in OnlineDetector([detector], 2.0).replay(times, x[:, None])]
    assert all(reading is None for reading in readings[:WARM_UP_ROWS])
    assert all(reading is None for reading in readings[200 : 200 + WARM_UP_ROWS])
    assert readings[200 + WARM_UP_ROWS] is not None


def test_step_rejects_rows_out_of_order(detector):
    online = OnlineDetector([detector], 2.0)
    online.step(START, host(1)[:1])
    with pytest.raises(ValueError, match="order"):
        online.step(START, host(1)[1:2])


def test_detector_of_a_short_history_raises_no_alarm():
    x = host(2)
    young = fit_detector(row_times(200), host(1)[:200], COLUMNS, STEP)
    assert not alarms(detect(young, x[200:400], 200, past=host(1)[:200])).any()


def test_nightly_job_stops_alarming_and_the_same_load_by_day_alarms(detector):
    x = host(30)[TRAINING_ROWS:]
    add_job(x, range(2, 12), hour=3)
    add_job(x, [12], hour=14)
    is_alarm = alarms(detect(detector, x))
    nights = [is_alarm[day * ROWS_PER_DAY + 36 : day * ROWS_PER_DAY + 50].any() for day in range(2, 12)]
    assert nights[0]
    assert not any(nights[3:])
    afternoon = 12 * ROWS_PER_DAY + 14 * 12
    assert is_alarm[afternoon : afternoon + 14].any()


def test_weekly_job_stops_alarming_at_its_fourth_occurrence(detector):
    x = host(TRAINING_DAYS + 44)[TRAINING_ROWS:]
    add_job(x, range(2, 44, 7), hour=3)
    add_job(x, [41], hour=14)
    is_alarm = alarms(detect(detector, x))
    weeks = [is_alarm[day * ROWS_PER_DAY + 36 : day * ROWS_PER_DAY + 50].any() for day in range(2, 44, 7)]
    assert weeks[0]
    assert not any(weeks[3:])
    afternoon = 41 * ROWS_PER_DAY + 14 * 12
    assert is_alarm[afternoon : afternoon + 14].any()


def test_lasting_saturation_becomes_normal_within_a_day(detector):
    x = host(17)[TRAINING_ROWS:]
    x[100:, 0] = 1.0
    rows = np.flatnonzero(alarms(detect(detector, x)))
    assert rows[0] < 103
    assert rows[-1] < 100 + 20 * 12


def test_block_maxima_of_the_fit_agree_with_those_of_a_replay(detector):
    x = host(TRAINING_DAYS)
    online = OnlineDetector([detector], 2.0)
    maxima = online.thresholds(0).block_maxima
    maxima._slots[:] = -1
    online.replay(row_times(TRAINING_ROWS), x[:, None])
    slots = [slot for slot in detector.slots.tolist() if slot * SLOT_SECONDS > START + 86400]
    replayed = np.array([maxima.get(slot) for slot in slots])
    fitted = detector.slot_maxima[-len(slots) :]
    # Cross-fitted models and the final model differ slightly.
    close = np.abs(replayed - fitted) < 0.25 * fitted + 0.2
    assert close.mean() > 0.9


def test_maintenance_is_not_scored_and_ends_the_event(detector):
    x = host(16)[TRAINING_ROWS:]
    offset(x)
    quiet = np.zeros((len(x), 1), bool)
    quiet[20:200] = True
    online = OnlineDetector([detector], 2.0)
    past = host(TRAINING_DAYS)[-3 * ROWS_PER_DAY :]
    online.replay(row_times(len(past), TRAINING_ROWS - len(past)), past[:, None], may_start=False)
    steps = [step for (step,) in online.replay(row_times(len(x), TRAINING_ROWS), x[:, None], quiet)]
    assert all(step.reading is None for step in steps[20 : 200 + WARM_UP_ROWS])
    transitions = [transition for step in steps for transition in step.transitions]
    assert transitions[0].change is EventChange.STARTED
    assert transitions[-1].change is EventChange.ENDED
    assert transitions[-1].event.ended_at == row_times(1, TRAINING_ROWS + 20)[0]
    assert online.event(0) is None


def test_hosts_are_independent(detector):
    normal = host(16)[TRAINING_ROWS:]
    faulty = normal.copy()
    offset(faulty)
    times = row_times(len(normal), TRAINING_ROWS)
    steps = OnlineDetector([detector, detector], 2.0).replay(times, np.stack([normal, faulty], axis=1))
    alone = [
        [step.reading for (step,) in OnlineDetector([detector], 2.0).replay(times, x[:, None])]
        for x in (normal, faulty)
    ]
    for host_number in (0, 1):
        together = [step[host_number].reading for step in steps]
        scores = [None if reading is None else reading.score for reading in together]
        expected = [None if reading is None else reading.score for reading in alone[host_number]]
        assert scores == expected


def test_host_without_values_keeps_its_state(detector):
    x = host(15)[TRAINING_ROWS:]
    online = OnlineDetector([detector], 2.0)
    times = row_times(len(x), TRAINING_ROWS)
    online.replay(times[:100], x[:100, None])
    (step,) = online.step(times[100], np.full((1, 5), np.nan))
    assert (step.reading, step.transitions) == (None, ())
    (step,) = online.step(times[101], x[101:102])
    assert step.reading is not None
