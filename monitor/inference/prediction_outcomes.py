"""Prediction outcomes: score totals and lead times from stored predictions and samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from model.array_types import Bools, Floats
from model.features.labels import Rules, future_labels
from model.features.rolling_window import RollingWindow
from model.features.spacing import GAP_FACTOR, RECENT_INTERVALS
from model.forecast.events import false_warnings, lead_times, observed_seconds, period_onsets, predicted_onsets
from model.forecast.score_totals import ScoredPredictions, total_scores
from monitor.stores import Stores
from storage import Onset, Prediction, PredictionRepository, ScoreRow


@dataclass(frozen=True)
class PeriodScore:
    """Scores of the predictions of one period for one horizon.

    Attributes:
        totals: sums for each hour, load state and probability bin of width 0.1.
        onsets: onsets in the period, with the lead times of their warnings.
    """

    totals: list[ScoreRow]
    onsets: list[Onset]


def score_period(
    stores: Stores,
    predictions: PredictionRepository,
    rules: Rules,
    step: float,
    horizon: float,
    period: tuple[float, float],
) -> PeriodScore:
    """Score the predictions of one period against the stored samples.

    The samples of the period are held in memory.

    Args:
        stores: repositories.
        predictions: repository of the live or of the replayed predictions.
        rules: high-load rules with resolved percentile bounds.
        step: seconds between samples.
        horizon: seconds.
        period: start (exclusive) and end (inclusive) in seconds since the epoch.

    Raises:
        StorageError: the database cannot be read.
    """
    start, end = period
    margin = rules.sustained + (2 * GAP_FACTOR + RECENT_INTERVALS) * step
    rows = stores.samples.between(start - horizon - margin, end + horizon + 2 * step, rules.metrics)
    window = RollingWindow(rules.metrics, rules, step)
    window.extend(rows[:, 0], rows[:, 1:])
    outcomes = PredictionOutcomes(predictions.between(start - horizon, end + horizon, horizon), window)
    totals = total_scores(outcomes.scored(horizon, start, end))
    return PeriodScore([ScoreRow(**asdict(row)) for row in totals], outcomes.onsets(horizon, start, end))


class PredictionOutcomes:
    """Predictions for one horizon as arrays, matched to the samples from which they were made."""

    def __init__(self, predictions: Sequence[Prediction], window: RollingWindow) -> None:
        """Convert predictions to arrays and find the sample of each prediction.

        Args:
            predictions: predictions for one horizon, in time order.
            window: samples of the same period.
        """
        self._window = window
        self._at: Floats = np.array([p.at for p in predictions])
        self._probability: Floats = np.array([p.probability for p in predictions])
        self._baseline: Floats = np.array([p.baseline_probability for p in predictions])
        self._warning: Bools = np.array([p.warning for p in predictions], dtype=bool)
        self._row = np.searchsorted(window.times, self._at)
        inside = self._row < len(window)
        self._has_sample = np.zeros(len(self._at), bool)
        self._has_sample[inside] = window.times[self._row[inside]] == self._at[inside]
        self._in_period: Bools = np.zeros(len(self._at), bool)
        self._in_period[self._has_sample] = np.isfinite(window.period_start[self._row[self._has_sample]])
        self._counts = self._has_sample & ~self._in_period
        self._announcing = self._warning & self._counts

    def scored(self, horizon: float, start: float, end: float) -> ScoredPredictions:
        """Return the predictions made in (start, end], with their outcomes; an unknown outcome is NaN.

        Args:
            horizon: horizon of the predictions in seconds.
            start: seconds since the epoch.
            end: seconds since the epoch.
        """
        outcomes = np.full(len(self._at), np.nan)
        rows = self._row[self._has_sample]
        outcomes[self._has_sample] = future_labels(self._window.times, self._window.state, (horizon,), rows)[:, 0]
        new = (self._at > start) & (self._at <= end)
        return ScoredPredictions(
            at=self._at[new],
            probability=self._probability[new],
            baseline=self._baseline[new],
            warning=self._warning[new],
            high_load=self._in_period[new],
            outcome=outcomes[new],
            false_warning=false_warnings(self._at, self._announcing, outcomes, horizon)[new],
            observed=observed_seconds(self._at, outcomes)[new],
        )

    def onsets(self, horizon: float, start: float, end: float) -> list[Onset]:
        """Return the onsets in (start, end], each with its lead time.

        The lead time is the time in seconds from the first warning within one horizon before the onset to the onset;
        None if there was no such warning. An onset without predictions in that time is left out.

        Args:
            horizon: horizon of the predictions in seconds.
            start: seconds since the epoch.
            end: seconds since the epoch.
        """
        window = self._window
        onsets = period_onsets(window.times, window.state, window.period_start)
        at = self._at[self._counts]
        predicted = predicted_onsets(onsets[(onsets > start) & (onsets <= end)], at, horizon)
        leads = lead_times(predicted, at, self._announcing[self._counts], horizon)
        rows = zip(predicted.tolist(), leads.tolist(), strict=True)
        return [Onset(onset, None if math.isnan(lead) else lead) for onset, lead in rows]
