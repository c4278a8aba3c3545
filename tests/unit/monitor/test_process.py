"""The process itself."""

import subprocess
import sys

import pytest

GROWTH = """
import psutil
from monitor.daemon.process import give_large_memory_back
if {called}:
    give_large_memory_back()
this = psutil.Process()
before = this.memory_info().rss
large = bytearray(20_000_000)
del large
history = bytearray(10_000_000)
kept = bytearray(100_000)
del history
print(this.memory_info().rss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc's malloc")
@pytest.mark.parametrize(("called", "least", "most"), [(True, 0, 2_000_000), (False, 9_000_000, 12_000_000)])
def test_freed_memory_goes_back_although_something_small_lies_behind_it(called: bool, least: int, most: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", GROWTH.format(called=called)], capture_output=True, text=True, check=True
    )
    assert least <= int(done.stdout) <= most


def test_the_daemon_loads_nothing_that_only_a_training_or_a_command_needs() -> None:
    heavy = (
        "numpy.random",
        "model.nn.training",
        "model.training.pipeline",
        "alembic",
        "rich",
        "jinja2",
        "monitor.sampling.csv_traces",
    )
    code = f"import monitor.daemon.lifecycle, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
