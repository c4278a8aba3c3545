"""Tests of the checks of clock and samples."""

import numpy as np
import pytest

from monitor.doctor.checks.clock import UNSYNCHRONISED, assess_gaps, assess_kernel_clock, assess_sample_age
from monitor.documents.doctor import CheckStatus

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0


@pytest.mark.parametrize(("status_bits", "status"), [(0, CheckStatus.OK), (UNSYNCHRONISED, CheckStatus.WARNING)])
def test_kernel_clock_is_assessed_by_its_status(status_bits, status):
    assert assess_kernel_clock(status_bits, 2500).status is status


@pytest.mark.parametrize(
    ("age", "running", "status"),
    [
        (4.0, True, CheckStatus.OK),
        (4.0, False, CheckStatus.OK),
        (60.0, True, CheckStatus.FAILED),
        (60.0, False, CheckStatus.WARNING),
        (60.0, None, CheckStatus.WARNING),
    ],
)
def test_old_sample_is_a_failure_while_a_daemon_runs(age, running, status):
    assert assess_sample_age(age, 5.0, running=running).status is status


def test_gaps_are_counted_and_their_ratio_assessed():
    times = NOW - 5.0 * np.arange(1000)[::-1]
    assert assess_gaps(times).status is CheckStatus.OK
    result = assess_gaps(np.delete(times, slice(400, 500)))
    assert result.status is CheckStatus.WARNING
    assert "10.0%" in result.message
    assert "1 gap," in result.message


def test_imported_samples_with_a_larger_spacing_are_no_gaps():
    imported = NOW - 5.0 * 100 - 30.0 * np.arange(1, 1001)[::-1]
    result = assess_gaps(np.concatenate([imported, NOW - 5.0 * np.arange(100)[::-1]]))
    assert result.status is CheckStatus.OK
    assert "0.0% missed" in result.message


def test_gaps_need_two_samples():
    assert assess_gaps(np.array([NOW])).status is CheckStatus.SKIPPED


def test_shifted_sample_is_a_warning():
    times = NOW - 5.0 * np.arange(100)[::-1]
    result = assess_gaps(np.sort(np.append(times, times[50] + 0.001)))
    assert (result.status, "; 1 sample shifted" in result.message) == (CheckStatus.WARNING, True)
