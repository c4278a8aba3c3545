"""Fixtures of the fault injection: a laboratory for one case, and the recording of the results."""

import ctypes
import json
import os
import shutil
from contextlib import ExitStack

import pytest

from tests.faults.daemon import Daemon
from tests.faults.requirements import missing
from tests.faults.table import recorded

CLONE_NEWNS = 0x00020000
RECORD = "MONITOR_FAULTS_RECORD"
"""Environment variable: a file that receives the results of the run, merged with those it has."""


class Lab:
    """Directory, daemons and injected faults of one case; everything ends with the case.

    Attributes:
        directory: empty directory.
    """

    def __init__(self, directory, stack):
        self.directory = directory
        self._stack = stack
        self._daemons = 0

    def enter(self, fault):
        """Enter a context manager that is left at the end of the case at the latest."""
        return self._stack.enter_context(fault)

    def daemon(self, state=None, **options):
        """Return a daemon that is not started, in a directory of its own."""
        self._daemons += 1
        directory = self.directory / f"daemon{self._daemons}"
        directory.mkdir()
        return self.add(Daemon(directory, state, **options))

    def add(self, daemon):
        """End a daemon with the case at the latest, and return it."""
        self._stack.callback(end, daemon)
        return daemon

    def need_root(self):
        """Skip the case without root."""
        if os.geteuid() != 0:
            missing("needs root")

    def need(self, *tools):
        """Skip the case without these programs."""
        for tool in tools:
            if shutil.which(tool) is None:
                missing(f"{tool} is not installed")

    def mounts(self):
        """Give this process mounts of its own, which end with it; skip the case without root."""
        self.need_root()
        private_mounts()


def end(daemon):
    if daemon.running():
        daemon.kill()


def private_mounts():
    """Move this process to a mount namespace of its own, once."""
    if os.environ.get("MONITOR_FAULTS_NAMESPACE") == str(os.getpid()):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) or libc.mount(b"none", b"/", None, (1 << 18) | (1 << 14), None):
        missing(f"mount namespaces: {os.strerror(ctypes.get_errno())}")
    os.environ["MONITOR_FAULTS_NAMESPACE"] = str(os.getpid())


@pytest.fixture
def lab(tmp_path):
    with ExitStack() as stack:
        yield Lab(tmp_path, stack)


def pytest_configure(config):
    config.stash[results_key] = {}


results_key = pytest.StashKey[dict]()


def pytest_sessionfinish(session):
    """Write the results of the run to the file that $MONITOR_FAULTS_RECORD names."""
    # Under pytest-xdist only the controller has the results of all workers.
    results = session.config.stash.get(results_key, {})
    path = os.environ.get(RECORD)
    if path and results and not hasattr(session.config, "workerinput"):
        merged = {**recorded(), **results}
        lines = [f"{json.dumps(name)}: {json.dumps(merged[name])}" for name in sorted(merged)]
        with open(path, "w") as file:  # noqa: PTH123
            file.write("{\n" + ",\n".join(lines) + "\n}\n")


class Recorder:
    """Plugin that collects the measured recovery of each passed case."""

    def __init__(self, results):
        self._results = results

    def pytest_runtest_logreport(self, report):
        properties = dict(report.user_properties)
        if report.when == "call" and report.outcome == "passed" and "fault" in properties:
            self._results[properties["fault"]] = properties["recovery"]


def pytest_sessionstart(session):
    session.config.pluginmanager.register(Recorder(session.config.stash[results_key]), "fault-recorder")
