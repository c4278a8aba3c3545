"""Status report in each state of the daemon and its models."""

from dataclasses import replace

import pytest

from monitor.config.loader import Config
from monitor.documents.live import HungJob
from monitor.documents.status import status_document
from monitor.documents.storage import StorageStatus
from monitor.queries.detection import DetectionState
from monitor.queries.overview import ServingFallback
from monitor.reports.status import model_line, status_line, status_report
from monitor.sampling.storage_state import StorageState
from monitor.system.formatting import format_time
from monitor.training.bootstrap_model import pretrained_task
from storage import AnomalyRecord, StorageErrorKind, TrainingOutcome
from tests.unit.monitor.conftest import NOW, TRAINING_REPORT, damaged

pytestmark = pytest.mark.unit

EVENT = AnomalyRecord(NOW - 600, None, 0.999, NOW - 120, "joint", {"cpu_usage": 0.75, "disk_busy": 0.25}, 3, id=4)


def without_model(overview):
    return replace(
        overview,
        daemon_running=False,
        model=None,
        covered=725.0,
        last_run=None,
        last_success=None,
        last_sample=None,
        next_retrain_at=None,
        predictions=(),
        scores=(),
        drift={},
        runs={},
    )


def pretrained(overview):
    report = replace(TRAINING_REPORT, pretrained=pretrained_task(Config()))
    run = replace(overview.last_run, outcome=TrainingOutcome.SKIPPED, reason="no high load")
    return replace(overview, model=replace(overview.model, report=report), last_run=run)


def outdated(overview):
    return replace(overview, at=NOW + 60, retrain_running=True, future_at=NOW + 9000)


def imported_with_fallback(overview):
    report = replace(TRAINING_REPORT, imported_from="web7")
    score = replace(overview.scores[0], score=replace(overview.scores[0].score, scored=0))
    return replace(
        overview,
        model=replace(overview.model, report=report),
        fallbacks=(ServingFallback(300.0, "calm", "current value"),),
        scores=(score,),
        detection=DetectionState(recent=3, allowed=2.0, detecting=True),
    )


def inputs_out_of_range(overview):
    return replace(overview, inputs_out_of_range=("cpu_usage", "memory_usage"))


def anomaly_in_progress(overview):
    return replace(overview, detection=DetectionState(active=EVENT, recent=4, allowed=2.0, detecting=True))


def anomaly_without_daemon(overview):
    return replace(anomaly_in_progress(overview), daemon_running=False)


def pinned_log(overview):
    return replace(overview, storage_bytes=105 * 2**20, wal_bytes=100 * 2**20)


STATES = (
    without_model,
    pretrained,
    outdated,
    imported_with_fallback,
    inputs_out_of_range,
    anomaly_in_progress,
    anomaly_without_daemon,
    pinned_log,
    damaged,
)


def test_status_report_matches_golden(overview, assert_golden):
    states = {"full": overview} | {change.__name__: change(overview) for change in STATES}
    assert_golden("status", {name: status_report(status_document(state, "x.db")) for name, state in states.items()})


def test_status_line_states_model_and_predictions(live, overview):
    line = status_line(live, overview, StorageState())
    assert line == "sampling; model 3 serves; high load: 70% within 5 min (warning)"


def test_status_line_leads_with_high_load(live, overview):
    high = replace(live, high_load=True, high_load_since=NOW - 300)
    line = status_line(high, overview, StorageState())
    assert "high load since 07:55 UTC (5 min); it continues or returns: 70% within 5 min" in line


def test_status_line_states_buffered_samples_and_missing_model(live):
    without = replace(live, forecast=None, model_id=None)
    line = status_line(without, None, StorageState(samples_buffered=4))
    assert line == "sampling; 4 samples wait for the database; no model serves yet"
    line = status_line(without, None, StorageState(StorageErrorKind.DISK_FULL, "no space", samples_buffered=4))
    assert line == "sampling; 4 samples wait for the database: disk full; no model serves yet"


def test_status_line_states_unknown_load(live):
    line = status_line(replace(live, forecast=None, high_load=None), None, StorageState())
    assert line == "sampling; model 3 serves; high load unknown"


def test_model_line_states_what_the_first_training_waits_for(live, overview):
    young = replace(overview, model=None, covered=720.0)
    assert model_line(None, young) == "no model serves yet: not enough history: 12 min of the required 2 h"
    assert model_line(live, young).startswith("model 3 serves; no model of this host yet: not enough history")


def test_predictions_of_a_stopped_daemon_are_listed_with_their_time(overview):
    running = str(status_report(status_document(overview, "x.db")))
    stopped = str(status_report(status_document(replace(overview, daemon_running=False), "x.db")))
    line = f"made {format_time(overview.predictions[0].at)}, before the daemon stopped"
    assert (line in running, line in stopped) == (False, True)


def test_status_report_names_problems_of_the_daemon(overview):
    document = status_document(replace(overview, quarantined_files=1), "x.db")
    quiet = str(status_report(replace(document, quarantined_files=0)))
    storage = StorageStatus("disk full", "x.db: no space", 40, 7, 1, 0)
    text = str(status_report(replace(document, storage=storage, hung_jobs=(HungJob("retention", NOW - 600),))))
    added = [line for line in text.splitlines() if line not in quiet.splitlines()]
    assert len(added) == 4
    assert "40 samples in memory" in added[0]
    assert "7 samples lost" in added[1]
    assert "retention hangs since" in added[2]
    assert "1 damaged database moved aside" in added[3]
