"""Expected values: streaming forecasts of rows, and bands in the units of the metrics."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from model.anomaly.detector import Z_CAP, Detector
from model.anomaly.forecaster import LOOKBACK
from model.anomaly.mahalanobis import SINGLE_METRIC_LAGS
from model.anomaly.resampling import MAX_GAP, WARM_UP_ROWS
from model.anomaly.scoring.calibration import NORMAL_Q99
from model.array_types import Bools, Floats, Integers

BAND_SCALES = NORMAL_Q99
"""Half width of a band in residual scales: about 99 of 100 rows of normal operation lie within the band."""

PAST_ROWS = LOOKBACK + WARM_UP_ROWS
"""Number of rows before a row after which its forecast is complete."""


@dataclass(frozen=True)
class RowForecast:
    """One row and its forecast from the rows before it.

    Attributes:
        x: (metrics,) values of the row after the log transform, NaN where missing.
        z: (metrics,) standardized values of the row, NaN where missing.
        expected: (views * metrics,) forecasts of `z`, grouped by view: the forecast horizons, then the seasonal
            profile unless the detector has format 2.
        present: (metrics,) True for values that follow at least WARM_UP_ROWS values without a gap.
    """

    x: Floats
    z: Floats
    expected: Floats
    present: Bools


class RowForecaster:
    """Streaming forecasts of one host, from its recent rows.

    Attributes:
        recent: (rows, metrics) standardized values of the recent rows, the newest last, without NaN.
    """

    def __init__(self, detector: Detector) -> None:
        """Initialize without observations; `detector` is the fitted detector of the host."""
        metrics = len(detector.standardization.mean)
        self.recent = np.zeros((max(LOOKBACK, SINGLE_METRIC_LAGS), metrics))
        self._detector = detector
        self._missing_rows: Integers = np.full(metrics, LOOKBACK)
        self._rows_since_gap: Integers = np.zeros(metrics, np.int64)
        self._row: int | None = None

    def step(self, at: float, values: Floats) -> RowForecast:
        """Forecast a row, then add it to the recent rows.

        Args:
            at: start of the row in seconds since the epoch.
            values: (columns,), NaN where missing.

        Raises:
            ValueError: the row is not later than the previous row.
        """
        self._skip_missing_rows(round(at / self._detector.step))
        x, z = (row[0] for row in self._detector.standardization.transform(values[None]))
        forecast = self._detector.forecaster(self.recent)
        profile = self._detector.profile
        # A missing value is replaced by its forecast: the last value may be inconsistent with the other metrics.
        self._append(z, np.minimum(np.maximum(forecast[: len(z)], -Z_CAP), Z_CAP))
        return RowForecast(
            x=x,
            z=z,
            expected=forecast if profile is None else np.concatenate((forecast, profile.at(at))),
            present=~np.isnan(z) & (self._rows_since_gap >= WARM_UP_ROWS),
        )

    def _skip_missing_rows(self, number: int) -> None:
        """Append the missing rows before the row with a number, counted from the epoch."""
        if self._row is not None:
            if number <= self._row:
                raise ValueError("rows must be in order of time")
            for _ in range(min(number - self._row - 1, LOOKBACK)):
                self._append(np.full(len(self._missing_rows), np.nan), self.recent[-1])
        self._row = number

    def _append(self, z: Floats, substitute: Floats) -> None:
        """Add a row (metrics,) to the recent rows, with `substitute` (metrics,) in place of NaN."""
        present = ~np.isnan(z)
        row = np.where(present, z, substitute)
        self.recent[:-1] = self.recent[1:]
        self.recent[-1] = row
        run = np.where(self._missing_rows > MAX_GAP, 0, self._rows_since_gap + 1)
        self._rows_since_gap = np.where(present, run, self._rows_since_gap)
        self._missing_rows = np.where(present, 0, self._missing_rows + 1)


@dataclass(frozen=True)
class ExpectedValues:
    """Actual and expected values of rows, in the units of the metrics; NaN where unknown.

    Attributes:
        times: (rows,) starts of the rows in seconds since the epoch.
        actual: (rows, metrics) values.
        expected: (rows, metrics) forecasts from the rows before.
        lower: (rows, metrics) lower ends of the bands of BAND_SCALES residual scales around the forecasts.
        upper: (rows, metrics) upper ends of the bands.
        usual: (rows, metrics) means at this time of day in the training data; NaN for a detector of format 2.
        deviations: (rows, metrics) absolute forecast errors in residual scales, after the transform and clipping.
    """

    times: Floats
    actual: Floats
    expected: Floats
    lower: Floats
    upper: Floats
    usual: Floats
    deviations: Floats


def expected_values(detector: Detector, rows: Iterable[tuple[float, Floats]]) -> ExpectedValues:
    """Compute the forecast of each row from the rows before it, with the detector's forecaster at one row ahead.

    The forecasts of the first PAST_ROWS rows are incomplete: leave these rows out of the result.

    Args:
        detector: fitted detector.
        rows: (start in seconds since the epoch, (columns,) values with NaN where missing), in order of time.
    """
    forecaster = RowForecaster(detector)
    standardization = detector.standardization
    times = []
    actual = []
    forecasts = []
    for at, values in rows:
        times.append(at)
        actual.append(values[standardization.selected])
        forecasts.append(forecaster.step(at, values))
    metrics = len(detector.metrics)
    shape = (len(times), metrics)
    z = np.array([row.z for row in forecasts]).reshape(shape)
    present = np.array([row.present for row in forecasts], bool).reshape(shape)
    forecast = np.array([row.expected[:metrics] for row in forecasts]).reshape(shape)
    forecast = np.where(present, np.clip(forecast, -Z_CAP, Z_CAP), np.nan)
    usual = np.full(shape, np.nan)
    if detector.profile is not None:
        usual = np.array([detector.profile.at(at) for at in times]).reshape(shape)
    scales = detector.calibration.residual_scales[:metrics]
    return ExpectedValues(
        times=np.array(times),
        actual=np.array(actual).reshape(shape),
        expected=standardization.restore(forecast),
        lower=standardization.restore(forecast - BAND_SCALES * scales),
        upper=standardization.restore(forecast + BAND_SCALES * scales),
        usual=standardization.restore(usual),
        deviations=np.abs(z - forecast) / scales,
    )
