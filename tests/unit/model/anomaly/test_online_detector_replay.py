"""Property: rows that are fed one by one, as they become complete, give the results of a replay, bit for bit."""

import numpy as np
import pytest

from model.anomaly.events import EventChange
from model.anomaly.online_detector import FLATLINE, OnlineDetector
from model.anomaly.resampling import resample

from .hosts import ROWS_PER_DAY, STEP, TRAINING_DAYS, TRAINING_ROWS, host, row_times

pytestmark = pytest.mark.unit

SEEDS = 6
DAYS = 3
SAMPLES_PER_ROW = 4
WARM_UP_ROWS = ROWS_PER_DAY


def random_trace(rng):
    """Return samples (times, values) and maintenance windows: faults, gaps, missing values, flatlines, saturation."""
    rows = host(TRAINING_DAYS + DAYS + 1)[TRAINING_ROWS - WARM_UP_ROWS :]
    values = np.repeat(rows, SAMPLES_PER_ROW, axis=0) * (1 + 1e-4 * rng.normal(size=(len(rows) * SAMPLES_PER_ROW, 1)))
    interval = STEP / SAMPLES_PER_ROW
    times = row_times(1, TRAINING_ROWS - WARM_UP_ROWS)[0] + interval * np.arange(len(values))

    def span(longest_rows):
        start = int(rng.integers(WARM_UP_ROWS * SAMPLES_PER_ROW, len(values)))
        return slice(start, start + int(rng.integers(1, longest_rows * SAMPLES_PER_ROW)))

    for _ in range(3):
        values[span(60), rng.integers(0, 4)] += 0.5
        flat = span(60)
        values[flat] = values[flat.start]
        values[span(40), rng.integers(0, 5)] = np.nan
    values[span(200), 0] = 1.0
    values[rng.random(values.shape) < 0.02] = np.nan
    windows = [(times[part][0], times[part][-1]) for part in (span(30), span(80))]
    keep = np.ones(len(values), bool)
    for longest in (1, 3, 30, 60):
        keep[span(longest)] = False
    return times[keep], values[keep], windows


def in_windows(at, windows):
    return any(start <= at < end for start, end in windows)


def warm_detector(detector, times, values, until):
    """Return an online detector that was fed the rows before a time."""
    online = OnlineDetector([detector], 5.0)
    past = times < until
    row_times, rows = resample(times[past], values[past], STEP)
    online.replay(row_times, rows[:, None], may_start=False)
    return online


def feed_in_batches(online, times, values, windows, rng):
    """Feed samples as a daemon reads them: complete rows in batches of random size, gaps left out."""
    steps = {}
    expired = []
    bounds = np.unique(rng.integers(times[0] // STEP, times[-1] // STEP + 1, 400)) * STEP
    for start, end in zip(
        np.append(times[0] // STEP * STEP, bounds), np.append(bounds, times[-1] + STEP), strict=True
    ):
        batch = (times >= start) & (times < end)
        if batch.any():
            for at, row in zip(*resample(times[batch], values[batch], STEP), strict=True):
                if np.isfinite(row).any():
                    (steps[at],) = online.step(float(at), row[None], np.array([in_windows(at, windows)]))
        (step,) = online.expire(end)
        expired += step.transitions
    return steps, expired


def describe(reading):
    """Return a reading as comparable values; NaN as text."""
    if reading is None:
        return None
    return (
        reading.at,
        repr(reading.score),
        tuple(reading.threshold_ratios.items()),
        reading.short_term_ratio,
        tuple(reading.contributions.tolist()),
    )


def feed_and_replay(detector, seed):
    """Return the results of both ways, by row, and all event transitions in order."""
    rng = np.random.default_rng(seed)
    times, values, windows = random_trace(rng)
    until = row_times(1, TRAINING_ROWS)[0]
    test = times >= until
    batched = warm_detector(detector, times, values, until)
    steps, expired = feed_in_batches(batched, times[test], values[test], windows, rng)
    replayed = warm_detector(detector, times, values, until)
    starts, rows = resample(times[test], values[test], STEP)
    quiet = np.array([[in_windows(at, windows)] for at in starts])
    result = [step for (step,) in replayed.replay(starts, rows[:, None], quiet)]
    (last,) = replayed.expire(times[-1] + STEP)
    transitions = [t for step in steps.values() for t in step.transitions] + expired
    replayed_transitions = [t for step in result for t in step.transitions] + list(last.transitions)
    return (
        {at: describe(step.reading) for at, step in steps.items()},
        {at: describe(step.reading) for at, step in zip(starts, result, strict=True) if step.reading is not None},
        sorted(transitions, key=lambda t: (t.event.started_at, t.event.peak_at, t.change)),
        sorted(replayed_transitions, key=lambda t: (t.event.started_at, t.event.peak_at, t.change)),
    )


@pytest.fixture(scope="module")
def results(detector):
    return [feed_and_replay(detector, seed) for seed in range(SEEDS)]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_rows_fed_in_batches_equal_the_replay_of_the_array(results, seed):
    fed, replayed, transitions, replayed_transitions = results[seed]
    assert {at: reading for at, reading in fed.items() if reading is not None} == replayed
    assert transitions == replayed_transitions


def test_random_traces_contain_events_flatlines_and_rows_without_reading(results):
    changes = {t.change for _, _, transitions, _ in results for t in transitions}
    assert changes == set(EventChange)
    fed = [reading for readings, *_ in results for reading in readings.values()]
    assert None in fed
    assert any(dict(reading[2])[FLATLINE] >= 1 for reading in fed if reading is not None)
