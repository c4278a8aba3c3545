"""Validation of stored detectors: arrays, header and readings that no fit can have."""

from dataclasses import replace

import numpy as np
import pytest

from model.anomaly.serialization import FORMAT, dumps_detector
from model.anomaly.validation import check_test_readings, check_values
from model.errors import SerializationError
from model.npz import unpack

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("name", "value"),
    [("deviation", 0.0), ("calibration.overall_quantiles", -1.0), ("slot_maxima", -1.0), ("slots", 5.0)],
)
def test_check_values_rejects_values_that_no_fit_can_have(detector, name, value):
    header, arrays = unpack(dumps_detector(detector), "detector", FORMAT)
    check_values(header, arrays)
    with pytest.raises(SerializationError):
        check_values(header, {**arrays, name: np.full_like(arrays[name], value)})


def test_check_test_readings_rejects_a_detector_whose_readings_are_not_finite(detector):
    check_test_readings(detector)
    broken = replace(detector.forecaster, weights=np.full_like(detector.forecaster.weights, np.nan))
    with pytest.raises(SerializationError):
        check_test_readings(replace(detector, forecaster=broken))
