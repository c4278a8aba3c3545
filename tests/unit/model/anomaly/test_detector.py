"""Fit of a detector: metrics that are monitored, robustness, and reasons for no detector."""

import numpy as np
import pytest

from model.anomaly.detector import DetectorFitError, FitRefusal, fit_detector

from .hosts import (
    COLUMNS,
    MONITORED,
    ROWS_PER_DAY,
    STEP,
    TRAINING_DAYS,
    TRAINING_ROWS,
    alarms,
    detect,
    host,
    row_times,
)

pytestmark = pytest.mark.unit


def fit(x):
    return fit_detector(row_times(len(x)), x, COLUMNS, STEP)


def test_constant_metric_is_not_monitored(detector):
    assert detector.metrics == MONITORED


def test_heavy_tailed_metric_is_log_transformed():
    x = host(TRAINING_DAYS)
    x[::300, 3] *= 1e4
    assert fit(x).standardization.log_transformed.tolist() == [False, False, False, True]


def test_new_metric_is_not_monitored():
    x = host(TRAINING_DAYS)
    x[:-100, 1] = np.nan
    assert fit(x).metrics == ("cpu", "disk", "traffic")


def test_metric_of_half_the_history_is_monitored_without_lasting_alarms():
    x = host(TRAINING_DAYS)
    x[: 8 * ROWS_PER_DAY, 1] = np.nan
    detector = fit(x)
    assert detector.metrics == MONITORED
    assert alarms(detect(detector, host(TRAINING_DAYS + 5)[TRAINING_ROWS:])).mean() < 0.01


def test_fit_tolerates_anomalies_in_the_history(detector):
    x = host(TRAINING_DAYS)
    x[1000:1010, 1] += 0.15
    x[2000:2020, :3] += 0.1
    robust = fit(x)
    assert robust.standardization.deviation == pytest.approx(detector.standardization.deviation, rel=0.1)
    later = host(TRAINING_DAYS + 1)[TRAINING_ROWS:]
    later[:72] = later[0]
    later[150:170, :3] += 0.4
    is_alarm = alarms(detect(robust, later))
    assert is_alarm[:80].any()
    assert is_alarm[150:175].any()


def with_gaps():
    x = host(1)
    x[::4] = x[1::4] = x[2::4] = np.nan
    return x


@pytest.mark.parametrize(
    ("x", "reason"),
    [
        (np.ones((500, 5)), FitRefusal.NO_VARIATION),
        (host(1)[:20], FitRefusal.TOO_SHORT),
        (np.empty((0, 5)), FitRefusal.TOO_SHORT),
        (with_gaps(), FitRefusal.GAPS),
    ],
    ids=["constant", "short", "empty", "gaps"],
)
def test_fit_detector_refuses_unusable_history(x, reason):
    with pytest.raises(DetectorFitError) as caught:
        fit(x)
    assert caught.value.reason is reason


def test_every_refusal_has_a_message():
    assert len({reason.message for reason in FitRefusal}) == len(FitRefusal)
