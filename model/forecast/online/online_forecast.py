"""Online forecast: the predictions of an online engine for its newest samples."""

from __future__ import annotations

from dataclasses import dataclass

from model.array_types import Bools, Floats


@dataclass(frozen=True)
class OnlineForecast:
    """Predictions for the samples of the last `OnlineEngine.advance`.

    The shape of an array is (hosts, rows, horizons) unless stated otherwise.

    Attributes:
        features: (hosts, rows, features), NaN for the features of metrics outside their training range.
        model_probabilities: probabilities of the model alone.
        probabilities: published probabilities, after recalibration, fallback and high-load floor.
        raised: True where the high-load floor raised the probability.
        outside: (hosts, rows, inputs of the spec) True where a metric is outside its training range.
        high: (hosts, rows) True during high load.
        period_start: (hosts, rows) start of the high-load period in progress (seconds since the epoch); -inf if none.
        thresholds: start threshold of a warning, or release threshold if a warning was active before the sample;
            infinite for no warnings.
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
