"""Quantization: resolution at which samples and predictions are stored."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from storage.records import BYTE_RATE_FIELDS, SAMPLE_FIELDS, Sample

STEPS_PER_UNIT = 1e6
"""Resolution of all other metrics and of probabilities: six decimals, as that of the feature sums.

The digits below it are noise of the clock, and would take most of the space of a compressed sample.
"""

LARGEST_QUANTIZED = 2.0**31
"""Absolute value from which numbers are not rounded: a float has no steps of a millionth much above it."""

_VALUES = attrgetter(*SAMPLE_FIELDS)
_IS_BYTE_RATE = tuple(name in BYTE_RATE_FIELDS for name in SAMPLE_FIELDS)


def quantize_sample(sample: Sample) -> Sample:
    """Return a sample with byte rates rounded to whole numbers, the rest to six decimals; None if not finite.

    Features computed from the live sample then equal features computed from the stored sample.
    """
    values = zip(_VALUES(sample), _IS_BYTE_RATE, strict=True)
    return Sample(sample.at, *(_quantize(value, byte_rate) for value, byte_rate in values))


def _quantize(value: float | None, byte_rate: bool) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return float(round(value)) if byte_rate else quantize_number(value)


def quantize_number(value: float) -> float:
    """Return a number rounded to six decimals, as `quantize_values` rounds it; NaN stays NaN."""
    return round(value * STEPS_PER_UNIT) / STEPS_PER_UNIT if abs(value) < LARGEST_QUANTIZED else value


def quantize_values(values: NDArray[np.float64], fields: Sequence[str]) -> NDArray[np.float64]:
    """Round `values` (rows, fields) as `quantize_sample` does: byte rates to integers, the rest to six decimals."""
    steps = np.where([name in BYTE_RATE_FIELDS for name in fields], 1.0, STEPS_PER_UNIT)
    is_rounded = (steps == 1.0) | (np.abs(values) < LARGEST_QUANTIZED)
    # Adding 0.0 turns a negative zero, which SQLite does not store, into zero.
    return np.where(is_rounded, np.rint(np.where(is_rounded, values, 0.0) * steps) / steps + 0.0, values)
