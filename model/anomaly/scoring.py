"""From what could not be foreseen to how much speaks for an anomaly, row by row or all at once.

A forecast's squared errors are looked at over several times, for a fault that lasts speaks softly at each moment;
over all metrics together, and over each by itself, for one metric going wrong alone is lost in a mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.anomaly.ewma import Smoother
from model.anomaly.tails import RAREST, Tails
from model.array_types import Bools, Floats
from model.units import HOUR

LARGEST = 20.0**2
"""A squared error of one row counts this much at most; one of a single metric and row by itself SPIKE."""

SPIKE = 100.0**2

TIMES = (2, 6, 18)
"""Half-lives in rows over which evidence of all metrics is gathered."""

METRIC_TIMES = (6, 36)
"""Those over which the evidence of each metric is."""

BACKGROUND = 12 * HOUR
"""Half-life in seconds of what is usual of late: errors that stay are a new level, evidence that stays a new
habit.
"""

STEEPEST_BIAS = 8.0
"""An error moves the level by at most so many of its scales."""

LEVEL_WEIGHT, METRIC_WEIGHT = 0.2, 0.02
"""What the level and single metrics count in the score, beside the forecast's errors."""

RARE = 1.5 * RAREST
"""-log probability from which on a metric's last minutes are strange by themselves."""

FOLD = 4.0
"""What a doubling of the joint evidence counts, beside one metric's -log probabilities, in the alarm."""


@dataclass(frozen=True)
class Constants:
    """What evidence is measured by, learned from the past: it is 1 where only one row of a hundred has more.

    `scales` (2 * metrics,) of errors; `usual` (6,) the 99th percentiles of the means; `tails` of 3 * metrics columns:
    each metric's two means, and its single rows.
    """

    scales: Floats
    usual: Floats
    tails: Tails


@dataclass(frozen=True)
class Found:
    """Evidence by row: `joint` and `spike` have thresholds, `overall` makes an order; `metrics` (rows, metrics).

    `present` is how strange the last minutes are by themselves: 1 where one row of a hundred is.
    """

    joint: Floats
    spike: Floats
    overall: Floats
    metrics: Floats
    present: Floats


class Evidence:
    """What has been gathered so far."""

    def __init__(self, metrics: int, step: float) -> None:
        """Nothing yet.

        Args:
            metrics: how many.
            step: seconds between rows.
        """
        self._metrics = metrics
        slow = np.full(2, BACKGROUND / step)
        times = np.array(TIMES, dtype=np.float64)
        single = np.repeat(np.array(METRIC_TIMES, dtype=np.float64), metrics)
        self._bias = Smoother(np.full(2 * metrics, BACKGROUND / step))
        self._means, self._slow, self._single = Smoother(np.tile(times, 2)), Smoother(slow), Smoother(single)

    def squared(self, errors: Floats, known: Bools, scales: Floats) -> Floats:
        """Squared errors in scales, (rows, 2 * metrics), less what errors have been of late; 0 where unknown.

        Args:
            errors: (rows, 2 * metrics).
            known: (rows, 2 * metrics).
            scales: (2 * metrics,).
        """
        farthest = STEEPEST_BIAS * scales
        late = _before(self._bias, np.minimum(np.maximum(errors, -farthest), farthest), known)
        return np.asarray(np.where(known, np.square((errors - late) / scales), 0.0))

    def means(self, squared: Floats, known: Bools, level: Floats, there: Bools) -> Floats:
        """(rows, 6) the errors of all metrics, and the level, over three times each.

        Args:
            squared: (rows, 2 * metrics).
            known: (rows, 2 * metrics).
            level: (rows,) distance from usual places.
            there: (rows,) whether that is known.
        """
        number = known.sum(axis=1)
        error = np.minimum(squared, LARGEST).sum(axis=1) / np.maximum(number, 1)
        # filled rather than stacked: this is done at every row
        x, heard = np.empty((len(error), 2 * len(TIMES))), np.empty((len(error), 2 * len(TIMES)), bool)
        x[:, : len(TIMES)], x[:, len(TIMES) :] = error[:, None], level[:, None]
        heard[:, : len(TIMES)], heard[:, len(TIMES) :] = (number > 0)[:, None], there[:, None]
        return self._means.extend(x, heard)

    def singles(self, squared: Floats, known: Bools) -> Floats:
        """(rows, 3 * metrics) the errors of each metric over two times, and of the row itself."""
        d = self._metrics
        capped = np.minimum(squared, LARGEST)
        both, heard = (capped[:, :d] + capped[:, d:]) / 2, known[:, :d] & known[:, d:]
        over = self._single.extend(np.concatenate((both, both), axis=1), np.concatenate((heard, heard), axis=1))
        return np.concatenate((over, np.minimum(squared[:, :d], SPIKE)), axis=1)

    def found(self, means: Floats, singles: Floats, known: Bools, by: Constants) -> Found:
        """The evidence by row.

        Args:
            means: of `means`.
            singles: of `singles`.
            known: (rows, metrics) which metrics have a say.
            by: what it is measured by.
        """
        d, three = self._metrics, len(TIMES)
        relative = means / by.usual
        pair = np.empty((len(means), 2))
        pair[:, 0], pair[:, 1] = relative[:, :three].sum(axis=1) / three, relative[:, three:].sum(axis=1) / three
        habit = _before(self._slow, pair, np.ones(pair.shape, bool))
        error, place = (pair / (1.0 + habit)).T
        rare = by.tails(singles)
        rare *= np.concatenate((known, known, known), axis=1)
        short, long, now = rare[:, :d], rare[:, d : 2 * d], rare[:, 2 * d :]
        alone = short.max(axis=1) + long.max(axis=1)
        return Found(
            joint=FOLD * np.log1p(pair[:, 0] + place) + alone,
            spike=now.max(axis=1),
            overall=error + LEVEL_WEIGHT * place + METRIC_WEIGHT * alone,
            metrics=np.maximum(np.maximum(short, long), now),
            present=np.maximum(np.maximum(relative[:, 0], relative[:, three]), short.max(axis=1) / RARE),
        )


def _before(smoother: Smoother, x: Floats, known: Bools) -> Floats:
    """(rows, columns) the means before each row; takes the rows in."""
    first = smoother.means
    means = smoother.extend(x, known)
    return first[None] if len(x) == 1 else np.concatenate((first[None], means[:-1]))
