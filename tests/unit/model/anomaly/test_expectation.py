"""Expected values of a synthetic host: forecasts, bands and their units."""

from dataclasses import replace

import numpy as np
import pytest

from model.anomaly.expectation import PAST_ROWS, RowForecaster, expected_values
from model.anomaly.resampling import MAX_GAP, WARM_UP_ROWS

from .hosts import COLUMNS, MONITORED, ROWS_PER_DAY, TRAINING_ROWS, host, row_times

pytestmark = pytest.mark.unit

TEST_DAYS = 3


def normal_rows():
    """Return the normal rows after the training part."""
    return host(14 + TEST_DAYS)[TRAINING_ROWS:].copy()


def expect(detector, x):
    return expected_values(detector, zip(row_times(len(x), TRAINING_ROWS).tolist(), x, strict=True))


def test_bands_contain_about_99_of_100_normal_rows(detector):
    values = expect(detector, normal_rows())
    settled = slice(PAST_ROWS, None)
    inside = (values.actual >= values.lower) & (values.actual <= values.upper)
    assert (inside[settled].mean(axis=0) > 0.97).all()
    assert (values.upper > values.lower)[settled].all()
    assert values.times.tolist() == row_times(TEST_DAYS * ROWS_PER_DAY, TRAINING_ROWS).tolist()


def test_actual_values_are_the_input_in_its_units(detector):
    x = normal_rows()
    assert expect(detector, x).actual == pytest.approx(x[:, : len(MONITORED)])


@pytest.mark.parametrize(("column", "jump"), [(0, 0.5), (3, 1e6)], ids=["ratio", "log-transformed rate"])
def test_jump_is_outside_the_band_and_the_forecast_is_the_level_before(detector, column, jump):
    x = normal_rows()
    before = x[PAST_ROWS, column]
    x[PAST_ROWS + 1 :, column] += jump
    values = expect(detector, x)
    row = PAST_ROWS + 1
    assert values.actual[row, column] > values.upper[row, column]
    assert abs(values.expected[row, column] - before) < 0.2 * jump
    assert np.argmax(values.deviations[row]) == column


def test_usual_values_follow_the_time_of_day(detector):
    usual = expect(detector, normal_rows()).usual[:, COLUMNS.index("cpu")]
    assert usual[:ROWS_PER_DAY] == pytest.approx(usual[ROWS_PER_DAY : 2 * ROWS_PER_DAY])
    noon, midnight = usual[ROWS_PER_DAY // 4], usual[3 * ROWS_PER_DAY // 4]
    assert noon - midnight == pytest.approx(0.2, abs=0.05)


def test_usual_values_are_unknown_without_a_profile(detector):
    assert np.isnan(expect(replace(detector, profile=None), normal_rows()[:5]).usual).all()


def test_expected_values_are_unknown_until_the_warm_up_ends(detector):
    x = normal_rows()[:100]
    gap = slice(50, 50 + MAX_GAP + 1)
    x[gap, 0] = np.nan
    known = ~np.isnan(expect(detector, x).expected)
    assert not known[:WARM_UP_ROWS].any()
    assert known[WARM_UP_ROWS:, 1].all()
    assert not known[gap.start : gap.stop + WARM_UP_ROWS, 0].any()
    assert known[gap.stop + WARM_UP_ROWS :, 0].all()


def test_no_rows_give_empty_arrays(detector):
    values = expected_values(detector, ())
    assert values.actual.shape == values.expected.shape == values.usual.shape == (0, len(MONITORED))


def test_forecaster_refuses_a_row_out_of_order(detector):
    forecaster = RowForecaster(detector)
    first, second = row_times(2)
    forecaster.step(second, normal_rows()[0])
    with pytest.raises(ValueError, match="order of time"):
        forecaster.step(first, normal_rows()[0])
