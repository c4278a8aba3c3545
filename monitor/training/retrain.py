"""Retraining: fit a candidate to stored samples, apply the promotion gate, register and promote it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace

import numpy as np

from model.array_types import Floats
from model.errors import ModelError, NotEnoughHistoryError, SerializationError
from model.features.dataset import covered_seconds, typical_step
from model.features.rows import Rows
from model.forecast.predictor import Predictor
from model.forecast.serialization import dumps, loads
from model.training.pipeline import OnEpoch, train
from model.training.promotion import decide_promotion
from model.training.settings import GateConfig
from model.training.task import Task
from monitor.config.loader import Config
from monitor.errors import LockedError, MonitorError, NotEnoughDataError, RefusedError
from monitor.inference.stored_samples import read_history
from monitor.stores import Stores
from monitor.system.processes import deadline
from monitor.training.bootstrap_model import configured_task, ensure_bootstrap_model
from monitor.training.records import CompletedRun, stored_run
from monitor.training.replay.history import ReplaySummary, ReplayTask, replay_history, replayed_part
from monitor.training.report import TrainingReport
from monitor.training.report_builder import build_report
from monitor.training.schedule import insufficient_history
from monitor.training.train_detector import DetectorTraining, promote_detector, train_detector
from storage import SAMPLE_FIELDS, LockHeldError, StorageError, TrainingOutcome

MODELS_KEPT = 20
"""Number of newest models kept in the registry; the serving model and the rollback target are kept too."""

MIN_REPLAY_SECONDS = 5.0
"""Shortest time limit of the replay in seconds, for a training run that has used up `training.timeout`."""


@dataclass(frozen=True)
class Request:
    """Options of one training run.

    Attributes:
        since: seconds of history to train on; None for the configured length.
        dry_run: True to train and evaluate only: nothing is registered, promoted or recorded.
        force: True to promote the candidate even if the gate refuses it.
    """

    since: float | None = None
    dry_run: bool = False
    force: bool = False


@dataclass(frozen=True)
class RetrainResult:
    """Result of one training run.

    Attributes:
        outcome: promoted, refused, skipped or failed; a dry run has the outcome that a real run would have.
        reason: reason why no model was promoted; after a forced promotion, the overridden refusal; else empty.
        model_id: ID of the candidate; None if none was registered.
        report: training report; None if the run failed early.
        error: error that the command raises; None if the candidate was promoted, or would be promoted in a real run.
        replay: history to replay after the run; None if nothing is replayed.
        replayed: numbers of replayed predictions and anomalies; None if there was no replay or it failed.
    """

    outcome: TrainingOutcome
    reason: str
    model_id: int | None
    report: TrainingReport | None
    error: MonitorError | None
    replay: ReplayTask | None = None
    replayed: ReplaySummary | None = None


def retrain(
    stores: Stores,
    config: Config,
    request: Request,
    on_epoch: OnEpoch,
    clock: Callable[[], float] = time.time,
) -> RetrainResult:
    """Train once, record the run and replay the history; a dry run only trains and evaluates.

    Args:
        stores: repositories.
        config: configuration.
        request: options of the run.
        on_epoch: called after each epoch with its losses and the number of epochs.
        clock: returns seconds since the epoch.

    Raises:
        LockedError: another training run is in progress.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(stores.database.lock("retrain"))
        except LockHeldError as error:
            raise LockedError(f"another training run is in progress: {error}") from error
        started = clock()
        result = _attempt_within_deadline(stores, config, request, on_epoch, started)
        if result.report is not None:
            result = replace(result, report=replace(result.report, seconds=round(clock() - started, 3)))
        if not request.dry_run:
            run = CompletedRun(
                started_at=started,
                finished_at=clock(),
                outcome=result.outcome,
                reason=result.reason,
                model_id=result.model_id,
                report=result.report,
            )
            stores.runs.append(stored_run(run))
            if result.replay is not None:
                limit = max(config.training.timeout - (clock() - started), MIN_REPLAY_SECONDS)
                result = replace(result, replayed=replay_history(stores, config, result.replay, started, limit))
        return result


def _attempt_within_deadline(
    stores: Stores, config: Config, request: Request, on_epoch: OnEpoch, now: float
) -> RetrainResult:
    """Train within `training.timeout`; return expected errors as a skipped or failed run."""
    limit = config.training.timeout
    try:
        with deadline(limit, f"the training run was aborted after training.timeout ({limit:g} s)"):
            return _attempt(stores, config, request, on_epoch, now)
    except NotEnoughHistoryError as error:
        return _without_candidate(TrainingOutcome.SKIPPED, NotEnoughDataError(str(error)))
    except (MonitorError, ModelError, StorageError) as error:
        return _without_candidate(TrainingOutcome.FAILED, MonitorError(str(error)))
    except MemoryError:
        return _without_candidate(TrainingOutcome.FAILED, MonitorError("not enough memory; lower training.history"))


def _without_candidate(
    outcome: TrainingOutcome, error: MonitorError, report: TrainingReport | None = None
) -> RetrainResult:
    return RetrainResult(outcome=outcome, reason=str(error), model_id=None, report=report, error=error)


def _attempt(stores: Stores, config: Config, request: Request, on_epoch: OnEpoch, now: float) -> RetrainResult:
    """Train a detector and a candidate; promote the candidate if the gate accepts it or the request forces it."""
    times, values = _history(stores, config, request, now)
    detector = train_detector(stores, config, times, values, now)
    replay = ReplayTask(replayed_part(times, values, now), models=(), detects=detector.is_new)
    rng = np.random.default_rng(config.training.seed)
    try:
        candidate = train(times, values, SAMPLE_FIELDS, training_task(config), config.training.recipe, rng, on_epoch)
    except NotEnoughHistoryError as error:
        report = TrainingReport(
            from_=float(times[0]),
            to=float(times[-1]),
            samples=len(times),
            detector=detector.report,
            skip_reason=error.skip_reason,
        )
        result = _without_candidate(TrainingOutcome.SKIPPED, NotEnoughDataError(str(error)), report)
        result = replace(result, replay=replay)
        return _promote_detector(stores, config, detector, result, request, now)
    decision = decide_promotion(candidate, _incumbent(stores), times, values, gate_of(config))
    reason = "" if decision.refusal is None else decision.refusal.message
    report = build_report(candidate, times, values, configured_task(config), detector.report, decision)
    if request.dry_run:
        outcome = TrainingOutcome.REFUSED if reason else TrainingOutcome.PROMOTED
        refusal = RefusedError(reason) if reason else None
        return RetrainResult(outcome=outcome, reason=reason, model_id=None, report=report, error=refusal)
    model_id = stores.registry.register(dumps(candidate.predictor), report.to_json(), now, detector.blob)
    if reason and not request.force:
        result = RetrainResult(
            outcome=TrainingOutcome.REFUSED,
            reason=reason,
            model_id=model_id,
            report=report,
            error=RefusedError(f"the gate refused model {model_id}: {reason}"),
            replay=replay,
        )
        return _promote_detector(stores, config, detector, result, request, now)
    stores.registry.promote(model_id, now)
    stores.registry.prune(MODELS_KEPT)
    return RetrainResult(
        outcome=TrainingOutcome.PROMOTED,
        reason=f"forced although {reason}" if reason else "",
        model_id=model_id,
        report=report,
        error=None,
        replay=replace(replay, models=candidate.holdout_models, detects=True),
    )


def _promote_detector(
    stores: Stores, config: Config, detector: DetectorTraining, result: RetrainResult, request: Request, now: float
) -> RetrainResult:
    """Promote a new detector together with the incumbent predictor, or with the bootstrap model if there is none.

    Returns:
        The result with a message on the detector added to the reason; unchanged in a dry run or with a kept detector.
    """
    if request.dry_run:
        return result
    if detector.blob is not None and stores.registry.active_id() is None:
        ensure_bootstrap_model(stores, config, now)
    model_id = promote_detector(stores, detector, now)
    if model_id is not None:
        stores.registry.prune(MODELS_KEPT)
        addition = f"a new anomaly detector serves, as part of model {model_id}"
    elif detector.blob is None:
        addition = f"no anomaly detector: {detector.report.reason}"
    else:
        return result
    return replace(result, reason=f"{result.reason}; {addition}")


def _history(stores: Stores, config: Config, request: Request, now: float) -> tuple[Floats, Rows]:
    """Return times (rows,) and values (rows, metrics) of the samples to train on.

    Raises:
        NotEnoughHistoryError: the samples cover less than `training.min_history`.
    """
    times, values = read_history(stores, now - (request.since or config.training.history), now)
    covered = covered_seconds(times, typical_step(times, config.sampling.interval))
    if covered < config.training.min_history:
        raise NotEnoughHistoryError(insufficient_history(covered, config.training.min_history))
    return times, values


def training_task(config: Config) -> Task:
    """Return the task to train a model for: rules, horizons and warning precision."""
    return Task(config.rules, config.high_load.horizons, config.warning.precision)


def gate_of(config: Config) -> GateConfig:
    """Return the configured parameters of the promotion gate."""
    return GateConfig(config.gate.margin, config.gate.min_skill)


def _incumbent(stores: Stores) -> Predictor | None:
    """Return the serving predictor with its holdout model; None if no model serves or it cannot be loaded."""
    active = stores.registry.active_id()
    if active is None:
        return None
    try:
        return loads(stores.registry.blob(active), holdout_model=True)
    except (StorageError, SerializationError):
        return None
