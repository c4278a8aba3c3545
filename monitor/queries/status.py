"""Overview reader: stored state, read from the database by commands and the daemon."""

from __future__ import annotations

from dataclasses import dataclass

from model.units import HOUR
from monitor.config.loader import Config
from monitor.queries.channels import read_channels
from monitor.queries.detection import read_detection
from monitor.queries.drift import read_drift
from monitor.queries.overview import Overview, ServingFallback
from monitor.queries.scores import SCORE_WINDOW, HorizonScore, read_scores
from monitor.stores import Stores
from monitor.training.coverage import HistoryCoverage
from monitor.training.records import (
    CompletedRun,
    RegisteredModel,
    completed_run,
    read_active_model,
    read_usable_model,
)
from monitor.training.schedule import ServingState, next_retrain
from storage import TrainingOutcome, TrainingRun
from storage.recovery.quarantine import quarantined_files

DRIFT_INTERVAL = HOUR
"""Seconds between two computations of the input drift."""


@dataclass(frozen=True)
class _Training:
    """Part of the overview that changes only with a training run or a promotion."""

    model: RegisteredModel | None
    last_run: CompletedRun | None
    last_success: CompletedRun | None
    last_trained: CompletedRun | None
    runs: dict[TrainingOutcome, int]


def read_overview(
    stores: Stores,
    config: Config,
    now: float,
    before: Overview | None = None,
    coverage: HistoryCoverage | None = None,
) -> Overview:
    """Return the stored state of the daemon at `now`; unchanged parts are copied from an earlier overview.

    Args:
        stores: repositories.
        config: configuration of sampling, training and anomaly detection.
        now: seconds since the epoch.
        before: earlier overview, from which unchanged parts are copied; None to read everything.
        coverage: cached measurement of the time that the stored history covers; None to measure it now.

    Raises:
        StorageError: the database cannot be read.
    """
    interval = config.sampling.interval
    coverage = coverage or HistoryCoverage(stores, config)
    unchanged = before if before is not None and _is_current(stores, before) else None
    training = _read_training(stores) if unchanged is None else _kept_training(unchanged)
    scored_until, scores = _read_scores(stores, now, before)
    drift, drift_at = _read_drift(stores, training.model, now, unchanged)
    fallbacks = _fallbacks(stores)
    covered, next_retrain_at = _schedule(config, coverage, training, fallbacks, now)
    detection = read_detection(stores, config, coverage, _detector_model(stores, training), training.last_run, now)
    last_sample = stores.samples.last(until=now + interval)
    predictions = tuple(stores.predictions.last())
    return Overview(
        at=now,
        last_sample=last_sample,
        oldest_sample_at=stores.samples.oldest_at(),
        covered=covered,
        needed=config.training.min_history,
        predictions=predictions,
        model=training.model,
        last_run=training.last_run,
        last_success=training.last_success,
        last_trained=training.last_trained,
        runs=training.runs,
        next_retrain_at=next_retrain_at,
        retrain_running=stores.database.is_locked("retrain"),
        daemon_running=stores.database.is_locked("daemon"),
        storage_bytes=stores.database.size_bytes(),
        wal_bytes=stores.database.wal_bytes(),
        storage_free_bytes=stores.database.free_bytes(),
        quarantined_files=0 if stores.database.path is None else len(quarantined_files(stores.database.path)),
        future_at=_future_sample(stores, now + interval),
        interval=interval,
        scores=scores,
        scored_until=scored_until,
        drift=drift,
        drift_at=drift_at,
        fallbacks=fallbacks,
        inputs_out_of_range=stores.registry.inputs_out_of_range(),
        detection=detection,
        quarantined_models=tuple(stores.registry.quarantined()),
        damaged_rows=stores.database.damaged_rows.counts(),
        maintenance=tuple(stores.anomalies.maintenance_windows(now)),
        recurring=config.anomaly.maintenance,
        channels=read_channels(stores, config.notify, now),
    )


def _is_current(stores: Stores, before: Overview) -> bool:
    """Return True if the active model and the last training run are the same as in the overview `before`."""
    model_id = None if before.model is None else before.model.id
    run_id = None if before.last_run is None else before.last_run.id
    return (model_id, run_id) == (stores.registry.active_id(), stores.runs.last_id())


def _kept_training(before: Overview) -> _Training:
    return _Training(before.model, before.last_run, before.last_success, before.last_trained, before.runs)


def _read_training(stores: Stores) -> _Training:
    return _Training(
        model=read_active_model(stores),
        last_run=_completed(stores.runs.last()),
        last_success=_completed(stores.runs.last_success()),
        last_trained=_completed(stores.runs.last_trained()),
        runs=stores.runs.counts(),
    )


def _detector_model(stores: Stores, training: _Training) -> RegisteredModel | None:
    """Return the model whose detector serves: the serving one, unless its detector is quarantined."""
    model_id = stores.registry.detector_model_id()
    if training.model is not None and training.model.id == model_id:
        return training.model
    return None if model_id is None else read_usable_model(stores, model_id)


def _completed(run: TrainingRun | None) -> CompletedRun | None:
    return None if run is None else completed_run(run)


def _read_scores(
    stores: Stores, now: float, before: Overview | None
) -> tuple[tuple[tuple[float, float], ...], tuple[HorizonScore, ...]]:
    """Return the end of the scored period per horizon, and the scores; copied from `before` if no end has changed."""
    scored_until = tuple(sorted(stores.scores.scored_until().items()))
    if before is not None and scored_until == before.scored_until:
        return scored_until, before.scores
    return scored_until, read_scores(stores.scores, now - SCORE_WINDOW)


def _read_drift(
    stores: Stores, model: RegisteredModel | None, now: float, unchanged: Overview | None
) -> tuple[dict[str, float], float]:
    """Return the drift of each metric and when it was computed; `unchanged` is used for DRIFT_INTERVAL seconds."""
    if unchanged is not None and 0 <= now - unchanged.drift_at < DRIFT_INTERVAL:
        return unchanged.drift, unchanged.drift_at
    return read_drift(stores, model, now), now


def _schedule(
    config: Config,
    coverage: HistoryCoverage,
    training: _Training,
    fallbacks: tuple[ServingFallback, ...],
    now: float,
) -> tuple[float, float | None]:
    """Return the covered seconds of history, and the time of the next training run in seconds since the epoch.

    The time is None before the first run, and on a host without a fitted model while the history is too short.
    """
    needed = config.training.min_history
    covered = coverage.seconds(now, needed)
    serving = ServingState.FALLBACK if fallbacks else ServingState.MODEL
    if training.model is None or training.model.pretrained:
        serving = ServingState.NO_FITTED_MODEL
    # A host with a fitted model had enough history, even if some of it has been deleted since.
    may_train = covered >= needed or serving != ServingState.NO_FITTED_MODEL
    next_at = next_retrain(config.training, training.last_run, training.last_trained, serving)
    return covered, next_at if may_train else None


def _fallbacks(stores: Stores) -> tuple[ServingFallback, ...]:
    """Return the baselines that serve in place of the model; empty if there are none."""
    return tuple(
        ServingFallback(float(horizon), "high" if load == "high" else "calm", baseline)
        for horizon, by_load in stores.registry.fallbacks().items()
        for load, baseline in by_load.items()
    )


def _future_sample(stores: Stores, after: float) -> float | None:
    """Return the time of the newest sample if it is later than `after`; else None."""
    newest = stores.samples.last()
    return newest.at if newest is not None and newest.at > after else None
