"""Overall score part: the score that ranks the times of one host.

Lasting faults are found by slow averages of the residual energy; sudden ones by fast averages relative to the recent
energy of each metric, because a metric that is noisy at the time explains its own residuals.
"""

from __future__ import annotations

import numpy as np

from model.anomaly.scoring.ewma import Ewma
from model.array_types import Bools, Floats

SHORT_HALF_LIVES = (2, 6)
"""Half-lives, in rows, of the averages of the relative energy."""

LONG_HALF_LIVES = (18, 54)
"""Half-lives, in rows, of the averages of the energy."""

AVERAGES = 2 * len(SHORT_HALF_LIVES) + len(LONG_HALF_LIVES)
"""Number of averages: of the forecast residuals and of the seasonal residuals, then the long ones of the former."""

BACKGROUND_WEIGHT = 0.3
"""Weight of the recent energy of a metric in the divisor of its energy."""

LONG_WEIGHT = 0.25
"""Weight of the long averages; the short averages of the forecast residuals have weight 1."""

SEASONAL_WEIGHT = 0.4
"""Weight of the short averages of the seasonal residuals."""

DISTANCE_WEIGHT = 0.3
"""Weight of the Mahalanobis distance."""

METRIC_WEIGHT = 0.03
"""Weight of the metric surprisals."""


class OverallScorer:
    """Streaming averages of one host from which the overall part of each row is computed."""

    def __init__(self, metrics: int, background: float) -> None:
        """Initialize without observations.

        Args:
            metrics: number of metrics.
            background: half-life of the recent energy in rows.
        """
        self._metrics = metrics
        self._energy = Ewma(np.full(3 * metrics, background))
        self._averages = Ewma(np.array((*SHORT_HALF_LIVES, *SHORT_HALF_LIVES, *LONG_HALF_LIVES), dtype=np.float64))
        self._background = Ewma(np.full(2, background))

    def average(self, energy: Floats, present: Bools) -> Floats:
        """Add rows to the averages.

        Args:
            energy: (rows, 3 * metrics) capped energy of the forecast residuals at both horizons and of the seasonal
                residuals, 0 where not present.
            present: (rows, metrics), False for metrics that are not scored.

        Returns:
            (rows, AVERAGES) averages after each row.
        """
        d = self._metrics
        n = len(SHORT_HALF_LIVES)
        background = self._energy.previous_means(energy, np.concatenate((present, present, present), axis=1))
        relative = energy / (1.0 + BACKGROUND_WEIGHT * background)
        count = np.asarray(present.sum(axis=1))
        divisor = np.maximum(count, 1)
        x = np.empty((len(energy), AVERAGES))
        x[:, :n] = (relative[:, : 2 * d].sum(axis=1) / (2 * divisor))[:, None]
        x[:, n : 2 * n] = (relative[:, 2 * d :].sum(axis=1) / divisor)[:, None]
        x[:, 2 * n :] = (energy[:, : 2 * d].sum(axis=1) / (2 * divisor))[:, None]
        observed = np.empty(x.shape, bool)
        observed[:] = (count > 0)[:, None]
        return self._averages.update(x, observed)

    def score(self, averages: Floats, quantiles: Floats, distance: Floats, metric_surprisal: Floats) -> Floats:
        """Return the overall part (rows,), and add the rows to the background averages.

        Args:
            averages: (rows, AVERAGES) result of `average`.
            quantiles: (AVERAGES,) 99th percentiles of the averages in the history.
            distance: (rows,) relative Mahalanobis distance.
            metric_surprisal: (rows,) largest surprisals of a metric.
        """
        n = len(SHORT_HALF_LIVES)
        relative = averages / quantiles
        pair = relative[:, : 2 * n].reshape(-1, 2, n).sum(axis=2) / n
        background = self._background.previous_means(pair, np.ones(pair.shape, bool))
        forecast, seasonal = (pair / (1.0 + background)).T
        long = relative[:, 2 * n :].sum(axis=1) / len(LONG_HALF_LIVES)
        return np.asarray(
            forecast
            + LONG_WEIGHT * long
            + SEASONAL_WEIGHT * seasonal
            + DISTANCE_WEIGHT * distance
            + METRIC_WEIGHT * metric_surprisal
        )
