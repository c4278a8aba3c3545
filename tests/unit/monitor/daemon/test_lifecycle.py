"""Tests of the daemon's lifecycle."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit

NOT_NEEDED = (
    "numpy.random",
    "model.nn.training",
    "model.training.pipeline",
    "alembic",
    "rich",
    "jinja2",
    "monitor.sampling.trace_reader",
)


def test_daemon_imports_nothing_that_only_trainings_and_commands_need():
    code = f"import monitor.daemon.lifecycle, sys; print([name for name in {NOT_NEEDED} if name in sys.modules])"
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert completed.stdout.strip() == "[]"
