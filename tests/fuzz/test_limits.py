"""Limits of the fuzz runs: an input that hangs or allocates too much is found."""

import collections
import subprocess
import sys

import pytest

from tests.fuzz.limits import TooManySteps, limited_steps
from tests.fuzz.targets import ROOT

pytestmark = pytest.mark.integration


def test_limited_steps_ends_an_endless_loop(monkeypatch):
    monkeypatch.setattr("tests.fuzz.limits.MAX_STEPS", 1000)
    with pytest.raises(TooManySteps), limited_steps():
        collections.deque(iter(lambda: 1, 0), maxlen=0)


def test_limited_memory_ends_a_large_allocation():
    code = "from tests.fuzz.limits import limit_process; limit_process(); bytearray(2**29)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "MemoryError" in done.stderr
