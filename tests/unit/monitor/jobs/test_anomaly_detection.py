"""Tests of the anomaly detection job."""

import logging

import numpy as np
import pytest

from model.anomaly.events import DetectorReading
from model.anomaly.online_detector import HostDetector
from monitor.config.schema import AnomalySection
from monitor.inference.quarantine import QuarantineReason
from monitor.jobs.anomaly_detection import AnomalyDetectionJob, UnusedReason
from storage import AnomalyRecord, ModelPart, StorageError

from .anomaly_host import OVERLOAD, STEP, TRAINING_END, detector_blob, promote_model

pytestmark = pytest.mark.unit

HOUR = 3600.0
NOW = TRAINING_END + HOUR


class Daemon:
    """A job with a clock, the states that it has published, and the events whose start it has reported."""

    def __init__(self, stores, config=None, interval=STEP):
        self.now = NOW
        self.states = []
        self.started = []
        self.job = AnomalyDetectionJob(
            stores, config or AnomalySection(), interval, self.states.append, self.started.append, lambda: self.now
        )

    def run(self, at):
        self.now = at
        self.job.run()
        return self.states[-1]


@pytest.fixture
def stores(anomaly_stores):
    return anomaly_stores


def ongoing_event(stores):
    record = AnomalyRecord(
        started_at=NOW - HOUR,
        ended_at=None,
        peak=0.9,
        peak_at=NOW - HOUR,
        channel="joint",
        contributions={"cpu_usage": 1.0},
        model_id=1,
    )
    return stores.anomalies.add(record)


def test_job_publishes_the_newest_complete_row(stores):
    promote_model(stores, detector_blob())
    daemon = Daemon(stores)
    assert daemon.run(NOW).reading.at == NOW - STEP
    assert daemon.run(NOW + STEP - 1).reading.at == NOW - STEP
    assert daemon.run(NOW + STEP).reading.at == NOW


def test_job_publishes_none_without_a_model(stores):
    assert Daemon(stores).run(NOW) is None


@pytest.mark.parametrize("config", [AnomalySection(enabled=False), AnomalySection()], ids=["disabled", "no detector"])
def test_job_without_a_detector_ends_the_stored_event(stores, config):
    promote_model(stores, detector_blob() if not config.enabled else None)
    event_id = ongoing_event(stores)
    assert Daemon(stores, config).run(NOW) is None
    assert stores.anomalies.get(event_id).ended_at == NOW


def test_job_loads_the_detector_of_a_new_model(stores):
    daemon = Daemon(stores)
    assert daemon.run(NOW) is None
    promote_model(stores, detector_blob())
    assert daemon.run(NOW + 60.0) is not None
    promote_model(stores, None)
    assert daemon.run(NOW + 120.0) is None


def logged_reasons(caplog):
    return [record.fields["reason"] for record in caplog.records if "reason" in getattr(record, "fields", {})]


def test_job_rejects_a_detector_with_rows_shorter_than_the_sampling_interval(stores, caplog):
    promote_model(stores, detector_blob())
    assert Daemon(stores, interval=2 * STEP).run(NOW) is None
    assert logged_reasons(caplog) == [UnusedReason.ROWS_TOO_SHORT]


def test_job_reports_an_unreadable_detector(stores, caplog):
    promote_model(stores, detector_blob()[:-100] + bytes(100))
    with caplog.at_level(logging.ERROR):
        assert Daemon(stores).run(NOW) is None
    assert logged_reasons(caplog) == [QuarantineReason.UNREADABLE]


@pytest.mark.parametrize("failure", ["exception", "not finite"])
def test_detector_that_fails_is_replaced_by_that_of_the_model_before(stores, monkeypatch, failure):
    first, second = (promote_model(stores, detector_blob()) for _ in range(2))
    daemon = Daemon(stores)
    assert daemon.run(NOW).reading is not None

    def fail(self, at, _):
        if failure == "exception":
            raise ZeroDivisionError
        return DetectorReading(at, 0.5, {"joint": float("nan")}, 0.0, np.zeros(3))

    with monkeypatch.context() as patch:
        patch.setattr(HostDetector, "step", fail)
        assert daemon.run(NOW + STEP) is None
    assert [(entry.model_id, entry.part) for entry in stores.registry.quarantined()] == [(second, ModelPart.DETECTOR)]
    assert stores.registry.active_id() == second
    assert daemon.run(NOW + 2 * STEP).reading is not None
    assert stores.registry.detector_model_id() == first


def test_every_unused_reason_has_a_message():
    assert len({reason.message for reason in UnusedReason}) == len(UnusedReason)


def test_job_reads_the_samples_again_after_the_clock_was_set_back(stores):
    promote_model(stores, detector_blob())
    daemon = Daemon(stores)
    daemon.run(NOW + 5 * HOUR)
    assert daemon.run(NOW).reading.at == NOW - STEP


@pytest.mark.parametrize("method", ["since", "count"])
def test_job_starts_again_after_a_storage_error(stores, monkeypatch, method):
    promote_model(stores, detector_blob())
    daemon = Daemon(stores)
    daemon.run(NOW)

    def fail(*_):
        raise StorageError("database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(stores.anomalies, method, fail)
        for _ in range(2):
            with pytest.raises(StorageError):
                daemon.run(NOW + HOUR)
    assert len(daemon.states) == 1
    assert daemon.run(NOW + HOUR).reading.at == NOW + HOUR - STEP


def test_job_reports_the_start_of_an_event_once(stores):
    promote_model(stores, detector_blob())
    daemon = Daemon(stores)
    daemon.run(OVERLOAD - HOUR)
    assert daemon.started == []
    for minutes in range(0, 60, 5):
        daemon.run(OVERLOAD + 60 * minutes)
    (event,) = daemon.started
    assert event.id == stores.anomalies.ongoing().id
    restarted = Daemon(stores)
    restarted.run(OVERLOAD + HOUR)
    assert restarted.started == []


def test_job_does_not_report_an_event_that_has_ended_meanwhile(stores):
    promote_model(stores, detector_blob())
    daemon = Daemon(stores)
    daemon.run(OVERLOAD - HOUR)
    daemon.run(OVERLOAD + 6 * HOUR)
    assert len(stores.anomalies.since(OVERLOAD - HOUR)) == 1
    assert daemon.started == []
