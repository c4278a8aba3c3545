"""Tests of the holder of the daemon's state."""

import time

import pytest

from monitor.config.loader import Config
from monitor.daemon.sd_notify import Notifier
from monitor.daemon.state import ReloadState, StateHolder
from monitor.sampling.write_buffer import StorageState

pytestmark = pytest.mark.unit


class RecordingNotifier(Notifier):
    def __init__(self):
        super().__init__({})
        self.calls = []

    def sampled(self, status, *, stored):
        self.calls.append(("sampled", stored))

    def stalled(self, status):
        self.calls.append(("stalled", status))


@pytest.fixture
def notifier():
    return RecordingNotifier()


@pytest.fixture
def holder(notifier):
    return StateHolder(Config(), notifier, ReloadState(successful=True, at=100.0))


@pytest.fixture
def later(monkeypatch):
    """Move the monotonic clock forward by a number of seconds."""
    real = time.monotonic
    return lambda seconds: monkeypatch.setattr("monitor.daemon.state.time.monotonic", lambda: real() + seconds)


def test_holder_returns_published_parts(holder, live, overview, state):
    holder.publish_live(live)
    holder.publish_overview(overview)
    holder.publish_anomaly(state.anomaly)
    holder.read_jobs_from(lambda: state.jobs, lambda: False)
    published = holder.state()
    assert (published.live, published.overview, published.anomaly) == (live, overview, state.anomaly)
    assert (published.jobs, published.sampling) == (state.jobs, True)


def test_holder_leaves_live_values_out_while_sampling_has_stopped(holder, live, overview, state, later):
    holder.publish_live(live)
    holder.publish_overview(overview)
    holder.publish_anomaly(state.anomaly)
    later(3600)
    published = holder.state()
    assert (published.sampling, published.live, published.anomaly, published.overview) == (
        False,
        None,
        None,
        overview,
    )


@pytest.mark.parametrize(("buffered", "stored"), [(0, True), (3, False)])
def test_holder_notifies_of_stored_and_buffered_samples(holder, notifier, live, buffered, stored):
    holder.read_storage_from(lambda: StorageState(samples_buffered=buffered))
    holder.publish_live(live)
    assert holder.state().storage.samples_buffered == buffered
    assert notifier.calls == [("sampled", stored)]


@pytest.mark.parametrize(
    ("buffered", "needs_restart", "call"),
    [(0, False, "sampled"), (0, True, "stalled"), (3, True, "sampled")],
)
def test_samples_reset_the_watchdog_unless_a_hung_job_needs_a_restart(
    holder, notifier, live, buffered, needs_restart, call
):
    holder.read_jobs_from(dict, lambda: needs_restart)
    holder.read_storage_from(lambda: StorageState(samples_buffered=buffered))
    holder.publish_live(live)
    assert [name for name, _ in notifier.calls] == [call]


def test_holder_reports_stall_only_after_sampling_has_stopped(holder, notifier, later):
    holder.report_stall()
    assert notifier.calls == []
    later(3600)
    holder.report_stall()
    assert notifier.calls == [("stalled", "not sampling: no sample for 1 h")]


def test_holder_keeps_time_of_last_effective_configuration_after_failed_reload(holder):
    holder.reload_failed()
    published = holder.state()
    assert (published.reload_successful, published.reloaded_at, published.reload_failures) == (False, 100.0, 1)
    holder.reloaded()
    published = holder.state()
    assert (published.reload_successful, published.reload_failures) == (True, 1)
    assert published.reloaded_at > 100.0
