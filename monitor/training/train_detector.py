"""What a training makes of anomalies: a detector learned from the same samples, kept beside the predictor."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from model.anomaly.backtest import TRAINING_WINDOW, validate_detector
from model.anomaly.detector import fit_detector
from model.anomaly.resampling import row_interval
from model.anomaly.serialization import dumps_detector, loads_detector
from model.array_types import Floats
from model.errors import NotEnoughHistoryError, SerializationError
from model.features.dataset import covered_seconds, typical_step
from model.training.retrain_policy import retrain_delay
from monitor.config.durations import about
from monitor.config.loader import Config
from monitor.stores import Stores
from monitor.training.exclusions import excluded_from_training
from storage import SAMPLE_FIELDS, ModelRecord


@dataclass(frozen=True)
class DetectorTraining:
    """A detector as bytes, None where there is none yet, and what is told of it."""

    blob: bytes | None
    report: dict[str, Any]


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
        return DetectorTraining(None, {"reason": "anomaly.enabled is false"})
    if not _due(stores, times, config, now):
        return _kept(stores, "the one that serves is young")
    interval = config.sampling.interval
    late = times > now - TRAINING_WINDOW
    times, values = times[late], values[late]
    step = typical_step(times, default=1.0)
    covered, needed = covered_seconds(times, step), min(wanted.min_history, TRAINING_WINDOW / 2)
    if covered < needed:
        return _kept(stores, f"{about(covered)} of the {about(needed)} of history it needs")
    out = excluded_from_training(stores, wanted.maintenance, times, now)
    try:
        detector = fit_detector(
            times, np.where(out[:, None], np.nan, values), SAMPLE_FIELDS, row_interval(max(step, interval))
        )
    except NotEnoughHistoryError as error:
        return _kept(stores, str(error))
    trial = validate_detector(detector, wanted.false_alarms_per_month)
    report = {
        "at": now,
        "metrics": detector.metrics,
        "step": detector.step,
        "left_out_share": float(out.mean()),
        "trial": {
            "alarms": trial.alarms,
            "days": trial.days,
            "monthly": None if math.isnan(trial.monthly) else trial.monthly,
            "allowed": trial.allowed,
        },
    }
    if not trial.is_accepted:
        refusal = (
            f"it would have raised {trial.alarms} alarms in {trial.days} days of its own past, where"
            f" {trial.allowed:g} in 30 are allowed"
        )
        return _kept(stores, refusal)
    return DetectorTraining(dumps_detector(detector), report)


def _due(stores: Stores, times: Floats, config: Config, now: float) -> bool:
    """Whether the detector that serves is old or of no use, or the operator has spoken since it was learned."""
    active = stores.registry.active_id()
    report = {} if active is None else stores.registry.record(active).report.get("detector", {})
    if "at" not in report or _readable(stores) is None or report["step"] < row_interval(config.sampling.interval):
        return True
    age = now - report["at"]
    spoken = stores.anomalies.judged()[1] > report["at"]
    return spoken or not 0 <= age < retrain_delay(report["at"] - float(times[0]), config.training.interval)


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
    active, blob = stores.registry.active_id(), _readable(stores)
    before = {} if active is None or blob is None else stores.registry.record(active).report.get("detector", {})
    return DetectorTraining(blob, {**before, "reason": reason, "kept": blob is not None})


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
    active = stores.registry.active_id()
    if active is None or detecting.blob is None or detecting.report.get("kept"):
        return None
    record: ModelRecord = stores.registry.record(active)
    report = {**record.report, "detector": detecting.report}
    model_id = stores.registry.register(stores.registry.blob(active), report, now, detecting.blob)
    stores.registry.promote(model_id, now)
    return model_id


def detector_key(detector: bytes) -> str:
    """What a detector's evidence is kept under: models that have the same one share it."""
    return hashlib.sha256(detector).hexdigest()[:16]
