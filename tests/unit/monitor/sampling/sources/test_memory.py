"""Memory source."""

import pytest

from monitor.sampling.sources.memory import Memory

pytestmark = pytest.mark.unit

GOOD = "MemTotal: 8000 kB\nMemFree: 100 kB\nMemAvailable: 2000 kB\n"


def test_memory_usage_is_the_unavailable_ratio(host):
    assert host.values(Memory()) == {"memory_usage": 0.75}


def test_memory_usage_of_available_beyond_total_is_not_replaced_by_that_of_free_memory(proc):
    (proc / "meminfo").write_text("MemTotal: 8000 kB\nMemFree: 700 kB\nMemAvailable: 9500 kB\n")
    assert Memory().read() == pytest.approx(1 - 9500 / 8000)


def test_memory_usage_is_one_if_none_is_available_and_little_is_free(proc):
    (proc / "meminfo").write_text("MemTotal: 8000 kB\nMemFree: 100 kB\nMemAvailable: 0 kB\n")
    assert Memory().read() == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD.replace("MemAvailable: 2000 kB\n", ""),
        GOOD.replace("8000", "0"),
        GOOD.replace("8000", "-8000"),
        GOOD.replace("8000", "nan"),
        GOOD.replace("2000 kB\n", "20"),
        GOOD.replace("2000", "0").replace("100", "5000"),
    ],
)
def test_memory_read_fails_without_usable_figures(proc, text):
    (proc / "meminfo").write_text(text)
    with pytest.raises(ValueError, match="Mem"):
        Memory().read()
