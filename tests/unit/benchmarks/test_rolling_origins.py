import numpy as np
import pytest

from benchmarks import rolling_origins
from benchmarks.origin_records import bootstrap_interval, figures, load_record, mean_over_origins, write_record
from benchmarks.rolling_origins import SERVED, Job, high_load_bound, score_origin
from model.errors import NotEnoughHistoryError

pytestmark = pytest.mark.unit


def test_high_load_bound_is_80_percent_or_95th_percentile_or_none():
    load = np.linspace(0, 0.5, 1001)
    assert high_load_bound(np.where(load > 0.497, 0.8, load)) == 0.8
    assert high_load_bound(np.append(load, np.nan)) == pytest.approx(0.475)
    assert high_load_bound(load / 10) is None


def test_score_origin_serves_pretrained_model_without_history(monkeypatch, tmp_path):
    def no_history(*_):
        raise NotEnoughHistoryError("no events")

    monkeypatch.setattr(rolling_origins, "train", no_history)
    times = 1.7e9 + 300 * np.arange(2000)
    row = np.arange(2000) % 40
    # A rise of half an hour before each onset.
    load = np.where(row < 2, 0.95, np.where(row > 33, 0.1 + 0.1 * (row - 33), 0.1))
    path = tmp_path / "set" / "host.csv"
    path.parent.mkdir()
    rows = [f"{at:.0f},{value:g}" for at, value in zip(times, load, strict=True)]
    path.write_text("\n".join(["timestamp,cpu_usage", *rows]) + "\n")
    job = Job(path, 0.5, 0.8, 0)
    scores = score_origin(job)
    assert job.machine == "set/host"
    assert set(scores) == {f"{SERVED}, {task}, {h}" for task in ("onset", "all times") for h in ("5m", "15m", "1h")}
    # Each onset has 3 labels of 38 calm rows; the pretrained model recognises a rise.
    assert scores[f"{SERVED}, onset, 15m"][0] > 3 / 38
    assert score_origin(Job(path, 0.5, 0.51, 0)) == {}


def test_record_has_mean_scores_of_each_machine_and_is_compared_in_pairs(tmp_path):
    key = "served, onset, 15m"
    machines = mean_over_origins(
        [
            ("a/x", {key: [0.2, 0.1, 0.01]}),
            ("a/x", {key: [0.4, 0.3, 0.03]}),
            ("a/y", {key: [0.5, 0.2, 0.02]}),
            ("b", {}),
        ]
    )
    assert machines == {"a/x": {key: [0.3, 0.2, 0.02]}, "a/y": {key: [0.5, 0.2, 0.02]}}
    write_record(tmp_path / "one.json", "text", 1.26, machines)
    assert load_record(tmp_path / "one.json") == machines
    other = {"a/x": {key: [0.2, 0.1, 0.03]}, "a/y": {key: [0.2, 0.1, 0.03]}}
    values = {figure.name: figure.value for figure in figures(machines, other)}
    label = f"a, {key}: average precision over 2 machines"
    assert values[label] == pytest.approx(0.4)
    assert values[f"{label}, difference"] == pytest.approx(0.2)
    assert values[f"{label}, difference, 2.5 %"] == pytest.approx(0.1)
    assert values[f"{label}, difference, 97.5 %"] == pytest.approx(0.3)


def test_bootstrap_interval_contains_mean_and_narrows_with_machines():
    few = np.array([0.01, 0.02, 0.06])
    intervals = [bootstrap_interval(few), bootstrap_interval(np.tile(few, 100))]
    assert all(low < 0.03 < high for low, high in intervals)
    widths = [high - low for low, high in intervals]
    assert widths[1] == pytest.approx(widths[0] / 10, rel=0.3)
