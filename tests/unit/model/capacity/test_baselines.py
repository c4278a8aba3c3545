"""Baselines of exhausted capacity."""

import numpy as np
import pytest

from model.capacity.baselines import base_rate, line_passes, persistence_passes
from model.capacity.tasks import FILESYSTEM, MEMORY
from model.capacity.usage_grid import UsageGrid

pytestmark = pytest.mark.unit


def grid_of(values):
    return UsageGrid(300.0, values, values)


def test_line_passes_if_the_growth_of_six_hours_reaches_the_limit_within_a_day():
    slow = grid_of(0.7 + np.arange(200) * 0.95e-4 * 2)
    ends_at = slow.values[-1] + 288 * 1.9e-4
    assert line_passes(slow, FILESYSTEM, ends_at - 0.001) == 1
    assert line_passes(slow, FILESYSTEM, ends_at + 0.001) == 0


def test_line_passes_ignores_gaps_and_needs_two_values():
    values = 0.5 + np.arange(100) * 1e-3
    values[60:80] = np.nan
    assert line_passes(grid_of(values), FILESYSTEM, 0.599 + 0.287) == 1
    assert line_passes(grid_of(np.array([0.9])), MEMORY, 0.95) == 0


def test_persistence_passes_if_the_last_excursion_would_reach_the_limit_again():
    values = np.full(40, 0.5)
    values[30] = 0.7
    assert persistence_passes(grid_of(values), MEMORY, 0.69) == 1
    assert persistence_passes(grid_of(values), MEMORY, 0.71) == 0
    assert persistence_passes(grid_of(values[:5]), MEMORY, 0.5) == 0


def test_base_rate_is_shrunk_towards_one_percent():
    assert base_rate(0, 0) == pytest.approx(0.01)
    assert base_rate(100_000, 20_000) == pytest.approx(0.2, abs=0.001)
