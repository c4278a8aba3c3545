"""Limit of the address space."""

import resource
import subprocess
import sys

import pytest

from monitor.cli import address_space
from monitor.cli.address_space import NEEDED_BYTES, address_space_problem

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("limit", "suffices"),
    [(resource.RLIM_INFINITY, True), (NEEDED_BYTES, True), (NEEDED_BYTES - 1, False), (0, False)],
)
def test_address_space_is_compared_with_the_needed_size(monkeypatch, limit, suffices):
    monkeypatch.setattr(address_space.resource, "getrlimit", lambda _: (limit, limit))
    assert (address_space_problem() == "") is suffices


@pytest.mark.parametrize("megabytes", [70, 120, 200])
@pytest.mark.parametrize("command", ["run", "retrain"])
def test_command_in_a_small_address_space_ends_with_one_error(tmp_path, command, megabytes):
    size = megabytes * 10**6
    completed = subprocess.run(
        [sys.executable, "-m", "monitor", command],
        cwd=tmp_path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert completed.returncode == 1
    assert completed.stdout == ""
    (line,) = completed.stderr.splitlines()
    assert line.startswith("monitor: not enough memory: ")
