"""Synthetic history of a busy host: samples with all metrics every 5 seconds, and predictions."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from storage import SAMPLE_FIELDS, Prediction

Array = NDArray[np.float64]

STEP = 5.0
CPUS = 4
MEMORY_KIB = 16_303_104
SWAP_KIB = 4_194_300
LINK_SPEED = 125e6
SECTOR = 512
HORIZONS = (300.0, 900.0, 3600.0)


def smooth(noise: Array, decay: float) -> Array:
    """Return exponentially weighted sums of a series."""
    return np.array(list(accumulate(noise.tolist(), lambda before, new: decay * before + new)))


def day_of_samples(start: float, rng: np.random.Generator) -> Array:
    """Return one day of samples (rows, 1 + SAMPLE_FIELDS): rates and ratios of counters read with a real clock.

    Load follows the time of day, a slow random walk and jobs of 20 minutes. The seconds between two readings vary by
    0.2 ms, so that every ratio has all digits of a float.
    """
    count = int(86_400 / STEP)
    times = start + STEP * np.arange(count)
    elapsed = STEP + rng.normal(0, 2e-4, count)
    hour = times % 86_400 / 3600
    load = np.exp(0.5 * smooth(0.2 * rng.normal(0, 1, count), 0.98) + 0.6 * np.sin((hour - 9) / 24 * 2 * np.pi))
    job = (times // 1200 % 7 == 0) * rng.uniform(0.3, 0.5, count)
    busy = np.clip(0.12 * load + job, 0.005, 0.99)
    ticks = np.rint(100 * CPUS * elapsed + rng.normal(0, 1, count)).astype(int)
    running = smooth(busy * CPUS * (1 - np.exp(-STEP / 60)), float(np.exp(-STEP / 60)))
    available = MEMORY_KIB * 0.55 + np.cumsum(rng.normal(0, 3000, count)) - 2e5 * load
    swapped = 2e6 + np.cumsum((rng.random(count) < 0.005) * rng.normal(0, 4000, count))
    received = np.rint(rng.poisson(600 * load) * rng.lognormal(5.5, 0.5, count) + 1000)
    sent = np.rint(rng.poisson(500 * load) * rng.lognormal(6, 0.6, count) + 1500)
    read = (rng.random(count) < 0.15) * np.rint(rng.lognormal(3.5, 1.5, count))
    written = np.rint(rng.lognormal(5, 1, count) * load) // 8 * 8

    def pressure(share: float, often: float) -> Array:
        microseconds = np.rint(rng.lognormal(np.log(share * 1e6 * STEP), 0.8, count) * load)
        return np.minimum((rng.random(count) < often) * microseconds / 1e6 / elapsed, 1.0)

    values = {
        "cpu_usage": rng.binomial(ticks, busy) / ticks,
        "cpu_iowait": rng.poisson(0.004 * ticks * load) / ticks,
        "cpu_steal": rng.poisson(0.0005 * ticks) / ticks,
        "load_per_cpu": np.round(running, 2) / CPUS,
        "memory_usage": 1 - np.clip(available // 4 * 4, 0, MEMORY_KIB) / MEMORY_KIB,
        "swap_usage": np.clip(swapped // 4 * 4, 0, SWAP_KIB) / SWAP_KIB,
        "network_receive": received / elapsed,
        "network_transmit": sent / elapsed,
        "network_errors": (rng.random(count) < 0.003) / elapsed,
        "network_usage": np.minimum(np.maximum(received, sent) / elapsed / LINK_SPEED, 1.0),
        "disk_read": SECTOR * read / elapsed,
        "disk_write": SECTOR * written / elapsed,
        "disk_busy": np.minimum(np.rint(0.2 * (read + written) + rng.poisson(8 * load)) / 1000 / elapsed, 1.0),
        "pressure_cpu": pressure(0.02, 1.0),
        "pressure_memory": pressure(0.0005, 0.01),
        "pressure_io": pressure(0.004, 0.5),
    }
    return np.column_stack([times, *(values[name] for name in SAMPLE_FIELDS)])


def day_of_predictions(times: Array, rng: np.random.Generator) -> list[Prediction]:
    """Return a prediction for each horizon at each time: a slow and a fast random walk of the log-odds, warnings."""
    predictions = []
    slow = smooth(rng.normal(0, 0.05, len(times)), 0.999)
    for number, horizon in enumerate(HORIZONS):
        log_odds = slow + 0.6 * number - 3 + smooth(rng.normal(0, 0.08, len(times)), 0.9)
        warned = log_odds > 0.4
        probabilities = (1 / (1 + np.exp(-log_odds))).tolist()
        for at, probability, warning in zip(times.tolist(), probabilities, warned.tolist(), strict=True):
            threshold = 0.5702137712 if warning else 0.6213371234
            predictions.append(
                Prediction(
                    at=at,
                    horizon=horizon,
                    model_id=1,
                    probability=probability,
                    baseline_probability=0.0412345678 * (1 + number),
                    threshold=threshold,
                    warning=warning,
                )
            )
    return predictions
