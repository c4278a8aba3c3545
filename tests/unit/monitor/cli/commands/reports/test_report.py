"""`monitor report`."""

import time
from dataclasses import replace

import pytest

from monitor.cli.exit_codes import ExitCode
from storage import AnomalyRecord, CapacityRow

pytestmark = pytest.mark.unit

DAY = 86400.0


@pytest.mark.parametrize(("arguments", "days"), [([], 7), (["--since", "30d"], 30), (["--since", "-1d"], 1)])
def test_report_covers_the_requested_period(run, arguments, days):
    run.add_samples(time.time())
    result = run("report", "--json", *arguments)
    assert result.code == ExitCode.DONE
    assert result.document["since"] == pytest.approx(time.time() - days * DAY, abs=60)
    assert result.document["anomalies"]["anomalies"] == 0
    assert result.document["anomalies"]["days"] == pytest.approx(days, abs=0.01)


def test_report_prints_text_by_default(run):
    run.add_samples(time.time())
    result = run("report")
    assert (result.code, result.output[:1] != "{") == (ExitCode.DONE, True)


def test_report_lists_warnings_with_their_processes(run, process_snapshot):
    run.add_samples(time.time())
    with run.stores() as stores:
        stores.process_snapshots.add([replace(process_snapshot, started_at=time.time() - 60)])
    (warning,) = run("report", "--json").document["warnings"]
    assert (warning["horizon"], [process["name"] for process in warning["processes"]["processes"]]) == (300, ["java"])
    assert run("report", "--since", "30s", "--json").document["warnings"] == []


@pytest.mark.parametrize(("outcomes", "brier"), [(95, None), (96, 0.25)])
def test_report_scores_capacity_predictions_of_the_period(run, outcomes, brier):
    now = time.time() // 900 * 900
    run.add_samples(now)
    with run.stores() as stores:
        disk = stores.capacity.resource_id("filesystem", "/", "", now)
        times = [now - 900.0 * (i + 1) for i in range(outcomes)]
        rows = [CapacityRow(disk, at, 1.0, 1.0, 2.0, None, 0.9, 0.5, 0.5, None, 1.0, 0.0, 0.1) for at in times]
        stores.capacity.add(rows)
        stores.capacity.set_outcomes(disk, dict.fromkeys(times, 1))
    capacity = run("report", "--json").document["capacity"]
    scores = {score["predictor"]: score for score in capacity["scores"]}
    assert set(scores) == {"model", "predict_linear", "persistence", "base_rate"}
    assert (scores["model"]["scored"], scores["model"]["brier"], capacity["outcomes_needed"]) == (outcomes, brier, 96)
    assert (brier is None) == ("not enough data yet" in run("report").output)
    assert run("report", "--since", "60s", "--json").document["capacity"]["scores"] == []


@pytest.mark.parametrize(("since", "anomalies"), [("60d", 1), ("30d", 0)])
def test_report_counts_the_anomalies_of_the_period(run, since, anomalies):
    now = time.time()
    run.add_samples(now)
    started_at = now - 40 * DAY
    with run.stores() as stores:
        stores.anomalies.add(
            AnomalyRecord(started_at, started_at + 60, 0.9, started_at, "joint", {"cpu_usage": 1.0}, 1)
        )
    assert run("report", "--since", since, "--json").document["anomalies"]["anomalies"] == anomalies
