"""Swap source."""

import pytest

from monitor.sampling.sources.swap import Swap

pytestmark = pytest.mark.unit


def test_swap_usage_is_the_used_ratio(host):
    assert host.values(Swap()) == {"swap_usage": 0.25}


def test_swap_usage_is_missing_without_swap(proc):
    (proc / "meminfo").write_text("SwapTotal: 0 kB\nSwapFree: 0 kB\n")
    source = Swap()
    assert source.compute(source.read(), 0.0, 12.5) == {"swap_usage": None}


@pytest.mark.parametrize("text", ["", "SwapTotal: 100 kB\n", "SwapTotal: 100 kB\nSwapFree: -5 kB\n"])
def test_swap_read_fails_without_usable_figures(proc, text):
    (proc / "meminfo").write_text(text)
    with pytest.raises(ValueError, match="Swap"):
        Swap().read()
