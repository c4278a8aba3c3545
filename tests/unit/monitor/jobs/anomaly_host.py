"""A synthetic host with one sample per row of the detector, and a database with its detector."""

from functools import cache

import numpy as np

from model.anomaly.detector import fit_detector
from model.anomaly.serialization import dumps_detector
from storage import SAMPLE_FIELDS, quantize_values

STEP = 300.0
DAY = 86400.0
START = 1.7e9 - 1.7e9 % DAY
TRAINING_END = START + 8 * DAY
END = TRAINING_END + 1.5 * DAY
OVERLOAD = TRAINING_END + DAY / 2
"""Start of an hour of overload in the stored samples."""
METRICS = ("cpu_usage", "memory_usage", "disk_busy")


@cache
def normal_samples():
    """Return (rows, 1 + fields): times and values."""
    times = np.arange(START, END, STEP)
    rng = np.random.default_rng(0)
    samples = np.full((len(times), 1 + len(SAMPLE_FIELDS)), np.nan)
    samples[:, 0] = times
    wave = np.sin(2 * np.pi * times / DAY)
    for name in METRICS:
        noise = np.convolve(rng.normal(size=len(times)), np.ones(5) / 5, "same")
        samples[:, 1 + SAMPLE_FIELDS.index(name)] = 0.3 + 0.1 * wave + 0.03 * noise
    samples[:, 1:] = quantize_values(samples[:, 1:], SAMPLE_FIELDS)
    return samples


def samples_between(start, end):
    """Return a copy of the samples from `start` on, before `end`, as they are stored."""
    samples = normal_samples()
    return samples[(samples[:, 0] >= start) & (samples[:, 0] < end)].copy()


def overloaded_samples(start, end):
    """Return the samples from `start` on, before `end`, with the hour of overload."""
    samples = samples_between(start, end)
    span = (samples[:, 0] >= OVERLOAD) & (samples[:, 0] < OVERLOAD + 3600.0)
    samples[span, 1 + SAMPLE_FIELDS.index("cpu_usage")] += 0.5
    samples[:, 1:] = quantize_values(samples[:, 1:], SAMPLE_FIELDS)
    return samples


@cache
def detector_blob():
    """Return a detector fitted on the training part, as bytes."""
    samples = samples_between(START, TRAINING_END)
    return dumps_detector(fit_detector(samples[:, 0], samples[:, 1:], SAMPLE_FIELDS, STEP))


def promote_model(stores, detector, at=TRAINING_END):
    """Register and promote a model with a detector; return its id."""
    model_id = stores.registry.register(b"predictor", "{}", at, detector)
    stores.registry.promote(model_id, at)
    return model_id
