"""What a training makes of anomalies: a detector learned from the same samples, kept beside the predictor."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.anomaly.backtest import TRAINING_WINDOW
from model.anomaly.detector import fit_detector
from model.anomaly.resampling import row_interval
from model.anomaly.serialization import dumps_detector, loads_detector
from model.anomaly.validation import validate_detector
from model.array_types import Bools, Floats
from model.errors import NotEnoughHistoryError, SerializationError
from model.features.dataset import covered_seconds, typical_step
from model.training.settings import retrain_delay
from model.units import MINUTE
from monitor.config.loader import Config
from monitor.config.maintenance_windows import RecurringWindow
from monitor.stores import Stores
from monitor.system.formatting import approximate_duration
from monitor.training.records import read_active_model
from monitor.training.report import TrainingReport
from monitor.training.report_parts import DetectorReport, DetectorTrial
from storage import SAMPLE_FIELDS, AnomalyRecord, MaintenanceWindow


@dataclass(frozen=True)
class DetectorTraining:
    """A detector as bytes, None where there is none yet, and what is told of it."""

    blob: bytes | None
    report: DetectorReport


def train_detector(stores: Stores, config: Config, times: Floats, values: Floats, now: float) -> DetectorTraining:
    """Learns a detector, if it is wanted and due; one that alarms too often gives way to the one that serves.

    Args:
        stores: for what the operator has said, and the detector that serves.
        config: what is wanted.
        times: (rows,) seconds of the samples.
        values: (rows, fields) of them.
        now: seconds.

    Raises:
        StorageError: the database cannot be read.
    """
    wanted = config.anomaly
    if not wanted.enabled:
        return DetectorTraining(None, DetectorReport(reason="anomaly.enabled is false"))
    if not _due(stores, times, config, now):
        return _kept(stores, "the one that serves is young")
    interval = config.sampling.interval
    late = times > now - TRAINING_WINDOW
    times, values = times[late], values[late]
    step = typical_step(times, default=1.0)
    covered, needed = covered_seconds(times, step), min(wanted.min_history, TRAINING_WINDOW / 2)
    if covered < needed:
        return _kept(
            stores, f"{approximate_duration(covered)} of the {approximate_duration(needed)} of history it needs"
        )
    out = excluded_times(stores, wanted.maintenance, float(times[0]), now)(times)
    try:
        detector = fit_detector(
            times, np.where(out[:, None], np.nan, values), SAMPLE_FIELDS, row_interval(max(step, interval))
        )
    except NotEnoughHistoryError as error:
        return _kept(stores, str(error))
    trial = validate_detector(detector, wanted.false_alarms_per_month)
    report = DetectorReport(
        at=now,
        metrics=tuple(detector.metrics),
        step=detector.step,
        left_out_share=float(out.mean()),
        trial=DetectorTrial(
            alarms=trial.alarms,
            days=trial.days,
            monthly=None if math.isnan(trial.monthly) else trial.monthly,
            allowed=trial.allowed,
        ),
    )
    if trial.refusal:
        return _kept(stores, trial.refusal)
    return DetectorTraining(dumps_detector(detector), report)


def _due(stores: Stores, times: Floats, config: Config, now: float) -> bool:
    """Whether the detector that serves is old or of no use, or the operator has spoken since it was learned."""
    report = _serving_report(stores)
    if report.at is None or report.step is None or _readable(stores) is None:
        return True
    if report.step < row_interval(config.sampling.interval):
        return True
    age = now - report.at
    spoken = (stores.anomalies.last_verdict_at() or 0.0) > report.at
    return spoken or not 0 <= age < retrain_delay(report.at - float(times[0]), config.training.interval)


def _serving_report(stores: Stores) -> DetectorReport:
    """Return the report of the detector that serves; an empty one if there is none."""
    model = read_active_model(stores)
    if model is None or model.report is None or model.report.detector is None:
        return DetectorReport()
    return model.report.detector


def _readable(stores: Stores) -> bytes | None:
    """The detector that serves, if it can be read."""
    active = stores.registry.active_id()
    blob = None if active is None else stores.registry.detector(active)
    try:
        if blob is not None:
            loads_detector(blob)
    except SerializationError:
        return None
    return blob


def _kept(stores: Stores, reason: str) -> DetectorTraining:
    """The detector that serves goes on, if it can be read."""
    blob = _readable(stores)
    before = DetectorReport() if blob is None else _serving_report(stores)
    return DetectorTraining(blob, replace(before, reason=reason, kept=blob is not None))


def promote_detector(stores: Stores, detecting: DetectorTraining, now: float) -> int | None:
    """Lets a new detector serve beside the predictor that serves already; None where either is not there or not new.

    A host that was never under high load has no predictor of its own to learn, and still is to be watched.

    Args:
        stores: of the database.
        detecting: what was learned.
        now: seconds.

    Returns:
        The id of the model that they make together.
    """
    model = read_active_model(stores)
    if model is None or detecting.blob is None or detecting.report.kept:
        return None
    before = model.report or TrainingReport(model.created_at, model.created_at, 0)
    report = replace(before, detector=detecting.report)
    model_id = stores.registry.register(stores.registry.blob(model.id), report.to_json(), now, detecting.blob)
    stores.registry.promote(model_id, now)
    return model_id


def excluded_times(
    stores: Stores, recurring: Sequence[RecurringWindow], since: float, until: float
) -> Callable[[Floats], Bools]:
    """Says of moments (rows,) whether they are to be forgotten: incidents, and hours of maintenance.

    Args:
        stores: of the database.
        recurring: windows of the configuration.
        since: seconds from which on it is asked.
        until: seconds up to which an anomaly that goes on is one.

    Raises:
        StorageError: the database cannot be read.
    """
    incidents = [a for a in stores.anomalies.since(since) if a.verdict == "incident"]
    spans = [(a.started_at, a.ended_at if a.ended_at is not None else until) for a in incidents]
    spans += [(window.starts_at, window.ends_at) for window in stores.anomalies.maintenance_windows(since)]

    def asked(times: Floats) -> Bools:
        found = np.zeros(len(times), bool)
        for begins, ends in spans:
            found |= (times >= begins) & (times < ends)
        if recurring:
            # windows begin and end at whole minutes: one look at each is enough
            minutes, which = np.unique(times // MINUTE, return_inverse=True)
            within = [any(window.contains(minute * MINUTE) for window in recurring) for minute in minutes.tolist()]
            found |= np.array(within, bool)[which]
        return found

    return asked


def in_maintenance(at: float, windows: Sequence[MaintenanceWindow], recurring: Sequence[RecurringWindow]) -> bool:
    """Whether a moment (seconds) lies in one of the windows."""
    return any(window.starts_at <= at < window.ends_at for window in windows) or any(
        window.contains(at) for window in recurring
    )


def detector_key(detector: bytes) -> str:
    """What a detector's evidence is kept under: models that have the same one share it."""
    return hashlib.sha256(detector).hexdigest()[:16]


def expected_slots(anomalies: Sequence[AnomalyRecord], slot: float, now: float) -> list[int]:
    """The slots (of `slot` seconds) of those that the operator has called expected, up to now if they go on."""
    return [
        number
        for anomaly in anomalies
        if anomaly.verdict == "expected"
        for number in range(int(anomaly.started_at // slot), int((anomaly.ended_at or now) // slot) + 1)
    ]
