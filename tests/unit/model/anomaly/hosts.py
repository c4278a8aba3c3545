"""Synthetic hosts: rows with a daily wave, correlated noise, heavy-tailed traffic and a constant metric."""

import numpy as np

from model.anomaly.online_detector import OnlineDetector

STEP = 300.0
ROWS_PER_DAY = 288
START = 1.7e9 - 1.7e9 % 86400
COLUMNS = ("cpu", "memory", "disk", "traffic", "swap")
MONITORED = COLUMNS[:4]
SWAP = 4
TRAINING_DAYS = 14
TRAINING_ROWS = TRAINING_DAYS * ROWS_PER_DAY


def host(days, seed=0):
    """Return (rows, columns) of a host; the rows of a shorter host are the first rows of a longer one."""
    rng = np.random.default_rng(seed)
    n = int(days * ROWS_PER_DAY)
    wave = np.sin(2 * np.pi * np.arange(n) / ROWS_PER_DAY)
    noise = rng.normal(size=(n, 4))
    smooth = np.stack([np.convolve(noise[:, j], np.ones(6) / 6, "same") for j in range(4)], axis=1)
    x = np.zeros((n, 5))
    x[:, :3] = 0.4 + 0.1 * wave[:, None] + 0.03 * smooth[:, :3] + 0.02 * rng.normal(size=(n, 3))
    x[:, 3] = np.exp(8 + wave + smooth[:, 3])
    return x


def row_times(n, first=0):
    """Return the start times of `n` rows."""
    return START + STEP * (first + np.arange(n))


def detect(detector, x, first=TRAINING_ROWS, allowed=2.0, past=None):
    """Return the readings of rows from row number `first` on, after a warm-up with the rows before them."""
    online = OnlineDetector([detector], allowed)
    past = host(TRAINING_DAYS)[-3 * ROWS_PER_DAY :] if past is None else past
    online.replay(row_times(len(past), first - len(past)), past[:, None], may_start=False)
    return [step.reading for (step,) in online.replay(row_times(len(x), first), x[:, None])]


def alarms(readings):
    """Return (rows,) alarms of readings."""
    return np.array([reading is not None and reading.is_alarm for reading in readings])


def add_job(x, days, hour, height=0.4):
    """Add a job of 45 minutes at an hour of some days, in place."""
    for day in days:
        start = int(day * ROWS_PER_DAY + hour * 12)
        x[start : start + 9, [0, 2]] += height
