"""Holdout replay: predictions for parts of the holdout by models not fitted on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.array_types import Bools, Floats, Integers
from model.features.rows import Rows
from model.forecast.online import OnlineEngine
from model.forecast.predictor import Predictor
from model.training.blend_weights import ExpertPredictions, fit_blends, other_parts

CHUNK_ROWS = 4096
"""Largest number of samples replayed at once, which limits the memory for their features."""


@dataclass(frozen=True)
class ReplayModel:
    """Model that predicts one part of the holdout.

    Attributes:
        start: start of the part in seconds since the epoch; the part ends where the next part starts.
        predictor: model that was not fitted on labels of the part.
    """

    start: float
    predictor: Predictor


@dataclass(frozen=True)
class ReplayedRows:
    """Predictions of one model for consecutive samples.

    Attributes:
        predictor: model of the part that contains the samples.
        rows: slice of the history that contains the samples.
        probabilities: (rows, horizons) probabilities after the high-load floor.
        thresholds: (rows, horizons) start threshold of a warning, or release threshold if a warning was active before
            the sample; infinite for no warnings.
        warnings: (rows, horizons) True while a warning is active.
        period_start: (rows,) start of the high-load period in progress (seconds since the epoch); -inf if none.
    """

    predictor: Predictor
    rows: slice
    probabilities: Floats
    thresholds: Floats
    warnings: Bools
    period_start: Floats


def holdout_models(
    models: Sequence[Predictor], parts: Integers, predictions: ExpertPredictions
) -> tuple[ReplayModel, ...]:
    """Return a model for each fold of the holdout.

    The networks of a model were fitted on the rows before the fold. The blend weights are fitted on the other folds.

    Args:
        models: model of each fold, without fitted blend weights.
        parts: (rows,) number of the fold of each holdout row.
        predictions: expert predictions of `models` on the holdout.
    """
    result = []
    for part, model in enumerate(models):
        inside = parts == part
        blends = fit_blends(model, other_parts(predictions, inside, model.horizons))
        start = float(predictions.times[inside][0])
        result.append(ReplayModel(start, replace(model, blends=blends, fitted_until=start)))
    return tuple(result)


def replay(models: Sequence[ReplayModel], times: Floats, values: Rows) -> Iterator[ReplayedRows]:
    """Replay samples through the online engine, without recalibration and fallbacks.

    Args:
        models: models in order of their start.
        times: (rows,) seconds, increasing.
        values: (rows, columns of the models), NaN where missing.

    Yields:
        Predictions from the start of the first model on, in order of time.
    """
    engine: OnlineEngine | None = None
    ends = [*(model.start for model in models[1:]), np.inf]
    for model, end in zip(models, ends, strict=True):
        first, last = np.searchsorted(times, (model.start, end)).tolist()
        engine = _engine(model.predictor, engine, times[:first], values)
        for begin in range(first, last, CHUNK_ROWS):
            rows = slice(begin, min(begin + CHUNK_ROWS, last))
            engine.advance(times[None, rows], values[rows][None])
            forecast = engine.forecast()
            yield ReplayedRows(
                predictor=model.predictor,
                rows=rows,
                probabilities=forecast.probabilities[0],
                thresholds=forecast.thresholds[0],
                warnings=forecast.warnings[0],
                period_start=forecast.period_start[0],
            )


def _engine(predictor: Predictor, previous: OnlineEngine | None, times: Floats, values: Rows) -> OnlineEngine:
    """Return an engine for `predictor` that has received the samples before its part of the holdout.

    The samples that the features need are replayed; the warnings continue those of `previous`.

    Args:
        predictor: model of the part.
        previous: engine of the part before; None for the first part.
        times: (rows,) times of the samples before the part.
        values: (at least rows, columns) values of the samples from the first one on.
    """
    engine = OnlineEngine(predictor.spec, predictor)
    if previous is not None:
        engine.inherit_warnings(previous)
    oldest = times[-1] - predictor.spec.required_history if len(times) else 0.0
    for begin in range(int(np.searchsorted(times, oldest)), len(times), CHUNK_ROWS):
        rows = slice(begin, min(begin + CHUNK_ROWS, len(times)))
        engine.advance(times[None, rows], values[rows][None])
    return engine
