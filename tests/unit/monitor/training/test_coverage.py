"""Tests of the coverage of the stored history."""

import pytest

from monitor.config.loader import Config
from monitor.config.schema import TrainingSection
from monitor.training import coverage
from monitor.training.coverage import HistoryCoverage
from storage import Sample
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit

NEEDED = 1200.0
CONFIG = Config(training=TrainingSection(interval=3600.0, min_history=NEEDED, timeout=5.0))


def store(stores, newest, rows, step):
    """Store samples `step` seconds apart, the newest at `newest`."""
    stores.samples.append_many(Sample(newest - step * i, cpu_usage=0.1) for i in reversed(range(rows)))


@pytest.mark.parametrize(
    ("rows", "step", "covered"),
    [
        (0, 5.0, 0.0),
        (10, 5.0, 50.0),
        (10, 60.0, 600.0),
        (1000, 5.0, 5000.0),
        (1000, 1.0, 1000.0),
        (9000, 60.0, 540_000.0),
        (500, 3600.0, 1_800_000.0),
    ],
)
def test_coverage_is_the_time_covered_by_stored_samples(stores, rows, step, covered):
    store(stores, NOW, rows, step)
    assert HistoryCoverage(stores, CONFIG).seconds(NOW, NEEDED) == pytest.approx(covered, abs=step)


@pytest.fixture
def measured(stores, monkeypatch):
    """Coverage measured once at NOW (1000 s), and the list of the times of its measurements."""
    store(stores, NOW, 200, 5.0)
    history = HistoryCoverage(stores, CONFIG)
    times = []
    measure = history._measure
    monkeypatch.setattr(history, "_measure", lambda since, until: times.append(until) or measure(since, until))
    assert history.seconds(NOW, NEEDED) == 1000.0
    return history, times


def test_coverage_is_measured_again_after_one_percent_of_it(stores, measured):
    history, times = measured
    store(stores, NOW + 15, 3, 5.0)
    assert history.seconds(NOW + 1000 * coverage.MAX_STALENESS, NEEDED) == 1000.0
    assert history.seconds(NOW + 15, NEEDED) == 1015.0
    assert times == [NOW, NOW + 15]


def test_coverage_is_measured_again_when_older_samples_were_imported(stores, measured):
    history, _ = measured
    stores.samples.append_many(Sample(NOW - 1000 - 5 * i, cpu_usage=0.1) for i in reversed(range(20)))
    assert history.seconds(NOW + 1, NEEDED) == 1100.0


def test_coverage_is_measured_again_once_the_history_can_be_complete(stores, measured):
    history, times = measured
    assert history.seconds(NOW + 5, 1004.0) == 1000.0
    assert times == [NOW, NOW + 5]


def test_coverage_is_measured_again_after_the_clock_was_set_back(measured):
    history, times = measured
    history.seconds(NOW - 5, NEEDED)
    assert times == [NOW, NOW - 5]


def test_coverage_counts_imported_and_live_samples_by_their_own_spacing(stores):
    store(stores, NOW, 1000, 5.0)
    store(stores, NOW - 86_400, 8000, 60.0)
    assert HistoryCoverage(stores, CONFIG).seconds(NOW, NEEDED) == pytest.approx(5000 + 480_000, rel=0.001)


def test_long_coverage_is_measured_again_after_an_hour(stores):
    store(stores, NOW, 9000, 60.0)
    history = HistoryCoverage(stores, CONFIG)
    before = history.seconds(NOW, NEEDED)
    store(stores, NOW + 3660, 61, 60.0)
    assert history.seconds(NOW + 3600, NEEDED) == before
    assert history.seconds(NOW + 3660, NEEDED) == before + 3660
