"""`monitor export`."""

import csv
import gzip
import time

import pytest

from monitor.cli.exit_codes import ExitCode

pytestmark = pytest.mark.unit


def times(text):
    """Return the times of a trace."""
    return [float(row["timestamp"]) for row in csv.DictReader(text.splitlines())]


@pytest.mark.parametrize("arguments", [[], ["-"]])
def test_export_writes_to_stdout(run, arguments):
    run.add_samples(1000.0, 2000.0)
    result = run("export", *arguments)
    assert (result.code, result.errors) == (ExitCode.DONE, "")
    assert times(result.output) == [1000.0, 2000.0]


def test_export_writes_a_compressed_file_and_reports_on_stderr(run, tmp_path):
    run.add_samples(1000.0)
    path = tmp_path / "trace.csv.gz"
    result = run("export", path)
    assert (result.code, result.output) == (ExitCode.DONE, "")
    assert result.errors.startswith(f"{path}: 1 ")
    assert times(gzip.decompress(path.read_bytes()).decode()) == [1000.0]


def test_export_of_a_period_starts_that_long_ago(run):
    now = time.time()
    run.add_samples(now - 7200, now - 60)
    assert times(run("export", "--since", "1h").output) == [pytest.approx(now - 60, abs=1)]


def test_export_does_not_create_a_database(run):
    assert run("export").code == ExitCode.FAILED
    assert not run.database.exists()


def test_export_writes_rows_of_decades_including_the_first_second(run):
    run.add_samples(0.0, 1000.0, 1_795_800_000.0)
    assert times(run("export", "-").output) == [0.0, 1000.0, 1_795_800_000.0]


def test_export_since_a_time_includes_that_time(run):
    run.add_samples(1000.0, 2000.0)
    assert times(run("export", "--since", "2000").output) == [2000.0]
