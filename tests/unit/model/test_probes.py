"""Tests of the probe values."""

import numpy as np
import pytest

from model.probes import normal_probes

pytestmark = pytest.mark.unit


def test_probes_are_standard_normal_and_reproducible():
    probes = normal_probes(200, 30)
    assert probes.shape == (200, 30)
    assert abs(probes.mean()) < 0.05
    assert probes.std() == pytest.approx(1, abs=0.05)
    assert np.array_equal(probes, normal_probes(200, 30))
