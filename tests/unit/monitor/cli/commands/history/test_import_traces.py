"""`monitor import`."""

import gzip
import json

import pytest

from monitor.cli.exit_codes import ExitCode
from storage import Prediction

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


def test_import_compares_the_spacing_of_the_rows_with_the_sampling_interval(run, tmp_path):
    path = tmp_path / "trace.csv"
    path.write_text("timestamp,cpu_usage\n" + "".join(f"{300 * row},0.5\n" for row in range(10)))
    document = run("import", path, "--json").document
    assert (document["spacing"], document["sampling_interval"]) == (300.0, 10.0)
    assert document["spacing_differs"] is True


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
    ("content", "options", "warnings"),
    [("timestamp,cpu_usage\n", [], 1), ("timestamp,swap_usage\n1000,0\n", ["--percent"], 0), (TRACE, [], 0)],
)
def test_import_warns_of_an_empty_trace(run, tmp_path, content, options, warnings):
    (tmp_path / "trace.csv").write_text(content)
    result = run("import", tmp_path / "trace.csv", *options)
    assert (result.code, len(result.errors.splitlines())) == (ExitCode.DONE, warnings)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("timestamp,cpu_usage\n1000,0.8\n1005,41.5\n", "line 3"),
        ("timestamp,cpu_usage\n4000000000,0.5\n", "line 2"),
        ('timestamp,cpu_usage\n1000,0.8\n1005,"0.9\n1010,0.7\n', "line 3"),
        ('{"panels":[]}', "line 1"),
    ],
)
def test_refused_import_stores_nothing_of_any_file_and_creates_no_database(run, tmp_path, content, line):
    run.database.unlink()
    (tmp_path / "good.csv").write_text(TRACE)
    (tmp_path / "bad.csv").write_text(content)
    result = run("import", tmp_path / "good.csv", tmp_path / "bad.csv")
    assert (result.code, result.output, len(result.errors.splitlines())) == (ExitCode.FAILED, "", 1)
    assert f"bad.csv, {line}: " in result.errors
    assert not run.database.exists()


def test_import_refuses_ratios_with_percent(run, tmp_path):
    (tmp_path / "ratios.csv").write_text("timestamp,cpu_usage\n1000,0.5\n1005,1\n")
    (tmp_path / "signs.csv").write_text("timestamp,cpu_usage\n1000,0.5%\n")
    result = run("import", tmp_path / "ratios.csv", "--percent")
    assert (result.code, result.output, len(result.errors.splitlines())) == (ExitCode.FAILED, "", 1)
    with run.stores() as stores:
        assert stores.samples.last() is None
    assert run("import", tmp_path / "signs.csv").code == ExitCode.DONE
    with run.stores() as stores:
        assert stores.samples.last().cpu_usage == 0.005


def test_dry_run_counts_files_together_and_stores_nothing(run, tmp_path):
    run.database.unlink()
    (tmp_path / "cpu.csv").write_text("timestamp,cpu_usage\n1000,0.5\n")
    (tmp_path / "memory.csv").write_text("timestamp,memory_usage\n1000,0.25\n")
    result = run("import", tmp_path / "cpu.csv", tmp_path / "memory.csv", "--dry-run", "--json")
    documents = [json.loads(line) for line in result.output.splitlines()]
    assert [(document["added"], document["filled"]) for document in documents] == [(1, 0), (0, 1)]
    assert not run.database.exists()


def test_import_with_replace_corrects_an_earlier_import(run, tmp_path):
    (tmp_path / "wrong.csv").write_text("timestamp,cpu_usage\n1000,0.8\n")
    (tmp_path / "right.csv").write_text("timestamp,cpu_usage\n1000,0.008\n")
    run("import", tmp_path / "wrong.csv")
    document = run("import", tmp_path / "right.csv", "--replace", "--json").document
    assert (document["replaced"], document["replaced_values"]) == (1, 1)
    with run.stores() as stores:
        assert stores.samples.last().cpu_usage == 0.008


def test_import_maps_columns_of_percentages_in_a_stated_time_zone(run, tmp_path):
    (tmp_path / "x.csv").write_text("Time;CPU;Disk\n2026-07-01 12:00:00;41,5;3\n")
    options = ["--map", "cpu_usage=CPU", "--percent", "--timezone", "Europe/Berlin"]
    document = run("import", tmp_path / "x.csv", *options, "--json").document
    assert (document["added"], document["ignored_columns"], document["first_at"]) == (1, ["Disk"], 1782900000.0)


@pytest.mark.parametrize(
    "options",
    [
        ["--map", "cpu=CPU"],
        ["--map", "cpu_usage"],
        ["--map", "cpu_usage=a", "--map", "cpu_usage=b"],
        ["--timezone", "Nowhere"],
        ["-", "-"],
    ],
)
def test_wrong_options_are_usage_errors(run, tmp_path, options):
    assert run("import", tmp_path / "x.csv", *options).code == ExitCode.USAGE


def test_mapped_column_that_no_file_has_is_refused(run, tmp_path):
    (tmp_path / "x.csv").write_text(TRACE)
    result = run("import", tmp_path / "x.csv", "--map", "memory_usage=Mem")
    assert (result.code, "'Mem'" in result.errors) == (ExitCode.FAILED, True)


def test_import_of_an_invalid_trace_exits_with_1_and_names_the_line(run, tmp_path):
    (tmp_path / "trace.csv").write_text("timestamp,cpu_usage\n1000\n")
    result = run("import", tmp_path / "trace.csv")
    assert (result.code, result.output) == (ExitCode.FAILED, "")
    assert "line 2" in result.errors


@pytest.mark.parametrize(("options", "left"), [([], 1), (["--replace"], 0), (["--replace", "--dry-run"], 1)])
def test_import_deletes_what_was_replayed_over_changed_samples(run, tmp_path, options, left):
    run.add_samples(1000.0)
    with run.stores() as stores:
        stores.replayed_predictions.append([Prediction(1000.0, 300.0, 1, 0.1, 0.1, 0.5)])
    (tmp_path / "x.csv").write_text("timestamp,cpu_usage\n1000,0.8\n")
    run("import", tmp_path / "x.csv", *options)
    with run.stores() as stores:
        assert stores.replayed_predictions.count() == left
