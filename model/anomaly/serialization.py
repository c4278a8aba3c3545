"""Detector serialization: npz archives of format 3; formats 1 and 2 can be read."""

from __future__ import annotations

from typing import Any

import numpy as np

from model.anomaly.detector import Detector, Standardization
from model.anomaly.flatline import FlatlineBaseline
from model.anomaly.forecaster import Autoregression, VectorAutoregression
from model.anomaly.mahalanobis import MahalanobisDistance
from model.anomaly.scoring.channels import ScoreCalibration
from model.anomaly.scoring.tails import ExceedanceTails
from model.anomaly.seasonal_profile import SeasonalProfile
from model.anomaly.validation import FLAGS, check_shapes, check_test_readings, check_values
from model.array_types import Floats
from model.errors import SerializationError
from model.npz import MALFORMED, pack, unpack

FORMAT = 3

KIND = "detector"

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
    """Serialize a detector; equal detectors give equal bytes.

    Raises:
        SerializationError: the detector was read from format 2.
    """
    if not isinstance(detector.forecaster, Autoregression) or detector.profile is None:
        raise SerializationError("a detector of format 2 cannot be stored again")
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
        "profile.means": detector.profile.means,
        "mahalanobis.mean": mahalanobis.mean,
        "mahalanobis.whitening": mahalanobis.whitening,
        "calibration.residual_scales": calibration.residual_scales,
        "calibration.energy_quantiles": calibration.energy_quantiles,
        "calibration.overall_quantiles": calibration.overall_quantiles,
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
        is_current = header["format"] == FORMAT
        check_shapes(arrays, flags, len(header["columns"]), lags, is_current=is_current)
        check_values(header, arrays)
        weights = arrays["forecaster.weights"]
        detector = Detector(
            columns=tuple(header["columns"]),
            step=float(header["step"]),
            standardization=Standardization(
                flags["selected"], flags["log_transformed"], arrays["mean"], arrays["deviation"]
            ),
            forecaster=Autoregression(weights) if is_current else VectorAutoregression(weights),
            profile=SeasonalProfile(arrays["profile.means"]) if is_current else None,
            mahalanobis=MahalanobisDistance(lags, arrays["mahalanobis.mean"], arrays["mahalanobis.whitening"]),
            calibration=ScoreCalibration(
                arrays["calibration.residual_scales"],
                arrays["calibration.energy_quantiles"],
                ExceedanceTails(*arrays["calibration.tails"]),
                arrays["calibration.overall_quantiles"] if is_current else None,
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
        check_test_readings(detector)
        return detector
    except MALFORMED as error:
        raise SerializationError(f"not a detector of monitor: {error}") from error


def _migrate_format_1(header: dict[str, Any], arrays: dict[str, Floats]) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Return the header and the arrays of format 1 with the names of format 2."""
    return (
        {FORMAT_1_HEADER.get(name, name): value for name, value in header.items()},
        {FORMAT_1_ARRAYS.get(name, name): array for name, array in arrays.items()},
    )
