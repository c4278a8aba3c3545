"""Detector training: fit, false-alarm check and promotion of the anomaly detector."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace

import numpy as np

from model.anomaly.backtest import TRAINING_WINDOW, DetectorValidation, validate_detector
from model.anomaly.detector import DetectorFitError, FitRefusal, fit_detector
from model.anomaly.resampling import row_interval
from model.anomaly.serialization import dumps_detector, loads_detector
from model.array_types import Floats
from model.errors import SerializationError
from model.features.dataset import covered_seconds, typical_step
from model.features.rows import Rows, rows_between
from model.training.settings import retrain_delay
from monitor.config.loader import Config
from monitor.stores import Stores
from monitor.system.formatting import approximate_duration
from monitor.training.exclusions import excluded_from_training
from monitor.training.records import read_active_model
from monitor.training.report import TrainingReport
from monitor.training.report_parts import DetectorReport, DetectorSkipReason, DetectorValidationReport
from storage import SAMPLE_FIELDS

KEY_LENGTH = 16

FIT_SKIP_REASONS = {
    FitRefusal.TOO_SHORT: DetectorSkipReason.HISTORY_TOO_SHORT,
    FitRefusal.NO_VARIATION: DetectorSkipReason.NO_VARIATION,
    FitRefusal.GAPS: DetectorSkipReason.HISTORY_GAPS,
}


@dataclass(frozen=True)
class DetectorTraining:
    """Result of detector training: the detector to store with a model, and its report.

    Attributes:
        blob: serialized detector, either new or that of the active model; None if there is none.
        report: description of the detector, and the reason why it is not new.
    """

    blob: bytes | None
    report: DetectorReport

    @property
    def is_new(self) -> bool:
        """True if a new detector was fitted and accepted."""
        return self.blob is not None and not self.report.kept


def train_detector(stores: Stores, config: Config, times: Floats, values: Rows, now: float) -> DetectorTraining:
    """Train a detector if one is due; keep the active detector if none is due or the new one is not accepted.

    Args:
        stores: repositories of the database, for verdicts, maintenance windows and the active detector.
        config: configuration.
        times: (rows,) times of the samples in seconds since the epoch, increasing.
        values: (rows, fields) values of the samples, NaN where missing.
        now: seconds since the epoch.

    Raises:
        StorageError: the database cannot be read.
    """
    anomaly = config.anomaly
    if not anomaly.enabled:
        reason = DetectorSkipReason.DISABLED
        return DetectorTraining(None, DetectorReport(skip_reason=reason, reason="anomaly.enabled is false"))
    if not _is_due(stores, times, config, now):
        return _keep_active(stores, DetectorSkipReason.NOT_DUE, "the active detector is recent")
    first = int(np.searchsorted(times, now - TRAINING_WINDOW, side="right"))
    values = rows_between(values, first, len(times))
    times = times[first:]
    covered = covered_seconds(times, typical_step(times, default=1.0))
    needed = min(anomaly.min_history, TRAINING_WINDOW / 2)
    if covered < needed:
        required = approximate_duration(needed)
        message = f"the history of {approximate_duration(covered)} is shorter than the required {required}"
        return _keep_active(stores, DetectorSkipReason.HISTORY_TOO_SHORT, message)
    return _fit_and_validate(stores, config, times, values, now)


def _fit_and_validate(stores: Stores, config: Config, times: Floats, values: Rows, now: float) -> DetectorTraining:
    """Fit a detector; keep the active one if the fit fails or the false-alarm check rejects the new one."""
    excluded = excluded_from_training(stores, config.anomaly.maintenance, times, now)
    row_length = row_interval(max(typical_step(times, default=1.0), config.sampling.interval))
    try:
        detector = fit_detector(times, values, SAMPLE_FIELDS, row_length, excluded)
    except DetectorFitError as error:
        return _keep_active(stores, FIT_SKIP_REASONS[error.reason], str(error))
    validation = validate_detector(detector, config.anomaly.false_alarms_per_month)
    if not validation.is_accepted:
        message = (
            f"{validation.alarms} alarms in {validation.days} days of the history exceed the budget of"
            f" {validation.allowed:g} per 30 days"
        )
        return _keep_active(stores, DetectorSkipReason.TOO_MANY_ALARMS, message)
    report = DetectorReport(
        at=now,
        metrics=detector.metrics,
        step=detector.step,
        excluded_share=float(excluded.mean()),
        validation=_validation_report(validation),
    )
    return DetectorTraining(dumps_detector(detector), report)


def _validation_report(validation: DetectorValidation) -> DetectorValidationReport:
    return DetectorValidationReport(
        alarms=validation.alarms,
        days=validation.days,
        monthly=None if math.isnan(validation.monthly) else validation.monthly,
        allowed=validation.allowed,
    )


def _is_due(stores: Stores, times: Floats, config: Config, now: float) -> bool:
    """Return True if the active detector is missing, unusable, outdated, or older than the newest verdict."""
    report = _active_report(stores)
    if report.at is None or report.step is None or _active_blob(stores) is None:
        return True
    if report.step < row_interval(config.sampling.interval):
        return True
    verdict_at = stores.anomalies.last_verdict_at()
    if verdict_at is not None and verdict_at > report.at:
        return True
    age = now - report.at
    return not 0 <= age < retrain_delay(report.at - float(times[0]), config.training.interval)


def _active_report(stores: Stores) -> DetectorReport:
    """Return the report of the active model's detector; an empty report if there is none."""
    model = read_active_model(stores)
    if model is None or model.report is None or model.report.detector is None:
        return DetectorReport()
    return model.report.detector


def _active_blob(stores: Stores) -> bytes | None:
    """Return the bytes of the active model's detector; None if there is none or it cannot be read."""
    active = stores.registry.active_id()
    blob = None if active is None else stores.registry.detector(active)
    if blob is None:
        return None
    try:
        loads_detector(blob)
    except SerializationError:
        return None
    return blob


def _keep_active(stores: Stores, skip_reason: DetectorSkipReason, message: str) -> DetectorTraining:
    """Return the detector of the active model, if it can be read, with the reason why it was not replaced."""
    blob = _active_blob(stores)
    report = DetectorReport() if blob is None else _active_report(stores)
    return DetectorTraining(blob, replace(report, skip_reason=skip_reason, reason=message, kept=blob is not None))


def promote_detector(stores: Stores, training: DetectorTraining, now: float) -> int | None:
    """Register and promote a new detector together with the predictor of the active model.

    Hosts without high load in their history have no fitted predictor; they get a detector in this way.

    Args:
        stores: repositories of the database.
        training: result of `train_detector`.
        now: seconds since the epoch.

    Returns:
        The ID of the new model; None if there is no active model or no new detector.
    """
    model = read_active_model(stores)
    if model is None or training.blob is None or not training.is_new:
        return None
    active_report = model.report or TrainingReport(model.created_at, model.created_at, 0)
    report = replace(active_report, detector=training.report)
    model_id = stores.registry.register(stores.registry.blob(model.id), report.to_json(), now, training.blob)
    stores.registry.promote(model_id, now)
    return model_id


def detector_key(blob: bytes) -> str:
    """Return the key under which block maxima of a detector are stored; models with the same detector share them."""
    return hashlib.sha256(blob).hexdigest()[:KEY_LENGTH]
