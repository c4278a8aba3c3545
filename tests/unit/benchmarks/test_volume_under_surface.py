"""VUS-PR: rankings of events, tolerance at their borders, and the window from the autocorrelation."""

import numpy as np
import pytest

from benchmarks.volume_under_surface import DEFAULT_WINDOW, dominant_period, vus_pr

pytestmark = pytest.mark.unit


@pytest.fixture
def label():
    label = np.zeros(2000, bool)
    label[500:540] = label[1200:1260] = True
    return label


def test_vus_pr_orders_rankings(label):
    rng = np.random.default_rng(0)
    noise = rng.random(2000)
    perfect = vus_pr(label, label + 0.01 * noise, 40)
    one_event = vus_pr(label, label * (np.arange(2000) < 1000) + 0.01 * noise, 40)
    chance = vus_pr(label, noise, 40)
    assert perfect > 0.8
    assert perfect > one_event + 0.2 > chance + 0.3


def test_vus_pr_tolerates_a_delay_within_the_window(label):
    late = np.roll(label, 10) + 1e-3 * np.random.default_rng(1).random(2000)
    assert vus_pr(label, late, 40) > vus_pr(label, late, 4) + 0.05


def test_vus_pr_of_two_rows_without_borders():
    # Only the width 0: precision 1 up to a recall of 1.
    label = np.array([False, False, True, True, False, False])
    assert vus_pr(label, label + 0.1 * np.arange(6), 0) == pytest.approx(1.0)


def test_dominant_period_is_the_period_of_a_wave():
    assert dominant_period(np.sin(2 * np.pi * np.arange(3000) / 48)) == 48
    assert dominant_period(np.ones(100)) == DEFAULT_WINDOW
