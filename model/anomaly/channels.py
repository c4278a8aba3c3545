"""Anomaly scoring: score parts from residual energy, Mahalanobis distance and surprisal of each metric.

Squared forecast residuals are averaged over several half-lives, because a lasting fault has small residuals in any
single row. They are averaged both over all metrics and per metric, because the mean hides a fault of one metric.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.anomaly.ewma import Ewma
from model.anomaly.tails import TAIL_START, ExceedanceTails, fit_tails
from model.array_types import Bools, Floats
from model.units import HOUR

SCORE_PARTS = ("joint", "spike", "overall")
"""Names of the score parts: joint and spike are alarm channels, and overall determines the anomaly score."""

ENERGY_CAP = 20.0**2
"""Upper bound of a squared normalized residual in the averages."""

SPIKE_CAP = 100.0**2
"""Upper bound of a squared normalized residual in the spike part."""

HALF_LIVES = (2, 6, 18)
"""Half-lives, in rows, of the averages over all metrics."""

METRIC_HALF_LIVES = (6, 36)
"""Half-lives, in rows, of the averages of each metric."""

BACKGROUND = 12 * HOUR
"""Half-life, in seconds, of the bias and of the background averages, which absorb a lasting offset."""

BIAS_CAP = 8.0
"""Upper bound of the absolute residual in the bias estimate, in residual scales."""

DISTANCE_WEIGHT = 0.2
"""Weight of the Mahalanobis distance in the overall part; the residual energy has weight 1."""

METRIC_WEIGHT = 0.02
"""Weight of the metric surprisals in the overall part."""

SURPRISAL_LIMIT = 1.5 * TAIL_START
"""Surprisal of the short average of a metric at which `ScoreParts.short_term` is 1."""

JOINT_FACTOR = 4.0
"""Weight of log(1 + energy + distance) in the joint part; the metric surprisals have weight 1."""

MIN_RESIDUAL_SCALE = 0.05
"""Lower bound of a residual scale, in standard deviations of the metric."""

NORMAL_Q99 = 2.6
"""99th percentile of the absolute value of a standard normal variable, rounded."""


@dataclass(frozen=True)
class ScoreCalibration:
    """Residual scales, energy quantiles and tails of one host, estimated on its history.

    Attributes:
        residual_scales: (horizons * metrics,) divisors of the residuals.
        energy_quantiles: (2 * half-lives,) 99th percentiles of the running averages: first of the residual energy,
            then of the Mahalanobis distance.
        tails: tail distributions of the (3 * metrics,) columns that `AnomalyScorer.average_by_metric` returns.
    """

    residual_scales: Floats
    energy_quantiles: Floats
    tails: ExceedanceTails


@dataclass(frozen=True)
class ScoreParts:
    """Score parts of rows; all are non-negative.

    Attributes:
        joint: (rows,) deviation of several metrics together, or of one metric for hours; has an alarm threshold.
        spike: (rows,) largest surprisal of a single row and metric; has an alarm threshold.
        overall: (rows,) weighted sum from which the anomaly score is computed.
        by_metric: (rows, metrics) largest of the three surprisals of each metric, for the attribution.
        short_term: (rows,) largest ratio of a short average to its limit; below 1 the last minutes are normal.
    """

    joint: Floats
    spike: Floats
    overall: Floats
    by_metric: Floats
    short_term: Floats

    @property
    def for_thresholds(self) -> Floats:
        """(rows, len(SCORE_PARTS)) score parts in the order of SCORE_PARTS."""
        return np.array([self.joint, self.spike, self.overall]).T


class AnomalyScorer:
    """Streaming scorer of one host: running averages from which the score parts of each row are computed."""

    def __init__(self, metrics: int, step: float) -> None:
        """Initialize without observations.

        Args:
            metrics: number of metrics.
            step: row interval in seconds.
        """
        self._metrics = metrics
        background = BACKGROUND / step
        half_lives = np.array(HALF_LIVES, dtype=np.float64)
        metric_half_lives = np.array(METRIC_HALF_LIVES, dtype=np.float64)
        self._bias = Ewma(np.full(2 * metrics, background))
        self._averages = Ewma(np.tile(half_lives, 2))
        self._background = Ewma(np.full(2, background))
        self._metric_averages = Ewma(np.repeat(metric_half_lives, metrics))

    def residual_energy(self, residuals: Floats, present: Bools, scales: Floats) -> Floats:
        """Return the energy ((residual - bias) / scale)^2 of each residual, and add the rows to the running bias.

        Args:
            residuals: (rows, horizons * metrics) forecast residuals, grouped by horizon.
            present: (rows, horizons * metrics), False where a residual is not valid.
            scales: (horizons * metrics,) divisors of the residuals.

        Returns:
            (rows, horizons * metrics), 0 where not present.
        """
        cap = BIAS_CAP * scales
        bias = self._bias.previous_means(np.minimum(np.maximum(residuals, -cap), cap), present)
        return np.asarray(np.where(present, np.square((residuals - bias) / scales), 0.0))

    def average(self, energy: Floats, present: Bools, distance: Floats, valid: Bools) -> Floats:
        """Add rows to the averages of residual energy and Mahalanobis distance.

        Args:
            energy: (rows, horizons * metrics) residual energy.
            present: (rows, horizons * metrics), False where a residual is not valid.
            distance: (rows,) Mahalanobis distance.
            valid: (rows,) False where the distance is not valid.

        Returns:
            (rows, 2 * half-lives) averages after each row: of the energy over all metrics, then of the distance.
        """
        count = present.sum(axis=1)
        mean_energy = np.minimum(energy, ENERGY_CAP).sum(axis=1) / np.maximum(count, 1)
        n = len(HALF_LIVES)
        # Assigned, not stacked: faster, and the daemon calls this for every row.
        x = np.empty((len(mean_energy), 2 * n))
        x[:, :n] = mean_energy[:, None]
        x[:, n:] = distance[:, None]
        observed = np.empty(x.shape, bool)
        observed[:, :n] = (count > 0)[:, None]
        observed[:, n:] = valid[:, None]
        return self._averages.update(x, observed)

    def average_by_metric(self, energy: Floats, present: Bools) -> Floats:
        """Add rows to the averages of the residual energy of each metric.

        Args:
            energy: (rows, horizons * metrics) residual energy.
            present: (rows, horizons * metrics), False where a residual is not valid.

        Returns:
            (rows, 3 * metrics): short averages, long averages, and energy at the first horizon, at most SPIKE_CAP.
        """
        d = self._metrics
        capped = np.minimum(energy, ENERGY_CAP)
        mean = (capped[:, :d] + capped[:, d:]) / 2
        observed = present[:, :d] & present[:, d:]
        averages = self._metric_averages.update(
            np.concatenate((mean, mean), axis=1), np.concatenate((observed, observed), axis=1)
        )
        return np.concatenate((averages, np.minimum(energy[:, :d], SPIKE_CAP)), axis=1)

    def score_parts(
        self, averages: Floats, by_metric: Floats, present: Bools, calibration: ScoreCalibration
    ) -> ScoreParts:
        """Return the score parts of rows, and add the rows to the background averages.

        Args:
            averages: (rows, 2 * half-lives) result of `average`.
            by_metric: (rows, 3 * metrics) result of `average_by_metric`.
            present: (rows, metrics), False for metrics that are not scored.
            calibration: scales, quantiles and tails from `calibrate`.
        """
        d = self._metrics
        n = len(HALF_LIVES)
        relative = averages / calibration.energy_quantiles
        pair = np.empty((len(averages), 2))
        pair[:, 0] = relative[:, :n].sum(axis=1) / n
        pair[:, 1] = relative[:, n:].sum(axis=1) / n
        background = self._background.previous_means(pair, np.ones(pair.shape, bool))
        energy, distance = (pair / (1.0 + background)).T
        surprisal = calibration.tails.surprisal(by_metric)
        surprisal *= np.concatenate((present, present, present), axis=1)
        short = surprisal[:, :d]
        long = surprisal[:, d : 2 * d]
        single = surprisal[:, 2 * d :]
        metric_surprisal = short.max(axis=1) + long.max(axis=1)
        short_term_energy = np.maximum(relative[:, 0], relative[:, n])
        return ScoreParts(
            joint=JOINT_FACTOR * np.log1p(pair[:, 0] + distance) + metric_surprisal,
            spike=single.max(axis=1),
            overall=energy + DISTANCE_WEIGHT * distance + METRIC_WEIGHT * metric_surprisal,
            by_metric=np.maximum(np.maximum(short, long), single),
            short_term=np.maximum(short_term_energy, short.max(axis=1) / SURPRISAL_LIMIT),
        )


def calibrate(
    residuals: Floats, distances: Floats, present: Bools, step: float
) -> tuple[ScoreCalibration, ScoreParts]:
    """Fit the residual scales, the energy quantiles and the tails on cross-fitted residuals and distances.

    Args:
        residuals: (rows, horizons * metrics), grouped by horizon.
        distances: (rows,) Mahalanobis distances.
        present: (rows, metrics), False where a value is not scored.
        step: row interval in seconds.

    Returns:
        The calibration, and the score parts of the history.
    """
    usable = np.asarray(present.any(axis=1))
    scorer = AnomalyScorer(present.shape[1], step)
    present_by_horizon = np.concatenate((present, present), axis=1)
    scales = _residual_scales(residuals, present_by_horizon)
    energy = scorer.residual_energy(residuals, present_by_horizon, scales)
    averages = scorer.average(energy, present_by_horizon, distances, usable)
    by_metric = scorer.average_by_metric(energy, present_by_horizon)
    calibration = ScoreCalibration(
        residual_scales=scales,
        energy_quantiles=np.maximum(np.quantile(averages[usable], 0.99, axis=0), 1e-3),
        tails=fit_tails(by_metric, np.concatenate((present, present, present), axis=1)),
    )
    return calibration, scorer.score_parts(averages, by_metric, present, calibration)


def _residual_scales(residuals: Floats, present: Bools) -> Floats:
    """Return the scale (columns,) of the present residuals (rows, columns); at least MIN_RESIDUAL_SCALE.

    The scale is the geometric mean of the standard deviation and (99th percentile of |residual|) / NORMAL_Q99.
    """
    scales = np.full(residuals.shape[1], MIN_RESIDUAL_SCALE)
    for column in range(residuals.shape[1]):
        observed = residuals[present[:, column], column]
        if len(observed):
            variance = max(observed.std(), 1e-9) * np.quantile(np.abs(observed), 0.99) / NORMAL_Q99
            scales[column] = max(MIN_RESIDUAL_SCALE, np.sqrt(variance))
    return scales
