"""Tests of the memory of a long-lived process."""

import subprocess
import sys

import pytest

from monitor.daemon import memory

pytestmark = pytest.mark.unit

GROWTH = """
import psutil
from monitor.daemon.memory import tune_malloc
if {called}:
    tune_malloc()
process = psutil.Process()
before = process.memory_info().rss
large = bytearray(20_000_000)
del large
history = bytearray(10_000_000)
kept = bytearray(100_000)
del history
print(process.memory_info().rss - before)
"""
RELEASE = """
import psutil
from monitor.daemon.memory import release_memory
small = [bytearray(100_000) for _ in range(300)]
above = bytearray(100_000)
cycle = []
cycle.append((cycle, small))
del small, cycle
process = psutil.Process()
before = process.memory_info().rss
release_memory()
print(before - process.memory_info().rss)
"""


def python(code):
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(completed.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc's malloc")
@pytest.mark.parametrize(("called", "least", "most"), [(True, 0, 2_000_000), (False, 9_000_000, 12_000_000)])
def test_tune_malloc_returns_freed_blocks_to_the_kernel(called, least, most):
    assert least <= python(GROWTH.format(called=called)) <= most


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc's malloc")
def test_release_memory_collects_cycles_and_returns_pages_within_the_heap():
    assert python(RELEASE) >= 25_000_000


def test_existing_objects_are_frozen_and_later_ones_are_collected_less_often():
    code = """
import gc
from monitor.daemon.memory import GC_THRESHOLDS, tune_garbage_collection
kept = [[] for _ in range(5000)]
tune_garbage_collection()
assert gc.get_threshold() == GC_THRESHOLDS
print(gc.get_freeze_count())
"""
    assert python(code) > 5000


def test_release_works_without_glibc(monkeypatch):
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: object())
    memory.release_memory()
    memory.tune_malloc()
