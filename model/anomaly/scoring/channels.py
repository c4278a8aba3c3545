"""Anomaly scoring: score parts from residual energy, Mahalanobis distance and surprisal of each metric.

Squared forecast residuals are averaged over several half-lives, because a lasting fault has small residuals in any
single row. They are averaged both over all metrics and per metric, because the mean hides a fault of one metric.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.anomaly.forecaster import HORIZONS
from model.anomaly.scoring.ewma import Ewma
from model.anomaly.scoring.overall import OverallScorer
from model.anomaly.scoring.tails import TAIL_START, ExceedanceTails
from model.array_types import Bools, Floats
from model.units import HOUR

SCORE_PARTS = ("joint", "spike", "overall")
"""Names of the score parts: joint and spike are alarm channels, and overall determines the anomaly score."""

HORIZON_VIEWS = len(HORIZONS)
"""Number of views of the residuals that come from the forecasts."""

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

FORMAT_2_WEIGHTS = (0.2, 0.02)
"""Weights of the Mahalanobis distance and the metric surprisals in the overall part of a detector of format 2."""

SURPRISAL_LIMIT = 1.5 * TAIL_START
"""Surprisal of the short average of a metric at which `ScoreParts.short_term` is 1."""

JOINT_FACTOR = 4.0
"""Weight of log(1 + energy + distance) in the joint part; the metric surprisals have weight 1."""


@dataclass(frozen=True)
class ScoreCalibration:
    """Residual scales, energy quantiles and tails of one host, estimated on its history.

    Attributes:
        residual_scales: (views * metrics,) divisors of the residuals.
        energy_quantiles: (2 * half-lives,) 99th percentiles of the running averages: first of the residual energy,
            then of the Mahalanobis distance.
        tails: tail distributions of the (3 * metrics,) columns of `RunningAverages.by_metric`.
        overall_quantiles: (AVERAGES,) 99th percentiles of the averages of `OverallScorer`; None for a detector of
            format 2, which has no seasonal profile.
    """

    residual_scales: Floats
    energy_quantiles: Floats
    tails: ExceedanceTails
    overall_quantiles: Floats | None


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


@dataclass(frozen=True)
class RunningAverages:
    """Running averages of one host after each row.

    Attributes:
        host: (rows, 2 * half-lives) averages of the residual energy over all metrics, then of the Mahalanobis
            distance.
        by_metric: (rows, 3 * metrics) short and long averages of the energy of each metric, and its energy at the
            first horizon, at most SPIKE_CAP.
        overall: (rows, AVERAGES) averages of `OverallScorer`; None for a detector of format 2.
    """

    host: Floats
    by_metric: Floats
    overall: Floats | None


class AnomalyScorer:
    """Streaming scorer of one host: running averages from which the score parts of each row are computed."""

    def __init__(self, metrics: int, step: float, *, seasonal: bool = True) -> None:
        """Initialize without observations.

        Args:
            metrics: number of metrics.
            step: row interval in seconds.
            seasonal: True if the residuals include those of the seasonal profile; False for a detector of format 2.
        """
        self._metrics = metrics
        self._views = HORIZON_VIEWS + 1 if seasonal else HORIZON_VIEWS
        background = BACKGROUND / step
        half_lives = np.array(HALF_LIVES, dtype=np.float64)
        metric_half_lives = np.array(METRIC_HALF_LIVES, dtype=np.float64)
        self._bias = Ewma(np.full(self._views * metrics, background))
        self._averages = Ewma(np.tile(half_lives, 2))
        self._background = Ewma(np.full(2, background))
        self._metric_averages = Ewma(np.repeat(metric_half_lives, metrics))
        self._overall = OverallScorer(metrics, background) if seasonal else None

    def update(
        self, residuals: Floats, present: Bools, distance: Floats, calibration: ScoreCalibration
    ) -> ScoreParts:
        """Return the score parts of rows; arguments as for `residual_energy`, `average` and `score_parts`."""
        observed = np.concatenate((present,) * self._views, axis=1)
        energy = self.residual_energy(np.where(observed, residuals, 0.0), present, calibration.residual_scales)
        return self.score_parts(self.average(energy, present, distance), present, calibration)

    def residual_energy(self, residuals: Floats, present: Bools, scales: Floats) -> Floats:
        """Return the energy ((residual - bias) / scale)^2 of each residual, and add the rows to the running bias.

        Args:
            residuals: (rows, views * metrics) residuals, grouped by view: one forecast horizon, or the profile.
            present: (rows, metrics), False for metrics that are not scored.
            scales: (views * metrics,) divisors of the residuals.

        Returns:
            (rows, views * metrics), 0 where not present.
        """
        cap = BIAS_CAP * scales
        observed = np.concatenate((present,) * self._views, axis=1)
        bias = self._bias.previous_means(np.minimum(np.maximum(residuals, -cap), cap), observed)
        return np.asarray(np.where(observed, np.square((residuals - bias) / scales), 0.0))

    def average(self, energy: Floats, present: Bools, distance: Floats) -> RunningAverages:
        """Add rows to the averages.

        Args:
            energy: (rows, views * metrics) residual energy.
            present: (rows, metrics), False for metrics that are not scored.
            distance: (rows,) Mahalanobis distance.
        """
        d = self._metrics
        n = len(HALF_LIVES)
        capped = np.minimum(energy, ENERGY_CAP)
        forecast_energy = capped[:, : HORIZON_VIEWS * d]
        count = np.asarray(present.sum(axis=1))
        # Assigned, not stacked: faster, and the daemon calls this for every row.
        x = np.empty((len(energy), 2 * n))
        x[:, :n] = (forecast_energy.sum(axis=1) / np.maximum(HORIZON_VIEWS * count, 1))[:, None]
        x[:, n:] = distance[:, None]
        observed = np.empty(x.shape, bool)
        observed[:] = (count > 0)[:, None]
        mean = (capped[:, :d] + capped[:, d : 2 * d]) / HORIZON_VIEWS
        short_and_long = self._metric_averages.update(
            np.concatenate((mean, mean), axis=1), np.concatenate((present, present), axis=1)
        )
        return RunningAverages(
            host=self._averages.update(x, observed),
            by_metric=np.concatenate((short_and_long, np.minimum(energy[:, :d], SPIKE_CAP)), axis=1),
            overall=None if self._overall is None else self._overall.average(capped, present),
        )

    def score_parts(self, averages: RunningAverages, present: Bools, calibration: ScoreCalibration) -> ScoreParts:
        """Return the score parts of rows, and add the rows to the background averages.

        Args:
            averages: result of `average`.
            present: (rows, metrics), False for metrics that are not scored.
            calibration: scales, quantiles and tails from `calibrate`.
        """
        d = self._metrics
        n = len(HALF_LIVES)
        relative = averages.host / calibration.energy_quantiles
        pair = np.empty((len(relative), 2))
        pair[:, 0] = relative[:, :n].sum(axis=1) / n
        pair[:, 1] = relative[:, n:].sum(axis=1) / n
        background = self._background.previous_means(pair, np.ones(pair.shape, bool))
        energy, distance = (pair / (1.0 + background)).T
        surprisal = calibration.tails.surprisal(averages.by_metric)
        surprisal *= np.concatenate((present, present, present), axis=1)
        short = surprisal[:, :d]
        long = surprisal[:, d : 2 * d]
        single = surprisal[:, 2 * d :]
        metric_surprisal = short.max(axis=1) + long.max(axis=1)
        short_term_energy = np.maximum(relative[:, 0], relative[:, n])
        if self._overall is None or averages.overall is None or calibration.overall_quantiles is None:
            overall = energy + FORMAT_2_WEIGHTS[0] * distance + FORMAT_2_WEIGHTS[1] * metric_surprisal
        else:
            overall = self._overall.score(averages.overall, calibration.overall_quantiles, distance, metric_surprisal)
        return ScoreParts(
            joint=JOINT_FACTOR * np.log1p(pair[:, 0] + distance) + metric_surprisal,
            spike=single.max(axis=1),
            overall=overall,
            by_metric=np.maximum(np.maximum(short, long), single),
            short_term=np.maximum(short_term_energy, short.max(axis=1) / SURPRISAL_LIMIT),
        )
