"""Online forecast: the predictions of an online engine for its newest samples."""

from __future__ import annotations

from dataclasses import dataclass

from model.array_types import Bools, Floats


@dataclass(frozen=True)
class OnlineForecast:
    """Predictions for the newest samples. The shape is (hosts, rows, horizons) unless stated otherwise.

    Attributes:
        features: (hosts, rows, features) NaN for metrics outside their training range.
        model_probabilities: of the model alone.
        probabilities: published ones, after recalibration, fallback and the floor during high load.
        raised: True where the published probability is that of the floor during high load.
        outside: (hosts, rows, inputs of the spec) True where a metric is outside its training range.
        high: (hosts, rows) True during high load.
        period_start: (hosts, rows) start of the high-load period in progress (seconds since the epoch), else -inf.
        thresholds: probability needed for a warning, which is lower while one is active; infinite for no warnings.
        warnings: True while a warning is active; never in a high-load period.
    """

    features: Floats
    model_probabilities: Floats
    probabilities: Floats
    raised: Bools
    outside: Bools
    high: Bools
    period_start: Floats
    thresholds: Floats
    warnings: Bools
