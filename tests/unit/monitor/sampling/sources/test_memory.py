"""Memory source."""

import pytest

from monitor.sampling.sources.memory import Memory

pytestmark = pytest.mark.unit


def test_memory_usage_is_the_unavailable_ratio(host):
    assert host.values(Memory()) == {"memory_usage": 0.75}
