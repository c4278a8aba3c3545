"""`monitor import`."""

import gzip

import pytest

from monitor.cli.exit_codes import ExitCode

pytestmark = pytest.mark.unit

TRACE = "timestamp,cpu_usage\n1000,0.5\n1010,0.6\n1000,0.7\n"


@pytest.fixture(autouse=True)
def _database(run):
    with run.stores():
        pass


def test_import_stores_the_rows_and_counts_repetitions(run, tmp_path):
    path = tmp_path / "trace.csv"
    path.write_text(TRACE)
    result = run("import", path, "--json")
    assert result.code == ExitCode.DONE
    assert {key: result.document[key] for key in ("file", "rows", "added", "repeated")} == {
        "file": str(path),
        "rows": 3,
        "added": 2,
        "repeated": 1,
    }
    with run.stores() as stores:
        assert stores.samples.count() == 2


def test_import_keeps_stored_samples(run, tmp_path):
    path = tmp_path / "trace.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write(TRACE)
    run.add_samples(1000.0)
    assert run("import", path, "--json").document["added"] == 1
    with run.stores() as stores:
        assert stores.samples.between(999.0, 1001.0, ("cpu_usage",))[0, 1] == 0.5


def test_import_of_several_files_prints_a_document_per_line(run, tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(TRACE)
    result = run("import", tmp_path / "a.csv", tmp_path / "b.csv", "--json")
    assert len(result.output.splitlines()) == 2


@pytest.mark.parametrize(
    ("content", "warnings"), [("timestamp,cpu_usage\n", 1), ("timestamp,cpu_usage\n4000000000,0.5\n", 1), (TRACE, 0)]
)
def test_import_warns_of_an_empty_trace_and_of_future_rows(run, tmp_path, content, warnings):
    (tmp_path / "trace.csv").write_text(content)
    result = run("import", tmp_path / "trace.csv")
    assert (result.code, len(result.errors.splitlines())) == (ExitCode.DONE, warnings)


def test_import_of_an_invalid_trace_exits_with_1_and_names_the_line(run, tmp_path):
    (tmp_path / "trace.csv").write_text("timestamp,cpu_usage\n1000\n")
    result = run("import", tmp_path / "trace.csv")
    assert (result.code, result.output) == (ExitCode.FAILED, "")
    assert "line 2" in result.errors
