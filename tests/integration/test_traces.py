"""History goes out and comes in as CSV, and what makes no sense is counted or refused with its line."""

import gzip
import json
import math
import os
import stat
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from monitor.errors import MonitorError
from monitor.reports.plots import plot_backtest, precision_recall_curve, reliability_curve
from monitor.sampling.trace_reader import TraceStatistics, read_trace, read_trace_chunks
from storage import SAMPLE_FIELDS, Sample, SampleRepository, open_database

pytestmark = pytest.mark.integration


def written(directory, text, name="trace.csv"):
    path = directory / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["trace.csv", "trace.csv.gz"])
def test_a_trace_is_read_in_order_whatever_its_columns_rows_and_ending(tmp_path, name):
    text = "cpu_usage,timestamp,network_receive\n0.5,300,10\n0.25,100,\n,200,3e6\n0.75,300,11\n"
    trace = read_trace(written(tmp_path, text, name))
    assert trace.columns == ("cpu_usage", "network_receive")
    assert trace.times.tolist() == [100.0, 200.0, 300.0]
    assert np.array_equal(trace.values, [[0.25, np.nan], [np.nan, 3e6], [0.5, 10.0]], equal_nan=True)
    assert trace.counts == TraceStatistics(rows=4, unordered=2, repeated=1, bad_cells=0)


def test_cells_without_sense_are_missing_and_counted_but_nan_is_only_missing(tmp_path):
    text = "timestamp,cpu_usage,disk_read\n1,high,1\n2,-0.1,inf\n3,1.2,-1\n4,nan,5\n\n5,1,1e9\n"
    trace = read_trace(written(tmp_path, text))
    assert trace.counts.bad_cells == 5
    assert np.isnan(trace.values[:4, 0]).all()
    assert trace.values[4].tolist() == [1.0, 1e9]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: no column is named timestamp"),
        ("time,cpu_usage\n", "line 1: no column is named timestamp"),
        ("timestamp\n1\n", "line 1: no column except timestamp"),
        ("timestamp,cpu_usag\n", "line 1: unknown column 'cpu_usag'; did you mean 'cpu_usage'"),
        ("timestamp,cpu_usage,cpu_usage\n", "line 1: the column cpu_usage is there twice"),
        ("timestamp,cpu_usage\n1,0.5\n2\n", "line 3: 1 cells, the header has 2"),
        ("timestamp,cpu_usage\n1,0.5\nyesterday,0.5\n", "line 3: timestamp 'yesterday'"),
        ("timestamp,cpu_usage\n1e15,0.5\n", "line 2: timestamp '1e15'"),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused_with_its_line(tmp_path, text, words):
    with pytest.raises(MonitorError, match=words):
        read_trace(written(tmp_path, text))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(MonitorError, match=r"nowhere\.csv"):
        read_trace(tmp_path / "nowhere.csv")
    whole = gzip.compress(b"timestamp,cpu_usage\n" + b"1,0.5\n" * 5000)
    (tmp_path / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "plain.csv.gz").write_text("timestamp,cpu_usage\n1,0.5\n")
    (tmp_path / "binary.csv").write_bytes(bytes(range(128, 256)))
    for name in ("cut.csv.gz", "plain.csv.gz", "binary.csv"):
        with pytest.raises(MonitorError, match=name.replace(".", r"\.")):
            read_trace(tmp_path / name)


def test_a_large_trace_comes_in_pieces(tmp_path):
    path = written(tmp_path, "timestamp,cpu_usage\n" + "".join(f"{i},0.5\n" for i in range(45_000)))
    counts, sizes = TraceStatistics(), []
    for table in read_trace_chunks(path, counts):
        assert table.shape[1] == 1 + len(SAMPLE_FIELDS)
        sizes.append(len(table))
    assert sizes == [20_000, 20_000, 5_000]
    assert counts.rows == 45_000


def test_what_is_exported_comes_back_as_it_was_and_only_once(admin, tmp_path):
    admin.fill(rows=3000)
    with open_database(admin.url) as database:
        before = SampleRepository(database).between(0, math.inf)
    assert admin("export", str(tmp_path / "all.csv.gz"))[0] == 0
    assert "0 samples added (3000 rows, 3000 repeated)" in admin("import", str(tmp_path / "all.csv.gz"))[1]
    admin.database.unlink()
    code, out, _ = admin("import", str(tmp_path / "all.csv.gz"))
    assert (code, "3000 samples added (3000 rows)" in out) == (0, True)
    with open_database(admin.url) as database:
        after = SampleRepository(database).between(0, math.inf)
    assert np.array_equal(before, after, equal_nan=True)
    code, out, _ = admin("import", "--json", str(tmp_path / "all.csv.gz"))
    result = json.loads(out)
    assert (result["added"], result["rows"], result["repeated"]) == (0, 3000, 3000)


def test_export_writes_selected_history_to_stdout(admin):
    admin.fill(rows=500)
    lines = admin("export")[1].splitlines()
    assert lines[0] == "timestamp," + ",".join(SAMPLE_FIELDS)
    assert len(lines) == 501
    assert 100 <= len(admin("export", "--since", "20m")[1].splitlines()) <= 121


def test_an_export_of_nothing_has_a_header_and_a_failed_one_leaves_no_file(admin, tmp_path):
    with open_database(admin.url):
        pass
    assert admin("export")[1].count("\n") == 1
    code, _, err = admin("export", str(tmp_path / "no" / "folder.csv"))
    assert code == 1
    assert "folder.csv" in err


def test_what_is_stored_already_is_not_overwritten(admin, tmp_path):
    with open_database(admin.url) as database:
        SampleRepository(database).append(Sample(2.0, cpu_usage=0.9))
    path = written(tmp_path, "timestamp,cpu_usage\n1,0.1\n2,0.2\n3,0.3\n3,0.4\n")
    assert "2 samples added (4 rows, 2 repeated)" in admin("import", str(path))[1]
    with open_database(admin.url) as database:
        assert SampleRepository(database).between(0, 9, ["cpu_usage"]).tolist() == [[1, 0.1], [2, 0.9], [3, 0.3]]


def test_a_model_can_be_trained_on_what_was_imported(admin, tmp_path):
    admin.fill(rows=4000)
    admin("export", str(tmp_path / "trace.csv"))
    admin.database.unlink()
    admin("import", str(tmp_path / "trace.csv"))
    assert admin("retrain")[0] == 0


def test_a_bad_file_ends_the_import_with_its_line_and_keeps_the_good_ones(admin, tmp_path):
    good = written(tmp_path, "timestamp,cpu_usage\n1,0.1\n", "good.csv")
    bad = written(tmp_path, "timestamp,cpu_usage\n1,0.1\n2\n", "bad.csv")
    code, _, err = admin("import", str(good), str(bad))
    assert code == 1
    assert "bad.csv, line 3" in err
    with open_database(admin.url) as database:
        assert SampleRepository(database).count() == 1


def test_import_accepts_file_without_rows(admin, tmp_path):
    path = written(tmp_path, "timestamp,cpu_usage\n", "empty.csv")
    code, out, err = admin("import", str(path))
    assert (code, out) == (0, f"{path}: 0 samples added (0 rows)\n")
    assert err == f"monitor: {path}: no rows after the header\n"
    code, out, err = admin("import", str(path), "--json")
    assert (json.loads(out)["added"], err) == (0, f"monitor: {path}: no rows after the header\n")


def exported(admin, tmp_path, rows=4000):
    admin.fill(rows=rows)
    admin("export", str(tmp_path / "trace.csv"))
    admin.database.unlink()
    return tmp_path / "trace.csv"


def test_backtest_scores_a_trace_without_a_database(admin, tmp_path):
    trace = exported(admin, tmp_path)
    code, out, _ = admin("backtest", str(trace), "--no-retrain", "--predictions", str(tmp_path / "said.csv"))
    assert code == 0
    assert "1 trainings, 1 of whose models came to serve" in out
    assert "1m onset network" in out
    assert "5m all Holt-Winters" in out
    lines = (tmp_path / "said.csv").read_text().splitlines()
    assert lines[0] == "timestamp,horizon,probability,warning,anomaly_score"
    assert len(lines) == 1 + 2 * 1600
    at, horizon, probability, warning, score = lines[1].split(",")
    assert (horizon, warning in "01", score) == ("60", True, "")
    assert 0 <= float(probability) <= 1
    assert float(at) == read_trace(trace).times[2400]
    assert not admin.database.exists()


def test_a_backtest_in_json_retrains_at_its_interval(admin, tmp_path):
    trace = exported(admin, tmp_path)
    admin.config.write_text(admin.config.read_text() + 'interval = "1h"\n')
    code, out, _ = admin("backtest", "--json", str(trace))
    result = json.loads(out)
    assert code == 0
    assert len(result["attempts"]) == 5
    assert [row["horizon"] for row in result["horizons"]] == [60.0, 300.0]
    assert result["horizons"][0]["all"]["network"]["brier_skill"] > 0.3


def test_a_backtest_that_cannot_be_made_says_why(admin, tmp_path):
    trace = exported(admin, tmp_path)
    admin.config.write_text(admin.config.read_text() + "[gate]\nmin_skill = 1\n")
    code, out, _ = admin("backtest", str(trace), "--no-retrain")
    assert (code, "gate.min_skill asks for 1" in out) == (0, True)
    assert "the prior, learned on other hosts, served throughout" in out
    trace = exported(admin, tmp_path, rows=60)
    code, out, _ = admin("backtest", str(trace))
    assert (code, "served throughout" in out) == (0, True)
    assert admin("backtest", str(trace), "--train-until", "5")[0] == 1
    other = written(tmp_path, "timestamp,memory_usage\n1,0.5\n2,0.5\n", "other.csv")
    code, _, err = admin("backtest", str(other))
    assert (code, "the trace has no cpu_usage" in err) == (1, True)
    assert admin("backtest", str(trace), str(other), "--predictions", str(tmp_path / "x"))[0] == 2


def test_a_backtest_is_drawn_and_without_matplotlib_says_what_it_needs(admin, tmp_path, monkeypatch):
    trace = exported(admin, tmp_path)
    assert admin("backtest", str(trace), "--no-retrain", "--plot", str(tmp_path / "p.png"))[0] == 0
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    code, _, err = admin("backtest", str(trace), "--no-retrain", "--plot", str(tmp_path / "no" / "p.png"))
    assert (code, "p.png" in err) == (1, True)
    code, _, err = admin("backtest", str(trace), "--no-retrain", "--plot", str(tmp_path / "p.nothing"))
    assert (code, "p.nothing" in err) == (1, True)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    code, _, err = admin("backtest", str(trace), "--no-retrain", "--plot", str(tmp_path / "p.png"))
    assert (code, "monitor[plot]" in err) == (1, True)


def test_reliability_and_precision_by_hand():
    y, p = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.05, 0.95, 0.92, 0.95])
    assert reliability_curve(y, p) == (pytest.approx([0.05, 0.94]), pytest.approx([0.0, 2 / 3]))
    recall, precision = precision_recall_curve(y, p)
    assert (recall, precision) == (pytest.approx([0.5, 1.0, 1.0]), pytest.approx([0.5, 2 / 3, 0.5]))


def test_what_is_no_file_is_written_into_and_stays_what_it_is(admin, tmp_path):
    admin.fill(rows=50)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True)
    assert admin("export", str(pipe))[0] == 0
    assert reader.communicate()[0] == admin("export")[1]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert not list(tmp_path.glob(".*"))


def test_export_to_dev_stdout_appends(admin, tmp_path):
    admin.fill(rows=5)
    out = tmp_path / "out.csv"
    out.write_text("# a line before\n")
    command = [sys.executable, "-m", "monitor", "--config", str(admin.config), "export", "/dev/stdout"]
    with out.open("a") as file:
        assert subprocess.run(command, stdout=file, check=False, capture_output=False).returncode == 0
    assert out.read_text() == "# a line before\n" + admin("export")[1]


def test_a_link_is_followed_and_stays_a_link(admin, tmp_path):
    admin.fill(rows=5)
    (tmp_path / "real").mkdir()
    link, target = tmp_path / "link.csv", tmp_path / "real" / "trace.csv"
    link.symlink_to(target)
    for _ in ("made", "replaced"):
        assert admin("export", str(link))[0] == 0
        assert link.is_symlink()
        assert target.read_text() == admin("export")[1]


def test_what_cannot_be_read_or_written_is_named_as_typed_with_the_reason(admin, tmp_path):
    admin.fill(rows=5)
    absent = tmp_path / "no" / "trace.csv"
    reason = "No such file or directory"
    assert admin("export", str(absent)) == (1, "", f"monitor: {absent}: cannot be written: {reason}\n")
    assert admin("export", str(tmp_path)) == (1, "", f"monitor: {tmp_path}: cannot be written: Is a directory\n")
    assert admin("import", str(absent)) == (1, "", f"monitor: {absent}: cannot be read: {reason}\n")
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("name", ["picture.png", "picture.svg", "picture"])
def test_a_picture_is_written_whole_in_the_format_of_its_name(tmp_path, name):
    pytest.importorskip("matplotlib")
    result = SimpleNamespace(
        horizons=(60.0,),
        times=np.arange(4.0),
        labels=np.array([[0.0], [1.0], [0.0], [1.0]]),
        probabilities=np.full((4, 1), 0.5),
        state=np.zeros(4),
        load_index=np.ones(4),
    )
    plot_backtest(result, tmp_path / name)
    head = (tmp_path / name).read_bytes()[:100]
    assert (b"<?xml" if name.endswith("svg") else b"\x89PNG") in head
    with pytest.raises(MonitorError, match=r"picture\.png: cannot be written"):
        plot_backtest(result, tmp_path / "no" / "picture.png")
