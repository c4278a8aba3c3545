"""`monitor maintenance`."""

import time

import pytest

from monitor.cli.exit_codes import ExitCode

pytestmark = pytest.mark.unit

HOUR = 3600.0


@pytest.fixture(autouse=True)
def _database(run):
    run.add_samples(time.time())


def test_add_stores_a_window_from_now(run):
    result = run("maintenance", "add", "--for", "2h", "--note", "disks", "--json")
    assert result.code == ExitCode.DONE
    assert result.document["starts_at"] == pytest.approx(time.time(), abs=60)
    assert result.document["ends_at"] - result.document["starts_at"] == 2 * HOUR
    with run.stores() as stores:
        (window,) = stores.anomalies.maintenance_windows(time.time())
    assert (window.id, window.note) == (result.document["id"], "disks")


def test_add_accepts_a_start_in_the_future(run):
    result = run("maintenance", "add", "--from", "+1d", "--for", "30m", "--json")
    assert result.document["starts_at"] == pytest.approx(time.time() + 24 * HOUR, abs=60)


@pytest.mark.parametrize("arguments", [["maintenance"], ["maintenance", "list"]])
def test_list_is_the_default(run, arguments):
    assert run(*arguments, "--json").document == []
    run("maintenance", "add", "--for", "2h", "--note", "disks")
    assert [window["note"] for window in run(*arguments, "--json").document] == ["disks"]
    assert "disks" in run(*arguments).output


def test_list_shows_the_configured_windows(run):
    run.config.write_text(run.config.read_text() + '[anomaly]\nmaintenance = ["sun 02:00-04:00"]\n')
    assert "sun 02:00-04:00" in run("maintenance").output


def test_end_removes_the_window(run):
    window_id = run("maintenance", "add", "--for", "2h", "--json").document["id"]
    result = run("maintenance", "end", window_id, "--json")
    assert (result.code, result.document) == (ExitCode.DONE, {"ended": window_id})
    assert run("maintenance", "--json").document == []


def test_end_of_an_unknown_window_exits_with_1(run):
    assert run("maintenance", "end", 9).code == ExitCode.FAILED


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--for", "0s"],
        ["--for", "99999999d"],
        ["--from", "2030-01-01"],
        ["--for", "1h", "--from", "2020-01-01"],
        ["--for", "1d", "--from", "253402300000"],
    ],
)
def test_add_rejects_windows_that_cannot_be(run, arguments):
    assert run("maintenance", "add", *arguments).code == ExitCode.USAGE
    assert run("maintenance", "--json").document == []
