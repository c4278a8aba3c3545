"""Detectors as bytes, in this format and in format 1."""

import numpy as np
import pytest

from model.anomaly.serialization import FORMAT_1_ARRAYS, FORMAT_1_HEADER, dumps_detector, loads_detector
from model.errors import SerializationError
from model.npz import pack, unpack

from .hosts import TRAINING_ROWS, detect, host

pytestmark = pytest.mark.unit


def test_loads_detector_restores_the_same_scores(detector):
    x = host(15)[TRAINING_ROWS:]
    restored = loads_detector(dumps_detector(detector))
    assert [r.score for r in detect(restored, x)] == [r.score for r in detect(detector, x)]


def test_dumps_detector_is_deterministic(detector):
    blob = dumps_detector(detector)
    assert dumps_detector(loads_detector(blob)) == blob


def test_loads_detector_migrates_format_1(detector):
    blob = dumps_detector(detector)
    header, arrays = unpack(blob, "detector", 2)
    old_arrays = {new: old for old, new in FORMAT_1_ARRAYS.items()}
    old_header = {new: old for old, new in FORMAT_1_HEADER.items()}
    format_1 = pack(
        {**{old_header.get(name, name): value for name, value in header.items()}, "format": 1},
        {old_arrays.get(name, name): array for name, array in arrays.items()},
    )
    assert dumps_detector(loads_detector(format_1)) == blob


def test_loads_detector_rejects_a_wrong_checksum(detector):
    blob = dumps_detector(detector)
    with pytest.raises(SerializationError):
        loads_detector(blob[:-100] + b"x" + blob[-99:])


@pytest.mark.parametrize(
    ("name", "array"),
    [("mean", np.full(4, np.nan)), ("calibration.residual_scales", np.ones(3)), ("selected", np.zeros(5, np.uint8))],
)
def test_loads_detector_rejects_wrong_arrays(detector, name, array):
    header, arrays = unpack(dumps_detector(detector), "detector", 2)
    with pytest.raises(SerializationError):
        loads_detector(pack(header, {**arrays, name: array}))


@pytest.mark.parametrize("field", ["step", "columns", "mahalanobis_lags", "longest_joint_run"])
def test_loads_detector_rejects_a_missing_header_field(detector, field):
    header, arrays = unpack(dumps_detector(detector), "detector", 2)
    del header[field]
    with pytest.raises(SerializationError):
        loads_detector(pack(header, arrays))
