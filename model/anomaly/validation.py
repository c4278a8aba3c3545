"""Validation of stored detectors: shapes, values and test readings."""

from __future__ import annotations

from typing import Any

import numpy as np

from model.anomaly.block_maxima import SLOT_SECONDS
from model.anomaly.detector import Detector
from model.anomaly.forecaster import HORIZONS, LAGS
from model.anomaly.online_detector import OnlineDetector, is_finite
from model.anomaly.resampling import WARM_UP_ROWS
from model.anomaly.scoring.channels import HALF_LIVES, METRIC_HALF_LIVES, SCORE_PARTS
from model.anomaly.scoring.overall import AVERAGES
from model.anomaly.seasonal_profile import PROFILE_SLOTS
from model.array_types import Bools, Floats
from model.errors import SerializationError
from model.probes import normal_probes
from model.units import DAY

FLAGS = ("selected", "log_transformed", "flatline.checked_alone", "flatline.checked_jointly")
"""Names of the boolean arrays, which are stored as bytes (uint8)."""

FORMAT_2_LOOKBACK = 16
"""Number of rows before a row that the forecasts of format 2 use."""

MAX_RUN_ROWS = 1e9
MAX_SLOT = 1e8
"""Largest length of a run, and largest number of a slot: about the year 7700."""

TEST_ROWS = 8
TEST_BUDGET = 3.0
"""Number of test rows after the warm-up, and their false-alarm budget in alarms per month."""


def check_shapes(
    arrays: dict[str, Floats], flags: dict[str, Bools], columns: int, lags: int, *, is_current: bool
) -> None:
    """Check the shapes of all arrays and flags, and that the arrays are finite.

    Args:
        arrays: numeric arrays by name.
        flags: boolean arrays by name.
        columns: number of columns of the input rows.
        lags: number of rows per vector of the Mahalanobis distance.
        is_current: False for a detector of format 2.

    Raises:
        SerializationError: an array or flag has another shape, or an array has a value that is not finite.
    """
    d = int(flags["selected"].sum())
    n = len(arrays["slots"])
    shapes: dict[str, tuple[int, ...]] = {
        "mean": (d,),
        "deviation": (d,),
        "forecaster.weights": (FORMAT_2_LOOKBACK * d + 1, len(HORIZONS) * d),
        "mahalanobis.mean": (lags * d,),
        "mahalanobis.whitening": (lags * d, lags * d),
        "calibration.residual_scales": (len(HORIZONS) * d,),
        "calibration.energy_quantiles": (2 * len(HALF_LIVES),),
        "calibration.tails": (3, (len(METRIC_HALF_LIVES) + 1) * d),
        "flatline.longest_runs": (d,),
        "flatline.tolerance": (d,),
        "slots": (n,),
        "slot_maxima": (n, len(SCORE_PARTS)),
    }
    if is_current:
        shapes |= {
            "forecaster.weights": (len(HORIZONS), LAGS + 1, d),
            "calibration.residual_scales": ((len(HORIZONS) + 1) * d,),
            "calibration.overall_quantiles": (AVERAGES,),
            "profile.means": (PROFILE_SLOTS, d),
        }
    lengths = {name: len(flag) for name, flag in flags.items()}
    if lengths != {name: columns if name == "selected" else d for name in FLAGS}:
        raise SerializationError(f"flags have lengths {lengths}, for {columns} columns of which {d} are monitored")
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise SerializationError(f"{name} has the shape {arrays[name].shape}, not {shape}")
        if not np.isfinite(arrays[name]).all():
            raise SerializationError(f"{name} holds numbers that are not finite")


def check_values(header: dict[str, Any], arrays: dict[str, Floats]) -> None:
    """Raise SerializationError unless the header and the arrays have values that a fit can have."""
    columns = header["columns"]
    if not all(isinstance(name, str) for name in columns) or len(set(columns)) < len(columns):
        raise SerializationError("columns are not different names")
    _check_number(header, "step", 1, DAY)
    _check_number(header, "longest_joint_run", 0, MAX_RUN_ROWS)
    positive = ("deviation", "calibration.residual_scales", "calibration.overall_quantiles")
    for name in (name for name in positive if name in arrays):
        if not (arrays[name] > 0).all():
            raise SerializationError(f"{name} is not positive")
    for name in ("flatline.longest_runs", "flatline.tolerance", "slot_maxima"):
        if (arrays[name] < 0).any():
            raise SerializationError(f"{name} is negative")
    slots = arrays["slots"]
    if (np.abs(slots) > MAX_SLOT).any() or (np.diff(slots) <= 0).any():
        raise SerializationError("the numbers of the slots do not increase")


def _check_number(header: dict[str, Any], name: str, low: float, high: float) -> None:
    number = header[name]
    if type(number) not in (int, float) or not low <= number <= high:
        raise SerializationError(f"{name} is {number!r:.60}, not a number from {low:g} to {high:g}")


def check_test_readings(detector: Detector) -> None:
    """Let a detector score test rows, and raise SerializationError unless its readings are finite.

    The rows are the mean of the history, with growing random deviations. A score of NaN is allowed: without a score
    curve there is none.
    """
    if not len(detector.metrics):
        raise SerializationError("the detector monitors no metric")
    online = OnlineDetector([detector], TEST_BUDGET)
    standardization = detector.standardization
    probes = normal_probes(WARM_UP_ROWS + TEST_ROWS, len(detector.metrics))
    start = float(detector.slots[-1] + 1) * SLOT_SECONDS if len(detector.slots) else 0.0
    for i, probe in enumerate(probes):
        row = np.full((1, len(detector.columns)), np.nan)
        row[0, standardization.selected] = standardization.restore(i / WARM_UP_ROWS * probe[None])[0]
        (step,) = online.step(start + i * detector.step, row)
    if step.reading is None or not is_finite(step.reading):
        raise SerializationError("a test reading is not finite")
