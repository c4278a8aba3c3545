"""Detectors in the model registry: block maxima over restarts, replacement, and reasons for none."""

from dataclasses import replace

import numpy as np
import pytest

from model.anomaly.scoring.channels import SCORE_PARTS
from monitor.config.schema import AnomalySection, SamplingSection
from monitor.queries.status import read_overview
from monitor.training.bootstrap_model import ensure_bootstrap_model
from monitor.training.records import read_model
from monitor.training.report_parts import DetectorSkipReason
from monitor.training.retrain import Request, retrain
from monitor.training.train_detector import detector_key, train_detector
from storage import open_database

from .hosts import CONFIG, DAY, HOUR, SLOT, START, TRAINING_END, Host, samples_between, training_samples

pytestmark = pytest.mark.integration


def test_block_maxima_survive_a_restart(stores):
    host = Host(stores)
    host.advance(4 * HOUR)
    key = detector_key(stores.registry.detector(stores.registry.active_id()))
    stored = stores.anomalies.peaks(key, TRAINING_END)
    # The last of eight half hours is not over.
    assert len(stored) == 7 * len(SCORE_PARTS)
    host.restart()
    host.advance(HOUR / 6)
    for peak in stored:
        maxima = host.block_maxima.get(int(peak.at // SLOT))
        assert maxima[SCORE_PARTS.index(peak.channel)] == pytest.approx(peak.peak, rel=0.2)


def test_block_maxima_are_shared_by_models_with_the_same_detector(stores):
    host = Host(stores)
    host.advance(16 * HOUR)
    first = stores.registry.active_id()
    levels = host.thresholds.levels
    record = stores.registry.record(first)
    detector = stores.registry.detector(first)
    second = stores.registry.register(stores.registry.blob(first), record.report_json, host.now, detector)
    stores.registry.promote(second, host.now)
    host.advance(HOUR / 6)
    slots = range(int((TRAINING_END + 13 * HOUR) // SLOT), int(host.now // SLOT) - 1)
    assert all(host.block_maxima.get(slot) is not None for slot in slots)
    assert host.thresholds.levels == pytest.approx(levels, rel=0.3)


def test_detector_with_rows_shorter_than_the_sampling_interval_is_replaced(stores):
    host = Host(stores, interval=300.0)
    assert host.advance(HOUR / 6) is None
    slower = replace(CONFIG, sampling=SamplingSection(interval=300.0))
    detection = read_overview(stores, slower, host.now).detection
    assert not detection.detecting
    samples = stores.samples.between(0.0, host.now)
    report = train_detector(stores, slower, samples[:, 0], samples[:, 1:], host.now).report
    assert (report.step, report.kept) == (300.0, False)


def test_damaged_detector_is_reported_and_replaced(stores, caplog):
    host = Host(stores)
    model = stores.registry.active_id()
    blob = bytearray(stores.registry.detector(model))
    blob[len(blob) // 2] ^= 1
    with open_database(f"sqlite:///{stores.database.name}") as database, database.writing() as connection:
        connection.exec_driver_sql("UPDATE models SET detector = ? WHERE id = ?", (bytes(blob), model))
    assert host.advance(HOUR / 6) is None
    assert "model quarantined" in [record.message for record in caplog.records]
    samples = stores.samples.between(0.0, host.now)
    assert not train_detector(stores, CONFIG, samples[:, 0], samples[:, 1:], host.now).report.kept


def test_training_before_the_first_start_stores_a_detector(empty_stores):
    empty_stores.samples.insert_missing(training_samples())
    result = retrain(empty_stores, CONFIG, Request(), lambda _: None, lambda: TRAINING_END)
    active = empty_stores.registry.active_id()
    assert empty_stores.registry.detector(active) is not None
    stored = read_model(empty_stores, active).report.detector
    assert stored.metrics == result.report.detector.metrics
    assert len(stored.metrics) == 5


def test_training_without_variation_reports_the_reason(empty_stores):
    samples = training_samples()
    samples[:, 1:] = np.where(np.isnan(samples[:, 1:]), np.nan, 0.25)
    empty_stores.samples.insert_missing(samples)
    result = retrain(empty_stores, CONFIG, Request(), lambda _: None, lambda: TRAINING_END)
    assert result.report.detector.skip_reason is DetectorSkipReason.NO_VARIATION
    detection = read_overview(empty_stores, CONFIG, TRAINING_END).detection
    assert detection.waiting_for == result.report.detector.reason


def test_short_history_reports_the_reason(empty_stores):
    samples = samples_between(START, START + DAY, 0)
    empty_stores.samples.insert_missing(samples)
    ensure_bootstrap_model(empty_stores, CONFIG, START + DAY)
    training = train_detector(empty_stores, CONFIG, samples[:, 0], samples[:, 1:], START + DAY)
    assert (training.blob, training.report.skip_reason) == (None, DetectorSkipReason.HISTORY_TOO_SHORT)
    detection = read_overview(empty_stores, CONFIG, START + DAY).detection
    assert not detection.detecting
    assert detection.waiting_for


def test_disabled_detection_reports_the_reason(empty_stores):
    samples = samples_between(START, START + DAY, 0)
    disabled = replace(CONFIG, anomaly=AnomalySection(enabled=False))
    training = train_detector(empty_stores, disabled, samples[:, 0], samples[:, 1:], START + DAY)
    assert training.report.skip_reason is DetectorSkipReason.DISABLED
