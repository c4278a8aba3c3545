"""Steps that many cases share."""

import time
from contextlib import nullcontext

from tests.faults.injectors.preload import Preload

MIN_SHARE = 0.5
"""Smallest share of the due samples that a fault of storage may leave; the machine of the test may be busy."""


def preloaded(lab, **options):
    """Start a daemon with the preload library; return it and its `Preload`."""
    daemon = lab.daemon(**options)
    preload = Preload(lab.directory / "control", daemon.state)
    daemon.start(env=preload.env)
    return daemon, preload


def assert_outlives(daemon, fault, *, seconds=0.0, buffers=True):
    """Inject a fault of storage into a running daemon, and assert that sampling continues.

    1. Enter the fault; wait until samples are waiting, and at least `seconds`.
    2. Assert that the daemon is healthy, and took the samples that were due.
    3. Leave the fault; wait until all samples are stored; stop the daemon with exit code 0.

    Returns:
        The seconds from the end of the fault until all samples were stored.
    """
    before = daemon.metrics()
    started = time.monotonic()
    with fault:
        if buffers:
            daemon.wait(lambda: daemon.metric("storage_buffered_samples") > 5)
        time.sleep(max(0.0, seconds - (time.monotonic() - started)))
        during = daemon.metrics()
        assert during["samples_total"] - before["samples_total"] >= due(daemon, started)
        assert daemon.healthy()
    recovery = daemon.wait_stored(1)
    daemon.assert_stops()
    return recovery


def due(daemon, started):
    """Return the smallest number of samples that the daemon must have taken since a monotonic time."""
    return MIN_SHARE * (time.monotonic() - started) / daemon.interval - 2


def assert_starts_without_storage(daemon, fault=None, **options):
    """Start a daemon during a fault of storage; return the seconds from the end of the fault until it stores.

    It samples, serves and is healthy meanwhile. Its samples are all stored afterwards.
    """
    with fault or nullcontext():
        daemon.start(wait=False, new=True, **options)
        daemon.wait(lambda: daemon.metric("storage_buffered_samples") > 5)
        assert daemon.healthy()
        assert daemon.get("/-/ready")[0] == 200
    recovery = daemon.wait_stored(1)
    daemon.assert_stops()
    return recovery


def assert_replaces(daemon, damage):
    """Damage the files of a running daemon; return the seconds until it stores in a good file again.

    The damaged file is kept. What is stored after the recovery survives a restart.
    """
    daemon.metrics()
    damaged_at = time.monotonic()
    damage()
    daemon.wait(daemon.quarantined_databases, 120)
    daemon.wait_stored(2)
    recovery = time.monotonic() - damaged_at
    assert daemon.healthy()
    assert_restarts(daemon)
    return recovery


def assert_restarts(daemon):
    """Store more samples, restart, and assert that they are in a good file."""
    first = daemon.metric("last_sample_timestamp_seconds")
    daemon.wait_stored(10)
    last = daemon.metric("last_sample_timestamp_seconds")
    assert daemon.stop() == 0
    assert len([at for at in daemon.sample_times() if first <= at <= last]) >= 9
    daemon.start()
    assert daemon.healthy()
    assert daemon.stop() == 0
    assert daemon.integrity() == "ok"
    assert len([at for at in daemon.sample_times() if first <= at <= last]) >= 9
