"""`monitor backtest`."""

import sys

import pytest

from monitor.cli.exit_codes import ExitCode

pytestmark = pytest.mark.unit


@pytest.fixture
def trace(tmp_path):
    """Write a trace of ten calm minutes."""
    path = tmp_path / "trace.csv"
    rows = "".join(f"{1_700_000_000 + 10 * step},0.1\n" for step in range(60))
    path.write_text(f"timestamp,cpu_usage\n{rows}")
    return path


def test_backtest_prints_a_document_and_uses_no_database(run, trace):
    result = run("backtest", trace, "--json")
    assert result.code == ExitCode.DONE
    assert (result.document["file"], result.document["trace"]["rows"]) == (str(trace), 60)
    assert not run.database.exists()


def test_backtest_writes_the_predictions_after_the_training_part(run, trace, tmp_path):
    path = tmp_path / "out.csv"
    assert run("backtest", trace, "--train-until", 1_700_000_300, "--predictions", path).code == ExitCode.DONE
    times = {float(line.partition(",")[0]) for line in path.read_text().splitlines()[1:]}
    assert min(times) >= 1_700_000_300
    assert max(times) == 1_700_000_590


@pytest.mark.parametrize("option", ["--predictions", "--plot"])
def test_files_need_a_single_trace(run, trace, option, tmp_path):
    result = run("backtest", trace, trace, option, tmp_path / "out")
    assert (result.code, result.errors.splitlines()[1]) == (ExitCode.USAGE, "try: monitor backtest --help")


def test_missing_trace_exits_with_1_and_is_named(run, tmp_path):
    result = run("backtest", tmp_path / "missing.csv")
    assert result.code == ExitCode.FAILED
    assert str(tmp_path / "missing.csv") in result.errors


@pytest.mark.parametrize("arguments", [[], ["x.csv", "--train-until", "yesterday"]])
def test_incomplete_arguments_are_usage_errors(run, arguments):
    assert run("backtest", *arguments).code == ExitCode.USAGE


def test_backtest_of_one_row_after_the_training_part_is_reported(run, trace):
    result = run("backtest", trace, "--train-until", 1_700_000_590, "--json")
    assert (result.code, result.document["rows"]) == (ExitCode.DONE, 1)


def test_backtest_reports_bad_cells_with_their_lines(run, trace):
    trace.write_text(trace.read_text().replace("1700000100,0.1", "1700000100,high"))
    output = run("backtest", trace).output
    assert "line 12 cpu_usage 'high'" in output


def test_backtest_without_matplotlib_is_refused_before_it_reads_the_trace(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    result = run("backtest", tmp_path / "missing.csv", "--plot", tmp_path / "p.png")
    assert (result.code, len(result.errors.splitlines())) == (ExitCode.FAILED, 1)
    assert f"pip --python {sys.executable} install" in result.errors


@pytest.mark.parametrize("option", ["--predictions", "--plot"])
def test_backtest_reports_even_if_a_file_cannot_be_written(run, trace, option):
    result = run("backtest", trace, option, "/dev/full")
    assert (result.code, len(result.errors.splitlines())) == (ExitCode.FAILED, 1)
    assert "/dev/full: cannot be written" in result.errors
    assert "60 rows" in result.output
