"""Replayed predictions: stored and scored for the history without live predictions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.array_types import Bools, Floats
from model.features.rows import Rows, column_of
from model.forecast.predictor import Predictor
from model.training.holdout_replay import ReplayedRows, ReplayModel, replay
from model.units import HOUR, MINUTE
from monitor.inference.forecast import NO_WARNINGS
from monitor.inference.prediction_outcomes import score_period
from monitor.stores import TIME_EPSILON, Stores, delete_replayed_predictions
from storage import Prediction, PredictionRepository

PREDICTIONS_PER_HORIZON = 60
"""Largest number of predictions stored in a period as long as the horizon: neighbouring predictions differ little."""

LIVE_WIDTH = 5 * MINUTE
"""Length in seconds of a time bucket; a bucket with a live prediction gets no replayed prediction."""

BATCH_ROWS = 2000
"""Number of predictions stored in one transaction; small, so that the daemon soon gets the write lock."""

SCORED_SECONDS = 6 * HOUR
"""Seconds of predictions that are scored at once, which bounds memory."""


@dataclass(frozen=True)
class SampleHistory:
    """Stored samples that a training run used.

    Attributes:
        times: (rows,) seconds since the epoch, increasing.
        values: (rows, SAMPLE_FIELDS), NaN where missing.
    """

    times: Floats
    values: Rows


def replay_predictions(
    stores: Stores, models: Sequence[ReplayModel], history: SampleHistory, model_id: int, since: float
) -> int:
    """Predict for the history without live predictions; replace the replayed predictions stored for it.

    Args:
        stores: repositories.
        models: models in order of time; each predicts from its start to the start of the next model.
        history: samples to replay.
        model_id: ID of the registered model that the predictions are stored with.
        since: seconds since the epoch; nothing earlier is replayed.

    Returns:
        The number of predictions stored.

    Raises:
        StorageError: the database cannot be read or written.
    """
    models = _clipped(models, since)
    if not models or models[0].start > history.times[-1]:
        return 0
    start = models[0].start
    end = float(history.times[-1])
    delete_replayed_predictions(stores, start, end)
    without_live = ~has_predictions(stores.predictions, history.times, start, LIVE_WIDTH)
    if not without_live[history.times >= start].any():
        return 0
    stored = 0
    thinning = _Thinning()
    for rows in replay(models, history.times, history.values):
        wanted = without_live[rows.rows] & has_rule_metric(rows.predictor, history.values[rows.rows])
        predictions = list(_predictions(rows, history.times, wanted, thinning, model_id))
        for first in range(0, len(predictions), BATCH_ROWS):
            stores.replayed_predictions.append(predictions[first : first + BATCH_ROWS])
        stored += len(predictions)
    _score(stores, models[-1].predictor, history.times, start)
    return stored


def has_predictions(predictions: PredictionRepository, times: Floats, start: float, width: float) -> Bools:
    """Return a mask (rows,) of the times from `start` on that share a bucket of `width` seconds with a prediction.

    Args:
        predictions: repository of the live or of the replayed predictions.
        times: (rows,) seconds since the epoch, increasing.
        start: seconds since the epoch; earlier times are False.
        width: length of a bucket in seconds.
    """
    result = np.zeros(len(times), bool)
    inside = times >= start
    if inside.any():
        first = start - start % width
        buckets = np.floor_divide(times[inside] - first, width).astype(np.int64)
        result[inside] = predictions.occupied_buckets(first, width, int(buckets[-1]) + 1)[buckets]
    return result


def _clipped(models: Sequence[ReplayModel], since: float) -> list[ReplayModel]:
    """Return the models whose part of the history ends after `since` (seconds since the epoch).

    A part that starts earlier is shortened to start at `since`.
    """
    starts = [model.start for model in models]
    kept = [model for model, end in zip(models, [*starts[1:], math.inf], strict=False) if end > since]
    return [replace(model, start=max(model.start, since)) for model in kept]


def has_rule_metric(predictor: Predictor, values: Rows) -> Bools:
    """Return a mask (rows,) of the samples with a value of any metric of the high-load rules."""
    positions = [predictor.spec.columns.index(metric) for metric in predictor.spec.rules.metrics]
    return np.asarray(np.logical_or.reduce([np.isfinite(column_of(values, position)) for position in positions]))


class _Thinning:
    """Selector of the samples whose predictions are stored: the first sample in each slot.

    The length of a slot is the horizon divided by PREDICTIONS_PER_HORIZON.
    """

    def __init__(self) -> None:
        self._last_slots: dict[float, float] = {}

    def select(self, times: Floats, horizon: float) -> Bools:
        """Return a mask (rows,) of the first time in each slot of the horizon.

        Args:
            times: (rows,) seconds since the epoch, increasing; later than in the last call for this horizon.
            horizon: seconds.
        """
        slots = times // (horizon / PREDICTIONS_PER_HORIZON)
        selected = np.diff(slots, prepend=self._last_slots.get(horizon, -math.inf)) > 0
        if len(slots):
            self._last_slots[horizon] = float(slots[-1])
        return np.asarray(selected)


def _predictions(
    rows: ReplayedRows, times: Floats, wanted: Bools, thinning: _Thinning, model_id: int
) -> Iterator[Prediction]:
    """Yield the predictions to store for replayed samples, thinned for each horizon.

    Args:
        rows: predictions of one model for consecutive samples of the history.
        times: (samples,) times of the whole history in seconds since the epoch.
        wanted: (rows,) mask of the replayed samples to use: with a rule metric, without a live prediction.
        thinning: selects the first wanted sample in each slot.
        model_id: ID of the registered model that the predictions are stored with.
    """
    at = times[rows.rows]
    thresholds = np.minimum(rows.thresholds, NO_WARNINGS)
    for column, horizon in enumerate(rows.predictor.horizons):
        selected = np.flatnonzero(wanted)[thinning.select(at[wanted], horizon)]
        columns = zip(
            at[selected].tolist(),
            rows.probabilities[selected, column].tolist(),
            thresholds[selected, column].tolist(),
            rows.warnings[selected, column].tolist(),
            rows.period_start[selected].tolist(),
            strict=True,
        )
        for time, probability, threshold, warning, period_start in columns:
            yield Prediction(
                at=time,
                horizon=horizon,
                model_id=model_id,
                probability=probability,
                baseline_probability=rows.predictor.base_rates[column],
                threshold=threshold,
                warning=warning,
                high_load_since=period_start if math.isfinite(period_start) else None,
            )


def _score(stores: Stores, predictor: Predictor, times: Floats, start: float) -> None:
    """Score the replayed predictions made since `start`, and store the scores.

    Predictions whose horizon ends after the newest sample are left out.

    Args:
        stores: repositories.
        predictor: predictor whose rules, sampling step and horizons are used.
        times: (rows,) sample times in seconds since the epoch, increasing.
        start: seconds since the epoch.
    """
    spec = predictor.spec
    for horizon in predictor.horizons:
        last = float(times[-1]) - horizon
        for first in np.arange(start - TIME_EPSILON, last, SCORED_SECONDS).tolist():
            period = first, min(first + SCORED_SECONDS, last)
            score = score_period(stores, stores.replayed_predictions, spec.rules, spec.step, horizon, period)
            stores.replayed_scores.add_replayed(horizon, score.totals, score.onsets)
