"""State of the anomaly detection."""

from dataclasses import replace

import numpy as np
import pytest

from model.anomaly.resampling import MAX_GAP, WARM_UP_ROWS
from monitor.config.loader import Config
from monitor.config.schema import AnomalySection
from monitor.queries.detection import read_detection
from monitor.training.coverage import HistoryCoverage
from monitor.training.records import CompletedRun, RegisteredModel
from monitor.training.report import TrainingReport
from monitor.training.report_parts import DetectorReport
from storage import AnomalyRecord, Sample, TrainingOutcome
from tests.unit.monitor.conftest import NOW

pytestmark = pytest.mark.unit

CONFIG = Config()
NO_MINIMUM = replace(CONFIG, anomaly=AnomalySection(min_history=0.0))


def model(**detector):
    report = TrainingReport(NOW, NOW, 0, detector=DetectorReport(**detector))
    return RegisteredModel(1, NOW, "a" * 64, 10, report, NOW)


def run(**detector):
    report = TrainingReport(NOW, NOW, 0, detector=DetectorReport(**detector))
    return CompletedRun(NOW, NOW, TrainingOutcome.SKIPPED, "", None, report)


def test_detection_serves_with_a_detector_of_the_model(stores):
    state = read_detection(stores, CONFIG, HistoryCoverage(stores, CONFIG), model(at=NOW, step=60.0), None, NOW)
    assert (state.detecting, state.waiting_for, state.active, state.recent) == (True, "", None, 0)
    assert state.allowed == CONFIG.anomaly.false_alarms_per_month


def test_detection_has_the_active_event_and_counts_recent_ones(stores):
    for started, ended in ((NOW - 40 * 86400, NOW - 39 * 86400), (NOW - 86400, NOW - 80_000), (NOW - 60, None)):
        stores.anomalies.add(AnomalyRecord(started, ended, 0.9, started, "spike", {"cpu_usage": 1.0}, 1))
    state = read_detection(stores, CONFIG, HistoryCoverage(stores, CONFIG), model(at=NOW, step=60.0), None, NOW)
    assert (state.active.started_at, state.recent) == (NOW - 60, 2)


@pytest.mark.parametrize(
    ("config", "serving"),
    [
        (replace(CONFIG, anomaly=AnomalySection(enabled=False)), model(at=NOW, step=60.0)),
        (CONFIG, model(at=NOW, step=0.5)),
        (CONFIG, model(reason="no metric varies")),
        (CONFIG, None),
        (NO_MINIMUM, None),
    ],
    ids=["disabled", "shorter rows", "no detector", "too little history", "no training"],
)
def test_detection_waits_with_a_reason(stores, config, serving):
    state = read_detection(stores, config, HistoryCoverage(stores, config), serving, None, NOW)
    assert (state.detecting, bool(state.waiting_for)) == (False, True)


def test_detection_names_the_reason_of_the_last_training(stores):
    state = read_detection(
        stores, NO_MINIMUM, HistoryCoverage(stores, NO_MINIMUM), None, run(reason="no metric varies"), NOW
    )
    assert state.waiting_for == "no metric varies"


@pytest.mark.parametrize(
    ("missing_rows", "rows_since", "expected"),
    [
        (0, 30, None),
        (MAX_GAP, 5, None),
        (MAX_GAP + 1, 0, WARM_UP_ROWS + 1),
        (MAX_GAP + 1, 5, WARM_UP_ROWS + 1 - 5),
        (200, WARM_UP_ROWS, 1),
        (200, WARM_UP_ROWS + 1, None),
    ],
)
def test_detection_states_when_scores_resume_after_a_gap(stores, missing_rows, rows_since, expected):
    step = 60.0
    row = NOW // step
    before = row - rows_since - missing_rows - 1 - np.arange(40)
    after = row - np.arange(rows_since + 1)
    times = np.sort(np.concatenate((before, after))) * step
    stores.samples.append_many([Sample(at=at, cpu_usage=10.0) for at in times.tolist()])
    coverage = HistoryCoverage(stores, CONFIG)
    state = read_detection(stores, CONFIG, coverage, model(at=NOW, step=step), None, row * step + 30)
    assert state.scores_from == (None if expected is None else (row + expected) * step)


def test_detection_without_recent_samples_has_no_time_of_the_next_score(stores):
    state = read_detection(stores, CONFIG, HistoryCoverage(stores, CONFIG), model(at=NOW, step=60.0), None, NOW)
    assert state.scores_from is None
