"""Detectors as bytes, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from model.anomaly.detector import SCORE_PARTS, Detector
from model.anomaly.flatline import Runs
from model.anomaly.forecaster import AHEAD, REACH, Forecaster
from model.anomaly.mahalanobis import Level
from model.anomaly.scoring import METRIC_TIMES, TIMES, Constants
from model.anomaly.tails import Tails
from model.array_types import Bools, Floats
from model.errors import SerializationError
from model.npz import pack, unpack

FORMAT = 1


def dumps_detector(detector: Detector) -> bytes:
    """The same detector gives the same bytes."""
    constants, runs, level = detector.constants, detector.runs, detector.level
    flags = {
        "heard": detector.heard,
        "logarithmic": detector.logarithmic,
        "alone": runs.alone,
        "moving": runs.moving,
    }
    arrays: dict[str, Any] = {
        "mean": detector.mean,
        "deviation": detector.deviation,
        "weights": detector.forecaster.weights,
        "level.mean": level.mean,
        "level.directions": level.directions,
        "scales": constants.scales,
        "usual": constants.usual,
        "tails": np.stack([constants.tails.start, constants.tails.scale, constants.tails.shape]),
        "longest": runs.longest,
        "least": runs.least,
        "slots": detector.slots.astype(np.float64),
        "peaks": detector.peaks,
        **{name: flag.astype(np.uint8) for name, flag in flags.items()},
    }
    header = {
        "format": FORMAT,
        "kind": "detector",
        "columns": detector.columns,
        "step": detector.step,
        "rows": level.rows,
        "together": runs.together,
    }
    return pack(header, arrays)


def loads_detector(blob: bytes) -> Detector:
    """The detector of `dumps_detector`.

    Raises:
        SerializationError: not a detector, a damaged one, or one of a newer format.
    """
    header, arrays = unpack(blob, "detector", FORMAT)
    try:
        flags = {name: _flags(arrays.pop(name)) for name in ("heard", "logarithmic", "alone", "moving")}
        _check(arrays, flags, len(header["columns"]), int(header["rows"]))
        return Detector(
            tuple(header["columns"]),
            float(header["step"]),
            flags["heard"],
            flags["logarithmic"],
            arrays["mean"],
            arrays["deviation"],
            Forecaster(arrays["weights"]),
            Level(int(header["rows"]), arrays["level.mean"], arrays["level.directions"]),
            Constants(arrays["scales"], arrays["usual"], Tails(*arrays["tails"])),
            Runs(arrays["longest"], float(header["together"]), flags["alone"], flags["moving"], arrays["least"]),
            arrays["slots"].astype(np.int64),
            arrays["peaks"],
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise SerializationError(f"not a detector of monitor: {error}") from error


def _flags(array: Floats) -> Bools:
    return array.astype(bool)


def _check(arrays: dict[str, Floats], flags: dict[str, Bools], columns: int, rows: int) -> None:
    """One that fits together and is finite: never NaN that watches."""
    d = int(flags["heard"].sum())
    n = len(arrays["slots"])
    shapes = {
        "mean": (d,),
        "deviation": (d,),
        "weights": (REACH * d + 1, len(AHEAD) * d),
        "level.mean": (rows * d,),
        "level.directions": (rows * d, rows * d),
        "scales": (len(AHEAD) * d,),
        "usual": (2 * len(TIMES),),
        "tails": (3, (len(METRIC_TIMES) + 1) * d),
        "longest": (d,),
        "least": (d,),
        "slots": (n,),
        "peaks": (n, len(SCORE_PARTS)),
    }
    lengths = {name: len(flag) for name, flag in flags.items()}
    if lengths != {"heard": columns, "logarithmic": d, "alone": d, "moving": d}:
        raise SerializationError(f"flags of {lengths} for {columns} columns, of which {d} are heard")
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise SerializationError(f"{name} has the shape {arrays[name].shape}, not {shape}")
        if not np.isfinite(arrays[name]).all():
            raise SerializationError(f"{name} holds numbers that are not finite")
