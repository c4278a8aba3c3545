"""Evaluation of what-if: warnings of one setting, matched to the high-load periods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from model.array_types import Floats
from model.features.labels import Rules
from model.forecast.events import EventScore, HorizonScorecard, make_scorecard, warning_score
from model.forecast.online.hysteresis import replay_warnings, start_threshold
from monitor.queries.scorecard import EVALUATION_INTERVAL
from monitor.queries.what_if.inputs import Labels, StoredProbabilities


@dataclass(frozen=True)
class Setting:
    """Warning precision and high-load rules with numbers as bounds."""

    precision: float
    rules: Rules

    @property
    def threshold(self) -> float:
        """Probability at which a warning of a fitted model starts."""
        return start_threshold(self.precision)


@dataclass(frozen=True)
class HorizonResult:
    """Warnings of one setting for one horizon.

    Attributes:
        horizon: seconds.
        warnings: number of warnings that started.
        score: warnings matched to the high-load periods that had predictions before them.
    """

    horizon: float
    warnings: int
    score: EventScore


@dataclass(frozen=True)
class SettingResult:
    """Result of one setting.

    Attributes:
        setting: precision and rules.
        periods: number of high-load periods.
        horizons: warnings for each horizon.
        any_horizon: periods that a warning of at least one horizon announced, with the longest lead time.
    """

    setting: Setting
    periods: int
    horizons: tuple[HorizonResult, ...]
    any_horizon: EventScore


def evaluate(
    setting: Setting, present_precision: float, labels: Labels, stored: Mapping[float, StoredProbabilities]
) -> SettingResult:
    """Return the warnings that a setting would have given from the stored probabilities.

    Args:
        setting: precision and rules.
        present_precision: precision of the configuration, by which thresholds of the pretrained model are known.
        labels: labels by the rules of the setting; their horizons are those of `stored`, in order.
        stored: stored predictions by horizon.
    """
    horizons = tuple(
        _evaluate_horizon(setting, present_precision, labels, column, horizon, predictions)
        for column, (horizon, predictions) in enumerate(stored.items())
    )
    cards = [HorizonScorecard(result.horizon, result.score, {}) for result in horizons]
    return SettingResult(setting, len(labels.onsets), horizons, make_scorecard(cards).any_horizon)


def start_thresholds(stored: Floats, present_precision: float, precision: float) -> Floats:
    """Return the start thresholds (rows,) of another precision.

    A fitted model warns from `start_threshold(precision)` on, the pretrained model from the precision itself on. An
    infinite threshold, of a prediction that gives no warnings, stays infinite.

    Args:
        stored: (rows,) thresholds as stored.
        present_precision: precision that the pretrained model was stored with.
        precision: other precision.
    """
    by_model = np.where(np.isclose(stored, present_precision), precision, start_threshold(precision))
    return np.where(np.isfinite(stored), by_model, np.inf)


def _evaluate_horizon(
    setting: Setting,
    present_precision: float,
    labels: Labels,
    column: int,
    horizon: float,
    predictions: StoredProbabilities,
) -> HorizonResult:
    """Return the warnings for one horizon; predictions without a sample shortly before them are left out."""
    row = np.searchsorted(labels.times, predictions.at, side="right") - 1
    age = predictions.at - labels.times[np.maximum(row, 0)] if len(labels.times) else np.zeros(len(row))
    known = (row >= 0) & (age < 2 * EVALUATION_INTERVAL)
    at, row = predictions.at[known], row[known]
    in_period = labels.in_period[row]
    active = replay_warnings(
        at,
        predictions.probability[known],
        start_thresholds(predictions.threshold[known], present_precision, setting.precision),
        in_period,
        labels.last_high[row],
        horizon,
        setting.rules.sustained,
    )
    calm = ~in_period
    score = warning_score(at[calm], active[calm], labels.outcomes[row, column][calm], labels.onsets, horizon)
    return HorizonResult(horizon, int((active & ~np.append(False, active[:-1])).sum()), score)
