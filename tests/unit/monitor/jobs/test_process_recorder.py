"""Recorder of the processes at the start of warnings and anomalies."""

import logging
import threading

import pytest

from monitor.config.events_section import EventsSection
from monitor.jobs import process_recorder
from monitor.jobs.process_recorder import MAX_PENDING, THREAD_NAME, ProcessRecorder
from monitor.sampling.processes.top_processes import TopProcesses
from storage import AnomalyRecord, Prediction, ProcessUsage, StorageError
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit

USAGE = ProcessUsage(7, "python3", 1.5, 2**20)
TOP = TopProcesses(seconds=1.0, visited=135, io_hidden=130, complete=True, processes=(USAGE,))
ANOMALY = AnomalyRecord(NOW - 60, None, 0.9, NOW - 60, "joint", {"cpu_usage": 1.0}, 1, id=4)


def warning(horizon, at=NOW):
    return Prediction(at, horizon, 1, 0.75, 0.1, 0.5, warning=True)


class Reader:
    """Reader of processes that waits until `release` is set, and records its calls."""

    def __init__(self):
        self.calls = []
        self.started = threading.Event()
        self.release = threading.Event()
        self.error = None

    def __call__(self, *, command_lines):
        self.calls.append(command_lines)
        self.started.set()
        assert self.release.wait(10)
        if self.error is not None:
            raise self.error
        return TOP


@pytest.fixture
def reader():
    return Reader()


def recorder_of(stores, reader, **config):
    return ProcessRecorder(stores, EventsSection(**config), lambda: NOW + 2, reader)


def recorder_threads():
    return [thread for thread in threading.enumerate() if thread.name == THREAD_NAME]


def finish(reader):
    """Let the reader return, and wait for the end of the recorder's thread."""
    reader.release.set()
    for thread in recorder_threads():
        thread.join(10)
    assert recorder_threads() == []


def test_processes_of_an_anomaly_are_stored_with_its_id(stores, reader):
    recorder = recorder_of(stores, reader)
    recorder.anomaly_started(ANOMALY)
    finish(reader)
    snapshot = stores.process_snapshots.of_anomaly(4)
    assert (snapshot.at, snapshot.started_at, snapshot.horizon) == (NOW + 2, NOW - 60, None)
    assert (snapshot.seconds, snapshot.visited, snapshot.io_hidden, snapshot.complete) == (1.0, 135, 130, True)
    assert snapshot.processes == (USAGE,)


def test_processes_of_warnings_are_stored_with_time_horizon_and_probability(stores, reader):
    recorder = recorder_of(stores, reader)
    recorder.warnings_started([warning(300.0), warning(900.0)])
    finish(reader)
    stored = stores.process_snapshots.of_warnings(0.0)
    assert [(s.started_at, s.horizon, s.probability, s.anomaly_id) for s in stored] == [
        (NOW, 300.0, 0.75, None),
        (NOW, 900.0, 0.75, None),
    ]
    assert reader.calls == [False]


def test_caller_does_not_wait_and_later_events_share_the_next_snapshot(stores, reader):
    recorder = recorder_of(stores, reader)
    recorder.anomaly_started(ANOMALY)
    assert reader.started.wait(10)
    for number in range(MAX_PENDING + 5):
        recorder.warnings_started([warning(300.0, NOW + number)])
    assert stores.process_snapshots.count() == 0
    finish(reader)
    assert len(reader.calls) == 2
    assert stores.process_snapshots.count() == 1 + MAX_PENDING


def test_recorder_has_no_thread_between_events(stores, reader):
    recorder = recorder_of(stores, reader)
    for number in range(2):
        recorder.warnings_started([warning(300.0, NOW + number)])
        finish(reader)
    assert len(reader.calls) == 2


def test_command_lines_are_read_only_if_configured(stores, reader):
    recorder = recorder_of(stores, reader, command_lines=True)
    recorder.anomaly_started(ANOMALY)
    finish(reader)
    assert reader.calls == [True]


def test_nothing_is_read_if_switched_off(stores, reader):
    recorder = recorder_of(stores, reader, processes=False)
    recorder.anomaly_started(ANOMALY)
    recorder.warnings_started([warning(300.0)])
    finish(reader)
    assert (reader.calls, stores.process_snapshots.count()) == ([], 0)


@pytest.mark.parametrize("error", [StorageError("x.db: disk full"), OSError("no /proc")])
def test_failed_snapshot_is_logged_and_the_next_one_is_taken(stores, reader, caplog, error):
    recorder = recorder_of(stores, reader)
    reader.error = error
    recorder.anomaly_started(ANOMALY)
    finish(reader)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "process snapshot failed")
    ]
    reader.error = None
    recorder.anomaly_started(ANOMALY)
    finish(reader)
    assert stores.process_snapshots.of_anomaly(4) is not None


def test_thread_that_cannot_start_is_logged(stores, reader, caplog, monkeypatch):
    caplog.set_level(logging.WARNING, "monitor")

    def refuse(self):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(process_recorder.threading.Thread, "start", refuse)
        recorder = recorder_of(stores, reader)
        recorder.anomaly_started(ANOMALY)
    assert [record.getMessage() for record in caplog.records] == ["process snapshot failed"]
    recorder.anomaly_started(ANOMALY)
    finish(reader)
    assert stores.process_snapshots.count() == 1
