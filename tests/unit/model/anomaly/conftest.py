"""A detector that is fitted once for the tests of this package."""

import pytest

from model.anomaly.detector import fit_detector

from .hosts import COLUMNS, STEP, TRAINING_DAYS, TRAINING_ROWS, host, row_times


@pytest.fixture(scope="session")
def detector():
    return fit_detector(row_times(TRAINING_ROWS), host(TRAINING_DAYS), COLUMNS, STEP)
