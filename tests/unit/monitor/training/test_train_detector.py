"""Tests of the detector training: when one is due, what is kept, and the reasons."""

from dataclasses import replace

import numpy as np
import pytest

from model.anomaly.backtest import DetectorValidation
from model.anomaly.serialization import loads_detector
from monitor.config.loader import Config
from monitor.config.schema import AnomalySection, SamplingSection
from monitor.stores import open_stores
from monitor.training import train_detector as module
from monitor.training.report import TrainingReport
from monitor.training.report_parts import DetectorSkipReason
from monitor.training.train_detector import detector_key, promote_detector, train_detector
from storage import SAMPLE_FIELDS, AnomalyRecord, Verdict

pytestmark = pytest.mark.unit

STEP = 300.0
DAY = 86400.0
START = 1.7e9 - 1.7e9 % DAY
NOW = START + 8 * DAY
CONFIG = replace(Config(), sampling=SamplingSection(interval=STEP))
REPORT = TrainingReport(START, NOW, 0)


@pytest.fixture
def stores():
    with open_stores("sqlite://") as opened:
        yield opened


@pytest.fixture(scope="module")
def history():
    """Return times and values of eight days."""
    times = np.arange(START, NOW, STEP)
    rng = np.random.default_rng(0)
    values = np.full((len(times), len(SAMPLE_FIELDS)), np.nan)
    for name in ("cpu_usage", "memory_usage"):
        noise = np.convolve(rng.normal(size=len(times)), np.ones(5) / 5, "same")
        values[:, SAMPLE_FIELDS.index(name)] = 0.3 + 0.1 * np.sin(2 * np.pi * times / DAY) + 0.03 * noise
    return times, values


def activate(stores, training):
    """Register and promote a model with the detector of a training."""
    report = replace(REPORT, detector=training.report).to_json()
    model_id = stores.registry.register(b"predictor", report, NOW, training.blob)
    stores.registry.promote(model_id, NOW)
    return model_id


def test_training_fits_a_detector(stores, history):
    training = train_detector(stores, CONFIG, *history, NOW)
    report = training.report
    assert loads_detector(training.blob).metrics == report.metrics == ("cpu_usage", "memory_usage")
    assert (report.at, report.step, report.excluded_share) == (NOW, STEP, 0.0)
    assert (report.skip_reason, report.reason, report.kept) == (None, "", False)
    assert report.validation.allowed == CONFIG.anomaly.false_alarms_per_month


def test_training_is_skipped_if_disabled(stores, history):
    config = replace(CONFIG, anomaly=AnomalySection(enabled=False))
    training = train_detector(stores, config, *history, NOW)
    assert (training.blob, training.report.skip_reason) == (None, DetectorSkipReason.DISABLED)


def test_training_is_skipped_for_a_short_history(stores, history):
    times, values = (array[:288] for array in history)
    training = train_detector(stores, CONFIG, times, values, times[-1])
    assert (training.blob, training.report.skip_reason) == (None, DetectorSkipReason.HISTORY_TOO_SHORT)


def test_training_is_skipped_without_variation(stores, history):
    times, values = history
    training = train_detector(stores, CONFIG, times, np.where(np.isnan(values), np.nan, 0.25), NOW)
    assert (training.blob, training.report.skip_reason) == (None, DetectorSkipReason.NO_VARIATION)


def test_training_rejects_a_detector_beyond_its_budget(stores, history, monkeypatch):
    monkeypatch.setattr(module, "validate_detector", lambda *_: DetectorValidation(12, 7, 2.0))
    training = train_detector(stores, CONFIG, *history, NOW)
    assert (training.blob, training.report.skip_reason) == (None, DetectorSkipReason.TOO_MANY_ALARMS)


def test_training_keeps_a_recent_detector(stores, history):
    first = train_detector(stores, CONFIG, *history, NOW)
    activate(stores, first)
    second = train_detector(stores, CONFIG, *history, NOW + 60.0)
    assert second.blob == first.blob
    assert (second.report.skip_reason, second.report.kept) == (DetectorSkipReason.NOT_DUE, True)
    assert second.report.metrics == first.report.metrics


def test_training_replaces_an_old_detector(stores, history):
    activate(stores, train_detector(stores, CONFIG, *history, NOW))
    assert not train_detector(stores, CONFIG, *history, NOW + 3 * DAY).report.kept


def test_training_excludes_an_incident_after_its_verdict(stores, history):
    activate(stores, train_detector(stores, CONFIG, *history, NOW))
    record = AnomalyRecord(
        started_at=NOW - DAY,
        ended_at=NOW - DAY / 2,
        peak=0.9,
        peak_at=NOW - DAY,
        channel="joint",
        contributions={"cpu_usage": 1.0},
        model_id=1,
    )
    stores.anomalies.set_verdict(stores.anomalies.add(record), Verdict.INCIDENT, None, NOW + 30.0)
    training = train_detector(stores, CONFIG, *history, NOW + 60.0)
    assert not training.report.kept
    assert training.report.excluded_share == pytest.approx(1 / 16)


def test_training_replaces_a_detector_with_rows_shorter_than_the_sampling_interval(stores, history):
    activate(stores, train_detector(stores, CONFIG, *history, NOW))
    slower = replace(CONFIG, sampling=SamplingSection(interval=2 * STEP))
    training = train_detector(stores, slower, *history, NOW + 60.0)
    assert (training.report.step, training.report.kept) == (2 * STEP, False)


def test_training_replaces_an_unreadable_detector(stores, history):
    first = train_detector(stores, CONFIG, *history, NOW)
    activate(stores, replace(first, blob=first.blob[:-50] + bytes(50)))
    assert train_detector(stores, CONFIG, *history, NOW + 60.0).blob == replace(first).blob


def test_promote_detector_registers_it_with_the_active_predictor(stores, history):
    first = stores.registry.register(b"predictor", REPORT.to_json(), START, None)
    stores.registry.promote(first, START)
    training = train_detector(stores, CONFIG, *history, NOW)
    model_id = promote_detector(stores, training, NOW)
    assert stores.registry.active_id() == model_id != first
    assert stores.registry.blob(model_id) == b"predictor"
    assert stores.registry.detector(model_id) == training.blob


def test_promote_detector_ignores_a_kept_detector(stores, history):
    training = train_detector(stores, CONFIG, *history, NOW)
    assert promote_detector(stores, training, NOW) is None
    activate(stores, training)
    kept = train_detector(stores, CONFIG, *history, NOW + 60.0)
    assert promote_detector(stores, kept, NOW + 60.0) is None


def test_detector_key_depends_on_the_bytes():
    assert len(detector_key(b"a")) == 16
    assert detector_key(b"a") != detector_key(b"b")
