"""Tests of monitor.web.actions.operations."""

import logging

import pytest

from monitor.web.actions.operations import Actor, Operations
from monitor.web.api import ApiError
from storage import AnomalyRecord, UnknownAnomalyError, Verdict
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit

ALICE = Actor("alice", "192.0.2.7")


@pytest.fixture
def operations(stores):
    stores.anomalies.add(AnomalyRecord(NOW - 60, None, 0.9, NOW - 60, "spike", {"cpu_usage": 1.0}, 1))
    return Operations(stores, lambda: NOW)


def test_verdict_and_note_are_stored(operations, stores):
    document = operations.label_event("1", {"verdict": "incident", "note": " disk\nfull "}, ALICE)
    assert (document.verdict, document.note, document.verdict_at) == (Verdict.INCIDENT, "disk full", NOW)
    assert stores.anomalies.get(1).note == "disk full"


def test_note_alone_keeps_the_verdict_and_a_verdict_alone_keeps_the_note(operations, stores):
    operations.label_event("1", {"verdict": "", "note": "first"}, ALICE)
    assert stores.anomalies.get(1).verdict is None
    operations.label_event("1", {"verdict": "expected"}, ALICE)
    stored = stores.anomalies.get(1)
    assert (stored.verdict, stored.note) == (Verdict.EXPECTED, "first")
    operations.label_event("1", {"note": ""}, ALICE)
    stored = stores.anomalies.get(1)
    assert (stored.verdict, stored.note) == (Verdict.EXPECTED, None)


def test_windows_are_added_and_ended(operations, stores):
    added = operations.add_window({"duration": "2h", "note": "new disks", "start": "", "end": ""}, ALICE)
    assert (added.starts_at, added.ends_at, added.note) == (NOW, NOW + 7200, "new disks")
    assert [window.id for window in stores.anomalies.maintenance_windows(NOW)] == [added.id]
    assert operations.end_window(str(added.id), {}, ALICE).ended == added.id
    assert stores.anomalies.maintenance_windows(NOW) == []


def test_window_times_are_utc(operations):
    added = operations.add_window({"start": "2027-01-15T09:00", "end": "2027-01-15T10:30"}, ALICE)
    assert (added.starts_at, added.ends_at) == (1_800_003_600.0, 1_800_009_000.0)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"verdict": ""},
        {"verdict": "false alarm"},
        {"verdict": "expected", "by": "x"},
        {"note": "x" * 501},
    ],
)
def test_invalid_labels_are_refused(operations, stores, fields):
    with pytest.raises(ValueError, match=r"verdict|unknown field|note"):
        operations.label_event("1", fields, ALICE)
    assert stores.anomalies.get(1).verdict is None


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"duration": "2h", "end": "2027-01-16T00:00"},
        {"duration": "two hours"},
        {"duration": "0s"},
        {"duration": "99999999d"},
        {"end": "tomorrow"},
        {"end": "nan"},
        {"start": "2000000000", "end": "1999999999"},
        {"duration": "1h", "weekday": "sun"},
    ],
)
def test_invalid_windows_are_refused(operations, stores, fields):
    with pytest.raises(ValueError, match=r"window|duration|end|unknown field"):
        operations.add_window(fields, ALICE)
    assert stores.anomalies.maintenance_windows(0) == []


def test_unknown_ids_are_errors(operations):
    with pytest.raises(UnknownAnomalyError):
        operations.label_event("7", {"verdict": "expected"}, ALICE)
    with pytest.raises(UnknownAnomalyError):
        operations.end_window("7", {}, ALICE)
    with pytest.raises(ApiError):
        operations.label_event("x", {"verdict": "expected"}, ALICE)


def test_each_action_is_logged_with_its_user(operations, caplog):
    caplog.set_level(logging.INFO, "monitor")
    operations.label_event("1", {"verdict": "incident"}, ALICE)
    operations.end_window(str(operations.add_window({"duration": "1h"}, ALICE).id), {}, ALICE)
    assert [record.getMessage() for record in caplog.records] == [
        "anomaly labelled",
        "maintenance window added",
        "maintenance window ended",
    ]
    assert {record.fields["user"] for record in caplog.records} == {"alice"}
    assert {record.fields["client"] for record in caplog.records} == {"192.0.2.7"}
