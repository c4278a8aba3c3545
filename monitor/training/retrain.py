"""The offline road: stored samples to a candidate, through the gate, into the registry.

It runs in a process of its own at the lowest priority. Whatever comes of it is written down as a training run, and
unless the candidate passes, what serves stays as it was.
"""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from model.array_types import Floats
from model.errors import ModelError, NotEnoughHistoryError, SerializationError
from model.features.dataset import covered_seconds, typical_step
from model.forecast.blend import EXPERTS
from model.forecast.drift import reference_histogram
from model.forecast.predictor import Predictor
from model.forecast.serialization import dumps, loads
from model.nn.diagnostics.fit_report import Epoch
from model.training.evaluation import Candidate, gate_refusal
from model.training.pipeline import Task, train
from model.training.settings import GateConfig
from monitor.config.loader import Config
from monitor.errors import LockedError, MonitorError, NotEnoughDataError, RefusedError
from monitor.stores import Stores
from monitor.system.processes import deadline
from monitor.training.bootstrap_model import ensure_first_model, task_asked
from monitor.training.schedule import insufficient_history
from monitor.training.train_detector import DetectorTraining, promote_detector, train_detector
from storage import SAMPLE_FIELDS, LockHeldError, Outcome, StorageError, TrainingRun

MODELS_KEPT = 20
"""Models in the registry at most, beside the one that serves."""


@dataclass(frozen=True)
class Request:
    """What was asked for. `since` is seconds of history to look at, None for what is configured."""

    since: float | None = None
    dry_run: bool = False
    force: bool = False


@dataclass(frozen=True)
class Result:
    """What came of it. `error` is what the command ends with, None after a promotion or a dry run that passed."""

    outcome: Outcome
    reason: str
    model_id: int | None
    report: dict[str, Any]
    error: MonitorError | None
    detector: dict[str, Any] = field(default_factory=dict)


def retrain(
    stores: Stores,
    config: Config,
    request: Request,
    on_epoch: Callable[[Epoch], None],
    clock: Callable[[], float] = time.time,
) -> Result:
    """Trains once, and records the run unless it is dry.

    Raises:
        LockedError: another retraining is under way.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(stores.database.lock("retrain"))
        except LockHeldError as error:
            raise LockedError(f"another retraining is under way: {error}") from error
        started = clock()
        limit = config.training.timeout
        try:
            with deadline(limit, f"the training was ended after training.timeout ({limit:g} s)"):
                result = _attempt(stores, config, request, on_epoch, started)
        except NotEnoughHistoryError as error:
            result = _without_candidate("skipped", NotEnoughDataError(str(error)))
        except (MonitorError, ModelError, StorageError) as error:
            result = _without_candidate("failed", MonitorError(str(error)))
        except MemoryError:
            result = _without_candidate("failed", MonitorError("not enough memory; lower training.history"))
        if result.report:
            result.report["seconds"] = round(clock() - started, 3)
        if not request.dry_run:
            run = TrainingRun(started, clock(), result.outcome, result.reason, result.model_id, result.report)
            stores.runs.append(run)
        return result


def _without_candidate(outcome: Outcome, error: MonitorError) -> Result:
    return Result(outcome, str(error), None, {}, error)


def _attempt(
    stores: Stores, config: Config, request: Request, on_epoch: Callable[[Epoch], None], now: float
) -> Result:
    times, values = _history(stores, config, request, now)
    detecting = train_detector(stores, config, times, values, now)
    rng = np.random.default_rng(config.training.seed)
    try:
        candidate = train(times, values, SAMPLE_FIELDS, task_of(config), config.training.recipe, rng, on_epoch)
    except NotEnoughHistoryError as error:
        skipped = replace(_without_candidate("skipped", NotEnoughDataError(str(error))), detector=detecting.report)
        return _beside(stores, config, detecting, skipped, request, now)
    reason = gate_refusal(candidate, _serving(stores), times, values, gate_of(config))
    report = {
        **describe(candidate, times),
        "inputs": _inputs(candidate, values),
        "task": task_asked(config),
        "detector": detecting.report,
    }
    if request.dry_run:
        outcome: Outcome = "refused" if reason else "promoted"
        return Result(outcome, reason or "", None, report, RefusedError(reason) if reason else None)
    model_id = stores.registry.register(dumps(candidate.predictor), report, now, detecting.blob)
    if reason and not request.force:
        refused = RefusedError(f"the gate refused model {model_id}: {reason}")
        return _beside(stores, config, detecting, Result("refused", reason, model_id, report, refused), request, now)
    stores.registry.promote(model_id, now)
    stores.registry.prune(MODELS_KEPT)
    return Result("promoted", f"forced although {reason}" if reason else "", model_id, report, None)


def _beside(
    stores: Stores, config: Config, detecting: DetectorTraining, result: Result, request: Request, now: float
) -> Result:
    """The same, with a new detector serving beside the predictor that goes on, or the prior."""
    if request.dry_run:
        return result
    if detecting.blob is not None and stores.registry.active_id() is None:
        ensure_first_model(stores, config, now)
    model_id = promote_detector(stores, detecting, now)
    if model_id is None:
        told = "" if detecting.blob is not None else f"; no detector of anomalies: {detecting.report['reason']}"
        return replace(result, reason=f"{result.reason}{told}")
    stores.registry.prune(MODELS_KEPT)
    return replace(
        result, reason=f"{result.reason}; a new detector of anomalies serves, with it, as model {model_id}"
    )


def _history(stores: Stores, config: Config, request: Request, now: float) -> tuple[Floats, Floats]:
    """Times and values of the samples to learn from."""
    rows = stores.samples.between(now - (request.since or config.training.history), now)
    times = rows[:, 0]
    covered = covered_seconds(times, typical_step(times, config.sampling.interval))
    if covered < config.training.min_history:
        raise NotEnoughHistoryError(insufficient_history(covered, config.training.min_history))
    return times, rows[:, 1:]


def task_of(config: Config) -> Task:
    """What the configuration wants predicted."""
    return Task(config.rules, config.high_load.horizons, config.warning.precision)


def gate_of(config: Config) -> GateConfig:
    """How the configuration wants a candidate judged."""
    return GateConfig(config.gate.margin, config.gate.min_skill)


def _serving(stores: Stores) -> Predictor | None:
    """The model that serves, with its twin; None if none serves or can."""
    active = stores.registry.active_id()
    if active is None:
        return None
    try:
        return loads(stores.registry.blob(active), holdout_model=True)
    except (StorageError, SerializationError):
        return None


def _inputs(candidate: Candidate, values: Floats) -> dict[str, Any]:
    """What the inputs were like, by metric: what drifts is measured against it."""
    spec = candidate.predictor.spec
    return {name: reference_histogram(values[:, spec.columns.index(name)]) for name in spec.inputs}


def describe(candidate: Candidate, times: Floats) -> dict[str, Any]:
    """The training as plain JSON data, kept with model and run. Figures that do not exist are null."""
    predictor, fit = candidate.predictor, candidate.fit
    horizons = [
        {
            "horizon": horizon,
            "base_rate": predictor.base_rates[i],
            "threshold": predictor.thresholds[i],
            "shares": dict(zip(EXPERTS, predictor.blends[i].shares, strict=True)),
            "scores": {name: asdict(score) for name, score in candidate.scores[i].items()},
        }
        for i, horizon in enumerate(predictor.horizons)
    ]
    report = {
        "from": float(times[0]),
        "to": float(times[-1]),
        "samples": len(times),
        "rows": candidate.rows,
        "features": len(predictor.spec.names),
        "rules": [dict(rule) for rule in predictor.spec.rules.rules],
        "sustained": predictor.spec.rules.sustained,
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "epochs": [epoch._asdict() for epoch in fit.epochs],
        "kept_epoch": fit.kept_epoch,
        "health": asdict(fit.health),
        "horizons": horizons,
        "left_out": [{"horizon": h, "reason": reason} for h, reason in candidate.left_out.items()],
    }
    return dict(finite(report))


def finite(value: Any) -> Any:
    """Plain data with null in place of numbers that are not finite: JSON has none of those."""
    if isinstance(value, dict):
        return {key: finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
