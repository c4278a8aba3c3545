"""Input drift: comparison of the recent samples with the training data of the serving model."""

from __future__ import annotations

import math

import numpy as np

from model.forecast.drift import ReferenceHistogram, population_stability_index
from model.units import HOUR
from monitor.stores import Stores
from monitor.training.records import RegisteredModel

DRIFT_THRESHOLD = 0.25
"""Population stability index from which an input counts as different from the training data."""

SAMPLED_HOURS = 24
SAMPLED_PER_HOUR = 600.0
"""Seconds of each hour that are read; ten minutes per hour suffice for a distribution."""


def read_drift(stores: Stores, model: RegisteredModel | None, now: float) -> dict[str, float]:
    """Return the population stability index of each input metric over the last day.

    Args:
        stores: repositories.
        model: the serving model; None if there is none.
        now: seconds since the epoch.

    Returns:
        Index of each metric with known values. Empty if no model serves or the report of the model has no training
        distributions.

    Raises:
        StorageError: the samples cannot be read.
    """
    inputs = {} if model is None or model.report is None else model.report.inputs
    if not inputs:
        return {}
    ends = [now - hour * HOUR for hour in reversed(range(SAMPLED_HOURS))]
    rows = np.concatenate([stores.samples.between(end - SAMPLED_PER_HOUR, end, tuple(inputs)) for end in ends])
    drift = {}
    for column, (metric, distribution) in enumerate(inputs.items(), start=1):
        reference = ReferenceHistogram(distribution.edges, distribution.frequencies)
        index = population_stability_index(rows[:, column], reference)
        if not math.isnan(index):
            drift[metric] = index
    return drift
