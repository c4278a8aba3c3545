"""Model checks: serving model and anomaly detector."""

from __future__ import annotations

from collections.abc import Iterator

from model.anomaly.serialization import loads_detector
from model.errors import SerializationError
from model.forecast.predictor import Predictor
from model.forecast.serialization import loads
from monitor.config.loader import Config
from monitor.doctor.context import DoctorContext, StoredRecords
from monitor.doctor.results import DATABASE_NOT_READ, failed, ok, skipped, warning
from monitor.documents.doctor import CheckId, CheckResult
from monitor.queries.overview import Overview
from monitor.sampling.history_spacing import spacing_differs
from monitor.system.formatting import approximate_duration, format_count, format_duration
from monitor.training.bootstrap_model import task_differences
from monitor.training.records import RegisteredModel
from storage import ModelPart

OLD_INTERVALS = 2.0
"""Age of a model, in training intervals, above which the check warns."""


def check_model(context: DoctorContext) -> Iterator[CheckResult]:
    """Check that a model serves, can be loaded, fits the configuration and the sampling interval, and is recent."""
    records = context.records
    if records is None:
        yield skipped(CheckId.MODEL, DATABASE_NOT_READ)
        return
    overview = records.overview
    model = overview.model
    if model is None:
        yield warning(CheckId.MODEL, f"no model serves yet: {overview.waiting_for}", _first_model_fix(overview))
        return
    for entry in overview.quarantined_models:
        if entry.part is ModelPart.PREDICTOR:
            message = f"model {entry.model_id} is quarantined: {entry.detail}"
            fix = f"train another one: `monitor retrain`, or try it again: `monitor models activate {entry.model_id}`"
            yield warning(CheckId.MODEL, message, fix)
    predictor, error = _load(model.id, records)
    yield assess_model_bytes(model, predictor, error)
    yield assess_task(model, context.config)
    yield assess_model_age(model, overview, context.config)
    if predictor is not None and not model.pretrained:
        yield assess_model_spacing(predictor.spec.step, context.config.sampling.interval)


def _load(model_id: int, records: StoredRecords) -> tuple[Predictor | None, str]:
    """Load the serving model; return (model, "") or (None, reason why it cannot be loaded)."""
    if records.model is None:
        return None, records.model_error
    try:
        return loads(records.model), ""
    except SerializationError as error:
        return None, f"model {model_id} cannot be loaded: {error}"


def _first_model_fix(overview: Overview) -> str:
    if overview.covered < overview.needed:
        return "wait while the daemon samples, or import a history: `monitor import FILE`"
    return "see the result of a training run: `monitor retrain --dry-run`"


def assess_model_bytes(model: RegisteredModel, predictor: Predictor | None, error: str) -> CheckResult:
    """Return a failure if the serving model cannot be loaded, otherwise ok with its ID, size and checksum.

    Args:
        model: registered model.
        predictor: loaded model; None if it cannot be loaded.
        error: reason why the model cannot be loaded; empty otherwise.
    """
    if predictor is None:
        fix = "return to the previous model: `monitor models rollback`, then train: `monitor retrain`"
        return failed(CheckId.MODEL, error, fix)
    kind = "the pretrained model" if model.pretrained else f"{len(predictor.ensemble.networks)} networks"
    message = f"model {model.id} serves: {kind}, {model.size} bytes, sha256 {model.sha256[:12]} verified"
    return ok(CheckId.MODEL, message)


def assess_task(model: RegisteredModel, config: Config) -> CheckResult:
    """Return a warning if the serving model was fitted for another task than configured, such as other horizons."""
    report = model.report
    if report is None or not (report.pretrained or report.task):
        return skipped(CheckId.MODEL_TASK, f"model {model.id} does not state its task")
    differences = task_differences(report, config)
    if differences:
        message = f"model {model.id} was fitted for other {', '.join(differences)} than configured"
        fix = "run `monitor retrain`; after a restart of the daemon the pretrained model serves until then"
        return warning(CheckId.MODEL_TASK, message, fix)
    horizons = ", ".join(format_duration(horizon) for horizon in config.high_load.horizons)
    return ok(CheckId.MODEL_TASK, f"fitted for the configured rules and horizons ({horizons})")


def assess_model_age(model: RegisteredModel, overview: Overview, config: Config) -> CheckResult:
    """Return a warning if the serving model is older than OLD_INTERVALS training intervals and not pretrained."""
    age = max(0.0, overview.at - model.created_at)
    if model.pretrained:
        # Not a problem: the check of the training runs reports why no other model serves.
        message = f"the pretrained model has served for {approximate_duration(age)}; {overview.waiting_for}"
        return ok(CheckId.MODEL_AGE, message)
    if age > OLD_INTERVALS * config.training.interval:
        interval = approximate_duration(config.training.interval)
        fix = "see why no candidate passes the gate: `monitor status`, `monitor retrain --dry-run`"
        return warning(CheckId.MODEL_AGE, f"{approximate_duration(age)} old, training.interval is {interval}", fix)
    return ok(CheckId.MODEL_AGE, f"{approximate_duration(age)} old")


def assess_model_spacing(spacing: float, interval: float) -> CheckResult:
    """Return a warning if the median spacing of the training samples differs from the sampling interval.

    Imported samples may be spaced differently from live samples; `spacing_differs` defines the tolerance.

    Args:
        spacing: median spacing of the training history, in seconds.
        interval: configured seconds between two samples.
    """
    trained = f"trained on samples {approximate_duration(spacing)} apart"
    if not spacing_differs(spacing, interval):
        return ok(CheckId.MODEL_SPACING, trained)
    live = approximate_duration(interval)
    fix = f"keep sampling: training runs use {live} once most samples of the history are live (docs/how-to/import.md)"
    return warning(CheckId.MODEL_SPACING, f"{trained}, sampling.interval is {live}", fix)


def check_detector(context: DoctorContext) -> Iterator[CheckResult]:
    """Check that the anomaly detector can be loaded; skipped while no detector serves."""
    records = context.records
    if records is None:
        yield skipped(CheckId.DETECTOR, DATABASE_NOT_READ)
        return
    overview = records.overview
    quarantined = [failed for failed in overview.quarantined_models if failed.part is ModelPart.DETECTOR]
    for entry in quarantined:
        message = f"the detector of model {entry.model_id} is quarantined: {entry.detail}"
        yield warning(CheckId.DETECTOR, message, "fit another one: `monitor retrain`")
    if not overview.detection.detecting:
        yield skipped(CheckId.DETECTOR, f"no anomaly detection: {overview.detection.waiting_for}")
        return
    try:
        detector = loads_detector(records.detector or b"")
    except SerializationError as error:
        yield failed(CheckId.DETECTOR, f"cannot be loaded: {error}", "fit another one: `monitor retrain`")
        return
    metrics = format_count(len(detector.metrics), "metric")
    anomalies = format_count(overview.detection.recent, "anomaly", "anomalies")
    message = f"monitors {metrics}, {anomalies} in 30 days"
    yield ok(CheckId.DETECTOR, message)
