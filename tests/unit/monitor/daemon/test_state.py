"""Tests of the holder of the daemon's state."""

import time

import pytest

from monitor.config.loader import Config
from monitor.daemon.sd_notify import Notifier
from monitor.daemon.state import ReloadState, StateHolder
from monitor.sampling.storage_state import StorageState
from storage import StorageErrorKind

pytestmark = pytest.mark.unit


class RecordingNotifier(Notifier):
    def __init__(self):
        super().__init__({})
        self.calls = []

    def sampled(self, status):
        self.calls.append(("sampled", status))

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


def test_holder_notifies_of_samples_that_wait_for_the_database(holder, notifier, live):
    holder.read_storage_from(lambda: StorageState(StorageErrorKind.DISK_FULL, "no space", samples_buffered=3))
    holder.publish_live(live)
    ((event, status),) = notifier.calls
    assert event == "sampled"
    assert "3 samples" in status
    assert holder.state().storage.samples_buffered == 3


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
