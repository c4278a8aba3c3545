"""What the database tells of the whole: is it sampling, what serves, how did the trainings go, what is missing.

The command `status` and the running daemon read the same through here, so they cannot disagree.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from model.anomaly.resampling import row_interval
from model.forecast.drift import ReferenceHistogram, population_stability_index
from model.units import DAY, HOUR
from monitor.config.loader import Config
from monitor.queries.scores import SCORE_WINDOW, HorizonScore, read_scores, scores_document
from monitor.stores import Stores, is_warning
from monitor.system.formatting import format_duration
from monitor.training.records import CompletedRun, RegisteredModel, completed_run, read_model
from monitor.training.report_parts import DetectorReport
from monitor.training.schedule import Serving, insufficient_history, next_retrain, recent_coverage
from storage import SAMPLE_FIELDS, AnomalyRecord, Prediction, Sample, TrainingOutcome, TrainingRun, is_locked

DRIFT_EVERY = HOUR
"""Seconds between two looks at how far inputs have drifted."""

DRIFTED = 0.25
"""From this index on a metric is called another than the model has learned from."""


@dataclass(frozen=True)
class Overview:
    """Times are seconds since the epoch; `covered` is seconds of samples, as far as `needed` asks for them.

    `scores` are those of 7 days, as of `scored`: up to when the predictions for each horizon are done with. `drift`
    is by metric how far the last day has left the training of the serving model, as of `drift_at`. `instead` names
    the baselines that serve where the model has fallen behind: horizon (seconds), state of load, name. `anomaly` goes
    on now, `anomalies` began in the last 30 days; `watching` says whether a detector serves, and if not why.
    `last_sample` is not of the future, where a clock that was set back leaves some: `future_at` is the last of those.
    `storage_free_bytes` is what may still be written on the file system of the database, None where not known.
    """

    at: float
    last_sample: Sample | None
    oldest_sample_at: float | None
    covered: float
    needed: float
    predictions: tuple[Prediction, ...]
    model: RegisteredModel | None
    last_run: CompletedRun | None
    last_success: CompletedRun | None
    runs: dict[TrainingOutcome, int]
    next_retrain_at: float | None
    retrain_running: bool
    daemon_running: bool
    storage_bytes: int
    interval: float
    scores: tuple[HorizonScore, ...] = ()
    scored: tuple[tuple[float, float], ...] = ()
    drift: tuple[tuple[str, float], ...] = ()
    drift_at: float = 0.0
    instead: tuple[tuple[float, str, str], ...] = ()
    anomaly: AnomalyRecord | None = None
    anomalies: int = 0
    anomalies_allowed: float = 0.0
    watching: bool = False
    watching_waits_for: str = ""
    storage_free_bytes: int | None = None
    future_at: float | None = None

    @property
    def sampling(self) -> bool:
        """Whether samples arrive."""
        recent = self.last_sample is not None and self.at - self.last_sample.at < old_after(self.interval)
        return self.daemon_running and recent

    @property
    def waiting_for(self) -> str:
        """Why no model of this host serves yet, in words; empty when one does."""
        if self.model is not None and not self.model.pretrained:
            return ""
        if self.covered < self.needed:
            return insufficient_history(self.covered, self.needed)
        due = self.next_retrain_at is None or self.next_retrain_at <= self.at
        if self.last_run is not None and self.last_run.outcome != "promoted" and not due:
            return f"last training {self.last_run.outcome}: {self.last_run.reason}"
        return "enough history, a training is due"


def old_after(interval: float) -> float:
    """Seconds after which a sample or a prediction is old, where one is made every `interval` seconds."""
    return max(3 * interval, 10.0)


def read_overview(stores: Stores, config: Config, now: float, before: Overview | None = None) -> Overview:
    """Reads it all; a few milliseconds.

    Args:
        stores: of the database.
        config: for intervals and minima.
        now: seconds since the epoch.
        before: an earlier overview; what cannot have changed since is taken from it.

    Raises:
        StorageError: the database cannot be read.
    """
    active, last_run_id = stores.registry.active_id(), stores.runs.last_id()
    known = before is not None and (_id(before.model), _id(before.last_run)) == (active, last_run_id)
    if before is not None and known:
        model, last_run, last_success, runs = before.model, before.last_run, before.last_success, before.runs
    else:
        model = None if active is None else read_model(stores, active)
        last_run, last_success = _run(stores.runs.last()), _run(stores.runs.last_success())
        runs = stores.runs.counts()
    scored = tuple(sorted(stores.scores.scored_until().items()))
    same = before is not None and scored == before.scored
    scores = before.scores if before is not None and same else read_scores(stores, now - SCORE_WINDOW)
    keeps = known and before is not None and 0 <= now - before.drift_at < DRIFT_EVERY
    drift = before.drift if before is not None and keeps else _drift(stores, model, now)
    needed = config.training.min_history
    own = model is not None and not model.pretrained
    instead = tuple(
        (float(horizon), state, name)
        for horizon, states in stores.registry.fallbacks().items()
        for state, name in states.items()
    )
    serving: Serving = "none" if not own else "behind" if instead else "well"
    # only asked for until a model of this host serves: it looks at every sample of the minimum
    covered = needed if own else recent_coverage(stores, config, now, needed)
    return Overview(
        at=now,
        last_sample=stores.samples.last(until=now + config.sampling.interval),
        oldest_sample_at=stores.samples.oldest_at(),
        covered=covered,
        needed=needed,
        predictions=tuple(stores.predictions.last()),
        model=model,
        last_run=last_run,
        last_success=last_success,
        runs=runs,
        next_retrain_at=next_retrain(config.training, last_run, serving) if covered >= needed else None,
        retrain_running=_held(stores, "retrain"),
        daemon_running=_held(stores, "daemon"),
        storage_bytes=stores.database.size_bytes(),
        storage_free_bytes=stores.database.free_bytes(),
        future_at=_future(stores, now + config.sampling.interval),
        interval=config.sampling.interval,
        scores=scores,
        scored=scored,
        drift=drift,
        drift_at=before.drift_at if before is not None and keeps else now,
        instead=instead,
        **_anomalies(stores, config, model, last_run, now),
    )


def _future(stores: Stores, after: float) -> float | None:
    newest = stores.samples.last()
    return newest.at if newest is not None and newest.at > after else None


def _run(run: TrainingRun | None) -> CompletedRun | None:
    return None if run is None else completed_run(run)


def _detector_report(model: RegisteredModel | None) -> DetectorReport:
    """Return the report of the serving detector; an empty one if there is none."""
    report = None if model is None else model.report
    return DetectorReport() if report is None or report.detector is None else report.detector


def _refused_detector(run: CompletedRun | None) -> str:
    """Return why the last training brought no detector; empty if it brought one, or did not get so far."""
    detector = None if run is None or run.report is None else run.report.detector
    return "" if detector is None or detector.at is not None else detector.reason


def _anomalies(
    stores: Stores, config: Config, model: RegisteredModel | None, last_run: CompletedRun | None, now: float
) -> dict[str, Any]:
    """The fields of the overview that tell of anomalies."""
    month = now - 30 * DAY
    detector = _detector_report(model)
    rarer = detector.step is not None and detector.step < row_interval(config.sampling.interval)
    watching, waits = config.anomaly.enabled and detector.at is not None and not rarer, ""
    if not config.anomaly.enabled:
        waits = "anomaly.enabled is false"
    elif rarer:
        waits = "samples are rarer than the detector knows; the next training learns another"
    elif not watching:
        needed = config.anomaly.min_history
        covered = recent_coverage(stores, config, now, needed)
        waits = _refused_detector(last_run) or "the next training learns what is usual"
        if covered < needed:
            waits = insufficient_history(covered, needed)
    return {
        "anomaly": stores.anomalies.ongoing(),
        "anomalies": sum(anomaly.started_at > month for anomaly in stores.anomalies.since(month)),
        "anomalies_allowed": config.anomaly.false_alarms_per_month,
        "watching": watching,
        "watching_waits_for": waits,
    }


def _drift(stores: Stores, model: RegisteredModel | None, now: float) -> tuple[tuple[str, float], ...]:
    """How far each metric has left the training; ten minutes of each hour of the last day are enough to tell."""
    inputs = {} if model is None or model.report is None else model.report.inputs
    if not inputs:
        return ()
    hours = [now - hour * HOUR for hour in range(24)]
    rows = np.concatenate([stores.samples.between(at - 600.0, at, tuple(inputs)) for at in reversed(hours)])
    references = {name: ReferenceHistogram(of.edges, of.frequencies) for name, of in inputs.items()}
    found = [
        (name, population_stability_index(rows[:, 1 + i], of)) for i, (name, of) in enumerate(references.items())
    ]
    return tuple((name, value) for name, value in found if not math.isnan(value))


def _id(record: RegisteredModel | CompletedRun | None) -> int | None:
    return None if record is None else record.id


def _held(stores: Stores, name: str) -> bool:
    path = stores.database.lock_path(name)
    return path is not None and is_locked(path)


def status_document(overview: Overview) -> dict[str, Any]:
    """The overview as plain JSON data: what `status --json` prints and /api/v1/status answers."""
    sample, run, model = overview.last_sample, overview.last_run, overview.model
    return {
        "at": overview.at,
        "daemon_running": overview.daemon_running,
        "sampling": overview.sampling,
        "last_sample": None if sample is None else {"at": sample.at, **_fields(sample)},
        "oldest_sample_at": overview.oldest_sample_at,
        "future_sample_at": overview.future_at,
        "history": {"covered_seconds": overview.covered, "needed_seconds": overview.needed},
        "waiting_for": overview.waiting_for,
        "predictions": [
            {**asdict(p), "horizon_name": format_duration(p.horizon), "warning": is_warning(p)}
            for p in fresh(overview)
        ],
        "model": None if model is None else _model_document(model),
        "serving_instead": [
            {"horizon": horizon, "load": state, "baseline": name} for horizon, state, name in overview.instead
        ],
        "last_training": None if run is None else {k: v for k, v in asdict(run).items() if k != "report"},
        "retrain": {
            "running": overview.retrain_running,
            "next_at": overview.next_retrain_at,
            "last_success_at": overview.last_success.finished_at if overview.last_success else None,
            "runs": overview.runs,
        },
        "storage_bytes": overview.storage_bytes,
        "storage_free_bytes": overview.storage_free_bytes,
        "anomalies": {
            "watching": overview.watching,
            "waiting_for": "" if overview.watching else overview.watching_waits_for,
            "active": None if overview.anomaly is None else asdict(overview.anomaly),
            "last_30_days": overview.anomalies,
            "allowed_in_30_days": overview.anomalies_allowed,
        },
        "scores": scores_document(overview.scores),
        "input_drift": dict(overview.drift),
    }


def _model_document(model: RegisteredModel) -> dict[str, Any]:
    fields = {k: v for k, v in asdict(model).items() if k not in ("report", "report_problem")}
    return {**fields, "prior": model.pretrained}


def fresh(overview: Overview) -> tuple[Prediction, ...]:
    """The last predictions, unless they are old: a stale prediction must not stand still."""
    limit = overview.at - old_after(overview.interval)
    return tuple(p for p in overview.predictions if p.at >= limit)


def _fields(sample: Sample) -> dict[str, float | None]:
    return {name: getattr(sample, name) for name in SAMPLE_FIELDS}
