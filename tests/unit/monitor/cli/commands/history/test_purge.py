"""`monitor purge`."""

import io
import sys
from dataclasses import replace

import pytest

from monitor.cli.exit_codes import ExitCode
from storage import Prediction

pytestmark = pytest.mark.unit


@pytest.fixture
def times(run):
    """Store samples and return a function that reads their times."""
    run.add_samples(0.0, 1000.0, 2000.0, 3000.0)
    with run.stores() as stores:
        stores.predictions.append([Prediction(at, 300.0, 1, 0.1, 0.1, 0.5) for at in (1000.0, 3000.0)])

    def read():
        with run.stores() as stores:
            return stores.samples.between(-1, 1e10, ())[:, 0].tolist()

    return read


def test_purge_deletes_a_period_with_both_ends(run, times):
    document = run("purge", "--from", 1000, "--to", 2000, "--yes", "--json").document
    derived = {"predictions": 1, "anomalies": 0, "process_snapshots": 0}
    assert document == {"from": 1000.0, "to": 2000.0, "samples": 2, **derived}
    assert times() == [0.0, 3000.0]


@pytest.mark.parametrize(
    ("answer", "code", "left"),
    [("y\n", ExitCode.DONE, 2), ("n\n", ExitCode.FAILED, 4), ("\n", ExitCode.FAILED, 4), ("", ExitCode.FAILED, 4)],
)
def test_purge_asks_before_it_deletes(run, times, monkeypatch, answer, code, left):
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    result = run("purge", "--from", 1000, "--to", 2000)
    assert (result.code, len(times())) == (code, left)
    assert "2 samples" in result.errors


def test_purge_of_an_empty_period_asks_nothing(run, times):
    result = run("purge", "--from", 1001, "--to", 1002)
    assert (result.code, result.errors, len(times())) == (ExitCode.DONE, "", 4)


@pytest.mark.parametrize("arguments", [["--from", 2, "--to", 1], ["--from", 2], ["--to", 2]])
def test_incomplete_periods_are_usage_errors(run, arguments):
    assert run("purge", *arguments, "--yes").code == ExitCode.USAGE


def test_purge_does_not_create_a_database(run):
    assert run("purge", "--from", 1, "--to", 2, "--yes").code == ExitCode.FAILED
    assert not run.database.exists()


def test_purge_deletes_the_processes_recorded_in_the_period(run, times, process_snapshot):
    recorded = [replace(process_snapshot, at=at) for at in (1500.0, 9000.0)]
    with run.stores() as stores:
        stores.process_snapshots.add(recorded)
    assert run("purge", "--from", 1000, "--to", 2000, "--yes", "--json").document["process_snapshots"] == 1
    with run.stores() as stores:
        assert [snapshot.at for snapshot in stores.process_snapshots.of_warnings(0.0)] == [9000.0]


def test_purge_deletes_what_was_replayed_in_the_period(run, times):
    with run.stores() as stores:
        stores.replayed_predictions.append([Prediction(at, 300.0, 1, 0.1, 0.1, 0.5) for at in (1500.0, 9000.0)])
    assert run("purge", "--from", 1000, "--to", 2000, "--yes", "--json").document["predictions"] == 2
    with run.stores() as stores:
        assert [prediction.at for prediction in stores.replayed_predictions.between(0, 1e10)] == [9000.0]
