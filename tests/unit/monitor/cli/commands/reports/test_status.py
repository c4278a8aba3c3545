"""`monitor status`."""

import time

import pytest

from monitor.cli.exit_codes import ExitCode
from monitor.documents.live import HungJob, LiveStatus
from monitor.documents.storage import StorageStatus
from monitor.stores import open_stores

pytestmark = pytest.mark.unit


def test_status_prints_the_document_of_the_database(run):
    now = time.time()
    run.add_samples(now - 60)
    result = run("status", "--json")
    assert (result.code, result.errors) == (ExitCode.NOT_RUNNING, "")
    assert result.document["database"] == f"sqlite:///{run.database}"
    assert result.document["daemon_running"] is False
    assert result.document["last_sample"]["at"] == pytest.approx(now - 60, abs=1)


def test_status_prints_a_report(run):
    run.add_samples(time.time())
    result = run("status")
    assert (result.code, result.errors) == (ExitCode.NOT_RUNNING, "")
    assert str(run.database) in result.output
    assert "not running" in result.output


def test_status_exits_with_0_while_the_daemon_runs(run):
    run.add_samples(time.time())
    with open_stores(f"sqlite:///{run.database}") as stores, stores.database.lock("daemon"):
        assert run("status").code == ExitCode.DONE


def test_status_has_what_only_the_daemon_knows(run, monkeypatch):
    run.add_samples(time.time() - 600)
    storage = StorageStatus("busy", "x.db: database is locked", 40, 0, 3, 0)
    live = LiveStatus(sampling=True, storage=storage, hung_jobs=(HungJob("retention", 5.0),))
    monkeypatch.setattr("monitor.documents.live.read_live_status", lambda _: live)
    with open_stores(f"sqlite:///{run.database}") as stores, stores.database.lock("daemon"):
        document = run("status", "--json").document
    assert document["sampling"] is True
    assert document["storage"]["samples_buffered"] == 40
    assert document["hung_jobs"] == [{"job": "retention", "since": 5.0}]


def test_status_does_not_create_a_database(run):
    assert run("status").code == ExitCode.FAILED
    assert not run.database.exists()
