"""Anomaly detector of one host: unsupervised fit on the history of the host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from model.anomaly.block_maxima import SLOT_SECONDS
from model.anomaly.flatline import FlatlineBaseline, fit_flatline_baseline
from model.anomaly.forecaster import Forecaster, fit_autoregression
from model.anomaly.mahalanobis import MahalanobisDistance, fit_mahalanobis
from model.anomaly.resampling import WARM_UP_ROWS, continuously_present, forward_fill, resample
from model.anomaly.scoring.calibration import calibrate
from model.anomaly.scoring.channels import ScoreCalibration
from model.anomaly.seasonal_profile import SeasonalProfile, fit_seasonal_profile
from model.array_types import Bools, Floats, Integers
from model.errors import NotEnoughHistoryError
from model.features.rows import Rows

MIN_ROWS = 4 * WARM_UP_ROWS
"""Smallest number of usable rows for a fit."""

Z_CAP = 10.0
"""Upper bound of the absolute value of a standardized metric."""

CLIP_QUANTILES = (0.001, 0.999)
"""Quantiles (low, high); the fitted values are clipped to [low - r / 2, high + r / 2], r = high - low."""

LOG_TRANSFORM_RATIO = 100.0
"""A non-negative metric is log-transformed if its upper clip quantile exceeds this factor times max(median, 1)."""

MAX_LOG = 100.0
"""Largest log-transformed value that is transformed back: the result is finite."""

MIN_RELATIVE_RANGE = 1e-9
"""Smallest range of a monitored metric, relative to max(|maximum|, 1); below it the metric counts as constant."""

MIN_PRESENT_SHARE = 0.2
"""Fraction of the observed rows in which a metric must be present to be monitored; below it the metric is too new."""


class FitRefusal(StrEnum):
    """Reason why no detector was fitted."""

    TOO_SHORT = "too_short"
    NO_VARIATION = "no_variation"
    GAPS = "gaps"

    @property
    def message(self) -> str:
        """Text of the reason for users."""
        return _REFUSAL_MESSAGES[self]


_REFUSAL_MESSAGES = {
    FitRefusal.TOO_SHORT: f"the history has fewer than {MIN_ROWS} rows",
    FitRefusal.NO_VARIATION: "no metric varies in the history",
    FitRefusal.GAPS: f"the history has fewer than {MIN_ROWS} rows that follow {WARM_UP_ROWS} rows without a gap",
}


class DetectorFitError(NotEnoughHistoryError):
    """Raised if no detector can be fitted: the history has too few usable rows, or no metric varies.

    Attributes:
        reason: code of the reason.
    """

    def __init__(self, reason: FitRefusal) -> None:
        super().__init__(reason.message)
        self.reason = reason


@dataclass(frozen=True)
class Standardization:
    """Transform of input columns to standardized metrics: selection, log transform and scaling.

    Attributes:
        selected: (columns,) True for columns that are monitored.
        log_transformed: (metrics,) True for metrics that are transformed to log(1 + max(x, 0)).
        mean: (metrics,) mean after the log transform.
        deviation: (metrics,) standard deviation after the log transform.
    """

    selected: Bools
    log_transformed: Bools
    mean: Floats
    deviation: Floats

    def transform(self, values: Floats) -> tuple[Floats, Floats]:
        """Select and transform values (rows, columns), NaN where missing.

        Returns:
            (rows, metrics) values after the log transform, and (rows, metrics) standardized values clipped to ±Z_CAP.
        """
        x = _log_transform(values[:, self.selected], self.log_transformed)
        z = (x - self.mean) / self.deviation
        return x, np.minimum(np.maximum(z, -Z_CAP), Z_CAP)

    def restore(self, z: Floats) -> Floats:
        """Return standardized values (rows, metrics) in the units of the columns: the inverse of `transform`."""
        x = z * self.deviation + self.mean
        if self.log_transformed.any():
            x[:, self.log_transformed] = np.expm1(np.minimum(x[:, self.log_transformed], MAX_LOG))
        return x


@dataclass(frozen=True)
class Detector:
    """Fitted anomaly detector: parameters that describe the normal behaviour of one host.

    Attributes:
        columns: names of the columns of the input rows.
        step: row interval in seconds.
        standardization: transform of columns to standardized metrics.
        forecaster: linear forecaster of all metrics.
        profile: usual values by time of day; None for a detector of format 2.
        mahalanobis: squared Mahalanobis distance from the mean of the history.
        calibration: residual scales, energy quantiles and tails.
        flatline: baseline of the runs of unchanged values.
        slots: (n,) numbers of the half-hour slots with usable rows, increasing.
        slot_maxima: (n, score parts) cross-fitted maxima of the score parts in each slot.
    """

    columns: tuple[str, ...]
    step: float
    standardization: Standardization
    forecaster: Forecaster
    profile: SeasonalProfile | None
    mahalanobis: MahalanobisDistance
    calibration: ScoreCalibration
    flatline: FlatlineBaseline
    slots: Integers
    slot_maxima: Floats

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the monitored metrics."""
        selected = self.standardization.selected
        return tuple(name for name, is_selected in zip(self.columns, selected, strict=True) if is_selected)


def fit_detector(
    times: Floats, values: Rows, columns: Sequence[str], step: float, excluded: Bools | None = None
) -> Detector:
    """Fit a detector on the history of one host, which may contain anomalies.

    Args:
        times: (samples,) seconds, increasing.
        values: (samples, columns), NaN where missing.
        columns: names of the columns.
        step: row interval in seconds, see `row_interval`.
        excluded: (samples,) True for a sample to leave out; None for no such sample.

    Raises:
        DetectorFitError: the history has fewer than MIN_ROWS usable rows, or no metric varies.
    """
    times, values = resample(times, values, step, excluded)
    selected = _varying_columns(values)
    if len(times) < MIN_ROWS:
        raise DetectorFitError(FitRefusal.TOO_SHORT)
    if not selected.any():
        raise DetectorFitError(FitRefusal.NO_VARIATION)
    standardization = _fit_standardization(values, selected)
    x, z = standardization.transform(values)
    present = continuously_present(~np.isnan(z))
    usable = np.asarray(present.any(axis=1))
    if usable.sum() < MIN_ROWS:
        raise DetectorFitError(FitRefusal.GAPS)
    z = forward_fill(z)
    forecaster, residuals = fit_autoregression(z, usable)
    profile, seasonal_residuals = fit_seasonal_profile(times, z, present)
    mahalanobis, distances = fit_mahalanobis(z, usable)
    calibration, parts = calibrate(np.concatenate((residuals, seasonal_residuals), axis=1), distances, present, step)
    slots, slot_maxima = _slot_maxima(times[usable], parts.for_thresholds[usable])
    return Detector(
        columns=tuple(columns),
        step=step,
        standardization=standardization,
        forecaster=forecaster,
        profile=profile,
        mahalanobis=mahalanobis,
        calibration=calibration,
        flatline=fit_flatline_baseline(x, 1e-9 * standardization.deviation),
        slots=slots,
        slot_maxima=slot_maxima,
    )


def _varying_columns(values: Floats) -> Bools:
    """Return a mask (columns,) of the columns that vary and are present often enough to be monitored."""
    present = ~np.isnan(values)
    low = np.where(present, values, np.inf).min(axis=0, initial=np.inf)
    high = np.where(present, values, -np.inf).max(axis=0, initial=-np.inf)
    varies = high - low > MIN_RELATIVE_RANGE * np.maximum(np.abs(high), 1.0)
    observed_rows = np.maximum(present.any(axis=1).sum(), 1)
    return np.asarray(varies & (present.sum(axis=0) > MIN_PRESENT_SHARE * observed_rows))


def _fit_standardization(values: Floats, selected: Bools) -> Standardization:
    """Fit the log transform, the mean and the deviation of the monitored columns.

    Values far beyond CLIP_QUANTILES are clipped first, so that anomalies have little influence.

    Args:
        values: (rows, columns), NaN where missing.
        selected: (columns,) True for columns that are monitored.
    """
    x = values[:, selected]
    median, high = np.nanquantile(x, (0.5, CLIP_QUANTILES[1]), axis=0)
    spans_decades = high > LOG_TRANSFORM_RATIO * np.maximum(median, 1.0)
    log_transformed: Bools = spans_decades & (np.nanmin(x, axis=0, initial=0.0) >= 0)
    x = _log_transform(x, log_transformed)
    low, high = np.nanquantile(x, CLIP_QUANTILES, axis=0)
    margin = (high - low) / 2
    clipped = np.clip(x, low - margin, high + margin)
    deviation = np.maximum(np.nanstd(clipped, axis=0), 0.1 * np.nanstd(x, axis=0))
    return Standardization(selected, log_transformed, np.nanmean(clipped, axis=0), deviation)


def _log_transform(x: Floats, log_transformed: Bools) -> Floats:
    """Return `x` (rows, metrics), with log(1 + max(x, 0)) in the metrics where the mask `log_transformed` is True."""
    if not log_transformed.any():
        return x
    transformed = x.copy()
    transformed[:, log_transformed] = np.log1p(np.maximum(transformed[:, log_transformed], 0.0))
    return transformed


def _slot_maxima(times: Floats, parts: Floats) -> tuple[Integers, Floats]:
    """Return the slots that contain rows, and the maxima of the score parts in each slot.

    Args:
        times: (rows,) seconds since the epoch, increasing.
        parts: (rows, score parts) score parts of each row.

    Returns:
        (n,) slot numbers, increasing, and (n, score parts) maxima.
    """
    slots = (times // SLOT_SECONDS).astype(np.int64)
    starts = np.flatnonzero(np.diff(slots, prepend=slots[0] - 1))
    return slots[starts], np.maximum.reduceat(parts, starts, axis=0)
