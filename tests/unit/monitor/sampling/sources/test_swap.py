"""Swap source."""

import pytest

from monitor.sampling.sources.swap import Swap

pytestmark = pytest.mark.unit


def test_swap_usage_is_the_used_ratio(host):
    assert host.values(Swap()) == {"swap_usage": 0.25}


def test_swap_usage_is_missing_without_swap(proc):
    (proc / "meminfo").write_text("SwapTotal: 0 kB\nSwapFree: 0 kB\n")
    source = Swap()
    assert source.compute(None, source.read(), 5.0) == {"swap_usage": None}
