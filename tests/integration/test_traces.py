"""Trace files through the commands: export, import and backtest."""

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
from monitor.sampling.trace_reader import read_trace
from storage import SAMPLE_FIELDS, Sample, SampleRepository, open_database

pytestmark = pytest.mark.integration


def write_file(directory, text, name="trace.csv"):
    path = directory / name
    path.write_text(text)
    return path


def import_counts(admin, path):
    """Import a file and return its counts: samples added, rows, repeated rows."""
    code, out, _ = admin("import", "--json", str(path))
    assert code == 0
    document = json.loads(out)
    return document["added"], document["rows"], document["repeated"]


def stored(admin, *fields):
    with open_database(admin.url) as database:
        return SampleRepository(database).between(0, math.inf, fields or SAMPLE_FIELDS)


def test_import_of_an_export_restores_samples_once(admin, tmp_path):
    admin.fill(rows=3000)
    before = stored(admin)
    trace = tmp_path / "all.csv.gz"
    assert admin("export", str(trace))[0] == 0
    assert import_counts(admin, trace) == (0, 3000, 3000)
    admin.database.unlink()
    assert import_counts(admin, trace) == (3000, 3000, 0)
    np.testing.assert_array_equal(stored(admin), before)


def test_export_writes_recent_samples_to_stdout(admin):
    admin.fill(rows=500)
    lines = admin("export")[1].splitlines()
    assert lines[0] == "timestamp," + ",".join(SAMPLE_FIELDS)
    assert len(lines) == 501
    assert 100 <= len(admin("export", "--since", "20m")[1].splitlines()) <= 121


def test_export_of_an_empty_database_has_a_header(admin):
    with open_database(admin.url):
        pass
    assert admin("export")[1].count("\n") == 1


def test_import_keeps_stored_samples(admin, tmp_path):
    with open_database(admin.url) as database:
        SampleRepository(database).append(Sample(2.0, cpu_usage=0.9))
    path = write_file(tmp_path, "timestamp,cpu_usage\n1,0.1\n2,0.2\n3,0.3\n3,0.4\n")
    assert import_counts(admin, path) == (2, 4, 2)
    assert stored(admin, "cpu_usage").tolist() == [[1, 0.1], [2, 0.9], [3, 0.3]]


def test_retrain_uses_imported_samples(admin, tmp_path):
    admin.fill(rows=4000)
    admin("export", str(tmp_path / "trace.csv"))
    admin.database.unlink()
    admin("import", str(tmp_path / "trace.csv"))
    assert admin("retrain")[0] == 0


def test_import_refuses_all_files_because_of_a_malformed_one(admin, tmp_path):
    good = write_file(tmp_path, "timestamp,cpu_usage\n1,0.1\n", "good.csv")
    bad = write_file(tmp_path, "timestamp,cpu_usage\n1,0.1\n2\n", "bad.csv")
    code, _, err = admin("import", str(good), str(bad))
    assert code == 1
    assert "bad.csv, line 3" in err
    assert not admin.database.exists()


def test_import_of_a_file_without_rows_succeeds_with_a_note(admin, tmp_path):
    path = write_file(tmp_path, "timestamp,cpu_usage\n", "empty.csv")
    code, out, err = admin("import", str(path), "--json")
    assert (code, json.loads(out)["added"]) == (0, 0)
    assert str(path) in err


def exported(admin, tmp_path, rows=4000):
    """Export a trace for a backtest, which trains few networks."""
    admin.config.write_text(admin.config.read_text().replace("[training]\n", "[training]\nnetworks = 2\n"))
    admin.fill(rows=rows)
    admin("export", str(tmp_path / "trace.csv"))
    admin.database.unlink()
    return tmp_path / "trace.csv"


def backtest(admin, trace, *options):
    """Run a backtest and return its document."""
    code, out, _ = admin("backtest", "--json", str(trace), *options)
    assert code == 0
    return json.loads(out)


def test_backtest_writes_predictions_and_creates_no_database(admin, tmp_path):
    trace = exported(admin, tmp_path)
    output = tmp_path / "predictions.csv"
    document = backtest(admin, trace, "--no-retrain", "--predictions", str(output))
    assert [attempt["refusal"] for attempt in document["attempts"]] == [""]
    assert [row["horizon"] for row in document["horizons"]] == [60.0, 300.0]
    assert {"network", "Holt-Winters"} <= document["horizons"][1]["all"].keys()
    lines = output.read_text().splitlines()
    assert lines[0] == "timestamp,horizon,probability,warning,anomaly_score"
    assert len(lines) == 1 + 2 * 1600
    at, horizon, probability, warning, score = lines[1].split(",")
    assert (horizon, warning in "01", score) == ("60", True, "")
    assert 0 <= float(probability) <= 1
    assert float(at) == read_trace(trace).times[2400]
    assert not admin.database.exists()


def test_backtest_retrains_at_its_interval(admin, tmp_path):
    trace = exported(admin, tmp_path)
    admin.config.write_text(admin.config.read_text() + 'interval = "1h"\n')
    document = backtest(admin, trace)
    assert len(document["attempts"]) == 5
    assert [row["horizon"] for row in document["horizons"]] == [60.0, 300.0]
    assert document["horizons"][0]["all"]["network"]["brier_skill"] > 0.3


def test_backtest_serves_the_pretrained_model_if_the_gate_refuses(admin, tmp_path):
    trace = exported(admin, tmp_path)
    admin.config.write_text(admin.config.read_text() + "[gate]\nmin_skill = 1\n")
    (attempt,) = backtest(admin, trace, "--no-retrain")["attempts"]
    assert attempt["by_gate"]
    assert "gate.min_skill" in attempt["refusal"]


def test_backtest_of_a_short_trace_serves_the_pretrained_model(admin, tmp_path):
    trace = exported(admin, tmp_path, rows=60)
    assert all(attempt["refusal"] for attempt in backtest(admin, trace)["attempts"])


def test_backtest_refuses_unusable_traces_and_times(admin, tmp_path):
    trace = exported(admin, tmp_path, rows=60)
    assert admin("backtest", str(trace), "--train-until", "5")[0] == 4
    other = write_file(tmp_path, "timestamp,memory_usage\n1,0.5\n2,0.5\n", "other.csv")
    code, _, err = admin("backtest", str(other))
    assert code == 1
    assert "cpu_usage" in err
    assert admin("backtest", str(trace), str(other), "--predictions", str(tmp_path / "x"))[0] == 2


def test_backtest_plots_with_matplotlib_only(admin, tmp_path, monkeypatch):
    trace = exported(admin, tmp_path)
    assert admin("backtest", str(trace), "--no-retrain", "--plot", str(tmp_path / "p.png"))[0] == 0
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
    code, _, err = admin("backtest", str(trace), "--no-retrain", "--plot", str(tmp_path / "no" / "p.png"))
    assert (code, "p.png" in err) == (1, True)
    code, _, err = admin("backtest", str(trace), "--no-retrain", "--plot", str(tmp_path / "p.nothing"))
    assert (code, "p.nothing" in err) == (1, True)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    code, _, err = admin("backtest", str(trace), "--no-retrain", "--plot", str(tmp_path / "p.png"))
    assert (code, "matplotlib" in err) == (1, True)


def test_reliability_and_precision_equal_hand_computed_values():
    y, p = np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.05, 0.95, 0.92, 0.95])
    assert reliability_curve(y, p) == (pytest.approx([0.05, 0.94]), pytest.approx([0.0, 2 / 3]))
    recall, precision = precision_recall_curve(y, p)
    assert (recall, precision) == (pytest.approx([0.5, 1.0, 1.0]), pytest.approx([0.5, 2 / 3, 0.5]))


def test_export_writes_into_a_fifo(admin, tmp_path):
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


def test_export_follows_a_symbolic_link(admin, tmp_path):
    admin.fill(rows=5)
    (tmp_path / "real").mkdir()
    link, target = tmp_path / "link.csv", tmp_path / "real" / "trace.csv"
    link.symlink_to(target)
    for _ in ("made", "replaced"):
        assert admin("export", str(link))[0] == 0
        assert link.is_symlink()
        assert target.read_text() == admin("export")[1]


def test_import_and_export_name_the_unusable_path(admin, tmp_path):
    admin.fill(rows=5)
    absent = tmp_path / "no" / "trace.csv"
    reason = "No such file or directory"
    assert admin("export", str(absent)) == (1, "", f"monitor: {absent}: cannot be written: {reason}\n")
    assert admin("export", str(tmp_path)) == (1, "", f"monitor: {tmp_path}: cannot be written: Is a directory\n")
    assert admin("import", str(absent)) == (1, "", f"monitor: {absent}: cannot be read: {reason}\n")
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("name", ["picture.png", "picture.svg", "picture"])
def test_plot_format_follows_the_file_name(tmp_path, name):
    pytest.importorskip("matplotlib")
    replayed = SimpleNamespace(
        horizons=(60.0,),
        times=np.arange(4.0),
        labels=np.array([[0.0], [1.0], [0.0], [1.0]]),
        probabilities=np.full((4, 1), 0.5),
        state=np.zeros(4),
        load_index=np.ones(4),
    )
    plot_backtest(replayed, tmp_path / name)
    head = (tmp_path / name).read_bytes()[:100]
    assert (b"<?xml" if name.endswith("svg") else b"\x89PNG") in head
    with pytest.raises(MonitorError, match=r"picture\.png: cannot be written"):
        plot_backtest(replayed, tmp_path / "no" / "picture.png")
