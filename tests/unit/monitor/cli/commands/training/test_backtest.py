"""`monitor backtest`."""

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
