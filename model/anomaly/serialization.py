"""Detector serialization: npz archives of format 2; format 1 is migrated on reading."""

from __future__ import annotations

from typing import Any

import numpy as np

from model.anomaly.block_maxima import SLOT_SECONDS
from model.anomaly.channels import HALF_LIVES, METRIC_HALF_LIVES, SCORE_PARTS, ScoreCalibration
from model.anomaly.detector import Detector, Standardization
from model.anomaly.flatline import FlatlineBaseline
from model.anomaly.forecaster import HORIZONS, LOOKBACK, LinearForecaster
from model.anomaly.mahalanobis import MahalanobisDistance
from model.anomaly.online_detector import OnlineDetector, is_finite
from model.anomaly.tails import ExceedanceTails
from model.array_types import Bools, Floats
from model.errors import SerializationError
from model.npz import MALFORMED, pack, unpack
from model.units import DAY

FORMAT = 2

MAX_RUN_ROWS = 1e9
MAX_SLOT = 1e8
"""Largest length of a run, and largest number of a slot: about the year 7700."""

TEST_ROWS = 8
TEST_BUDGET = 3.0
"""Number of test rows after the warm-up, and their false-alarm budget in alarms per month."""

KIND = "detector"

FLAGS = ("selected", "log_transformed", "flatline.checked_alone", "flatline.checked_jointly")
"""Names of the boolean arrays, which are stored as bytes (uint8)."""

FORMAT_1_ARRAYS = {
    "heard": "selected",
    "logarithmic": "log_transformed",
    "weights": "forecaster.weights",
    "level.mean": "mahalanobis.mean",
    "level.directions": "mahalanobis.whitening",
    "scales": "calibration.residual_scales",
    "usual": "calibration.energy_quantiles",
    "tails": "calibration.tails",
    "alone": "flatline.checked_alone",
    "moving": "flatline.checked_jointly",
    "longest": "flatline.longest_runs",
    "least": "flatline.tolerance",
    "peaks": "slot_maxima",
}
"""Name of each array in format 2; the keys are the names in format 1."""

FORMAT_1_HEADER = {"rows": "mahalanobis_lags", "together": "longest_joint_run"}
"""Name of each header field in format 2; the keys are the names in format 1."""


def dumps_detector(detector: Detector) -> bytes:
    """Serialize a detector; equal detectors give equal bytes."""
    standardization = detector.standardization
    calibration = detector.calibration
    flatline = detector.flatline
    mahalanobis = detector.mahalanobis
    tails = calibration.tails
    header: dict[str, Any] = {
        "format": FORMAT,
        "kind": KIND,
        "columns": detector.columns,
        "step": detector.step,
        "mahalanobis_lags": mahalanobis.lags,
        "longest_joint_run": flatline.longest_joint_run,
    }
    arrays: dict[str, Any] = {
        "mean": standardization.mean,
        "deviation": standardization.deviation,
        "forecaster.weights": detector.forecaster.weights,
        "mahalanobis.mean": mahalanobis.mean,
        "mahalanobis.whitening": mahalanobis.whitening,
        "calibration.residual_scales": calibration.residual_scales,
        "calibration.energy_quantiles": calibration.energy_quantiles,
        "calibration.tails": np.stack([tails.threshold, tails.scale, tails.shape]),
        "flatline.longest_runs": flatline.longest_runs,
        "flatline.tolerance": flatline.tolerance,
        "slots": detector.slots.astype(np.float64),
        "slot_maxima": detector.slot_maxima,
        "selected": standardization.selected.astype(np.uint8),
        "log_transformed": standardization.log_transformed.astype(np.uint8),
        "flatline.checked_alone": flatline.checked_alone.astype(np.uint8),
        "flatline.checked_jointly": flatline.checked_jointly.astype(np.uint8),
    }
    return pack(header, arrays)


def loads_detector(blob: bytes) -> Detector:
    """Deserialize a detector from the bytes that `dumps_detector` of this or an older release returned.

    Raises:
        SerializationError: the bytes are not a detector, are damaged, have a newer format, or describe a detector
            that cannot score rows.
    """
    header, arrays = unpack(blob, KIND, FORMAT)
    if header["format"] == 1:
        header, arrays = _migrate_format_1(header, arrays)
    try:
        flags = {name: arrays.pop(name).astype(bool) for name in FLAGS}
        lags = int(header["mahalanobis_lags"])
        _check(arrays, flags, len(header["columns"]), lags)
        _check_values(header, arrays)
        detector = Detector(
            columns=tuple(header["columns"]),
            step=float(header["step"]),
            standardization=Standardization(
                flags["selected"], flags["log_transformed"], arrays["mean"], arrays["deviation"]
            ),
            forecaster=LinearForecaster(arrays["forecaster.weights"]),
            mahalanobis=MahalanobisDistance(lags, arrays["mahalanobis.mean"], arrays["mahalanobis.whitening"]),
            calibration=ScoreCalibration(
                arrays["calibration.residual_scales"],
                arrays["calibration.energy_quantiles"],
                ExceedanceTails(*arrays["calibration.tails"]),
            ),
            flatline=FlatlineBaseline(
                longest_runs=arrays["flatline.longest_runs"],
                longest_joint_run=float(header["longest_joint_run"]),
                checked_alone=flags["flatline.checked_alone"],
                checked_jointly=flags["flatline.checked_jointly"],
                tolerance=arrays["flatline.tolerance"],
            ),
            slots=arrays["slots"].astype(np.int64),
            slot_maxima=arrays["slot_maxima"],
        )
        _check_test_readings(detector)
        return detector
    except MALFORMED as error:
        raise SerializationError(f"not a detector of monitor: {error}") from error


def _check_values(header: dict[str, Any], arrays: dict[str, Floats]) -> None:
    """Raise SerializationError unless the header and the arrays have values that a fit can have."""
    columns = header["columns"]
    if not all(isinstance(name, str) for name in columns) or len(set(columns)) < len(columns):
        raise SerializationError("columns are not different names")
    _check_number(header, "step", 1, DAY)
    _check_number(header, "longest_joint_run", 0, MAX_RUN_ROWS)
    for name in ("deviation", "calibration.residual_scales"):
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


def _check_test_readings(detector: Detector) -> None:
    """Let a detector score test rows, and raise SerializationError unless its readings are finite.

    The rows are the mean of the history, with growing random deviations. A score of NaN is allowed: without a score
    curve there is none.
    """
    if not len(detector.metrics):
        raise SerializationError("the detector monitors no metric")
    online = OnlineDetector([detector], TEST_BUDGET)
    rng = np.random.default_rng(0)
    standardization = detector.standardization
    start = float(detector.slots[-1] + 1) * SLOT_SECONDS if len(detector.slots) else 0.0
    for i in range(LOOKBACK + TEST_ROWS):
        x = standardization.mean + i / LOOKBACK * standardization.deviation * rng.standard_normal(
            len(detector.metrics)
        )
        row = np.full((1, len(detector.columns)), np.nan)
        row[0, standardization.selected] = np.where(
            standardization.log_transformed, np.expm1(np.minimum(x, 100.0)), x
        )
        (step,) = online.step(start + i * detector.step, row)
    if step.reading is None or not is_finite(step.reading):
        raise SerializationError("a test reading is not finite")


def _migrate_format_1(header: dict[str, Any], arrays: dict[str, Floats]) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Return the header and the arrays of format 1 with the names of format 2."""
    return (
        {FORMAT_1_HEADER.get(name, name): value for name, value in header.items()},
        {FORMAT_1_ARRAYS.get(name, name): array for name, array in arrays.items()},
    )


def _check(arrays: dict[str, Floats], flags: dict[str, Bools], columns: int, lags: int) -> None:
    """Check the shapes of all arrays and flags, and that the arrays are finite.

    Args:
        arrays: numeric arrays by name.
        flags: boolean arrays by name.
        columns: number of columns of the input rows.
        lags: number of rows per vector of the Mahalanobis distance.

    Raises:
        SerializationError: an array or flag has another shape, or an array has a value that is not finite.
    """
    d = int(flags["selected"].sum())
    n = len(arrays["slots"])
    shapes = {
        "mean": (d,),
        "deviation": (d,),
        "forecaster.weights": (LOOKBACK * d + 1, len(HORIZONS) * d),
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
    lengths = {name: len(flag) for name, flag in flags.items()}
    if lengths != {name: columns if name == "selected" else d for name in FLAGS}:
        raise SerializationError(f"flags have lengths {lengths}, for {columns} columns of which {d} are monitored")
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise SerializationError(f"{name} has the shape {arrays[name].shape}, not {shape}")
        if not np.isfinite(arrays[name]).all():
            raise SerializationError(f"{name} holds numbers that are not finite")
