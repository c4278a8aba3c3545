"""Mutated files: each reader raises an error of this program, within bounded memory and steps, or accepts the file.

`FUZZ_COUNT` and `FUZZ_SEED` make a longer or another run.
"""

import json
import os
import subprocess
import sys

import pytest

from tests.fuzz.targets import ROOT, TARGETS

SEED = os.environ.get("FUZZ_SEED", "1")
COUNT = os.environ.get("FUZZ_COUNT", "300")


def run(target, count):
    command = [sys.executable, "-m", "tests.fuzz.run", target, SEED, count]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.integration
@pytest.mark.parametrize("target", TARGETS)
def test_reader_accepts_or_refuses_every_mutated_file(target):
    assert run(target, COUNT) == {}


@pytest.mark.faults_long
@pytest.mark.parametrize("target", TARGETS)
def test_reader_accepts_or_refuses_many_mutated_files(target):
    assert run(target, "20000") == {}
