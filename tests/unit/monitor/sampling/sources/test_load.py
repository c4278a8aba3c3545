"""Load source."""

import pytest

from monitor.sampling.sources.load import Load

pytestmark = pytest.mark.unit


def test_load_is_divided_by_number_of_cpus(host):
    assert host.values(Load()) == {"load_per_cpu": 0.75}
