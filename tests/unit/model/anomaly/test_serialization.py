"""Detectors as bytes, in this format and in older ones."""

import numpy as np
import pytest

from model.anomaly.forecaster import HORIZONS
from model.anomaly.serialization import (
    FORMAT,
    FORMAT_1_ARRAYS,
    FORMAT_1_HEADER,
    dumps_detector,
    loads_detector,
)
from model.anomaly.validation import FORMAT_2_LOOKBACK
from model.errors import SerializationError
from model.npz import pack, unpack

from .hosts import TRAINING_ROWS, alarms, detect, host

pytestmark = pytest.mark.unit


def test_loads_detector_restores_the_same_scores(detector):
    x = host(15)[TRAINING_ROWS:]
    restored = loads_detector(dumps_detector(detector))
    assert [r.score for r in detect(restored, x)] == [r.score for r in detect(detector, x)]


def test_dumps_detector_is_deterministic(detector):
    blob = dumps_detector(detector)
    assert dumps_detector(loads_detector(blob)) == blob


def format_2(detector):
    """Return the header and the arrays of a detector of format 2 with the same standardization and calibration."""
    header, arrays = unpack(dumps_detector(detector), "detector", FORMAT)
    d = len(detector.metrics)
    weights = np.zeros((FORMAT_2_LOOKBACK * d + 1, len(HORIZONS) * d))
    # Each forecast is the last value of the metric.
    weights[-1 - d : -1] = np.tile(np.eye(d), len(HORIZONS))
    arrays["forecaster.weights"] = weights
    arrays["calibration.residual_scales"] = arrays["calibration.residual_scales"][: len(HORIZONS) * d]
    del arrays["profile.means"], arrays["calibration.overall_quantiles"]
    return {**header, "format": 2}, arrays


def test_detector_of_format_2_is_served_without_the_newer_parts(detector):
    old = loads_detector(pack(*format_2(detector)))
    x = host(15)[TRAINING_ROWS:]
    x[100:130, :2] += 0.4
    readings = detect(old, x)
    assert alarms(readings)[100:130].any()
    assert max(readings[100:130], key=lambda reading: reading.score).score > 0.9
    assert (old.profile, old.calibration.overall_quantiles) == (None, None)
    with pytest.raises(SerializationError):
        dumps_detector(old)


def test_loads_detector_reads_the_names_of_format_1(detector):
    header, arrays = format_2(detector)
    old_arrays = {new: old for old, new in FORMAT_1_ARRAYS.items()}
    old_header = {new: old for old, new in FORMAT_1_HEADER.items()}
    format_1 = pack(
        {**{old_header.get(name, name): value for name, value in header.items()}, "format": 1},
        {old_arrays.get(name, name): array for name, array in arrays.items()},
    )
    x = host(15)[TRAINING_ROWS : TRAINING_ROWS + 40]
    scores = [[r.score for r in detect(loads_detector(blob), x) if r] for blob in (format_1, pack(header, arrays))]
    assert scores[0] == scores[1]
    assert len(scores[0]) == 40


def test_loads_detector_rejects_a_wrong_checksum(detector):
    blob = dumps_detector(detector)
    with pytest.raises(SerializationError):
        loads_detector(blob[:-100] + b"x" + blob[-99:])


@pytest.mark.parametrize(
    ("name", "array"),
    [("mean", np.full(4, np.nan)), ("calibration.residual_scales", np.ones(3)), ("selected", np.zeros(5, np.uint8))],
)
def test_loads_detector_rejects_wrong_arrays(detector, name, array):
    header, arrays = unpack(dumps_detector(detector), "detector", FORMAT)
    with pytest.raises(SerializationError):
        loads_detector(pack(header, {**arrays, name: array}))


@pytest.mark.parametrize("field", ["step", "columns", "mahalanobis_lags", "longest_joint_run"])
def test_loads_detector_rejects_a_missing_header_field(detector, field):
    header, arrays = unpack(dumps_detector(detector), "detector", FORMAT)
    del header[field]
    with pytest.raises(SerializationError):
        loads_detector(pack(header, arrays))
