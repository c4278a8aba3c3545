"""Recalibration job: recalibration and serving baselines from stored samples.

A predictor is deterministic. Its predictions since the training run are therefore recomputed from the stored samples
instead of being stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from model.forecast.online import FallbackDecision, OnlineEngine, PredictionLog, decide_fallbacks
from model.forecast.online.fallback import HISTORY_SECONDS
from model.forecast.online.recalibration import MAX_AGE, RECALIBRATION_INTERVAL
from model.forecast.predictor import Predictor
from monitor.inference.served_model import ServedModel
from monitor.inference.stored_samples import CHUNK_ROWS, read_samples
from monitor.stores import Stores
from monitor.system.logging import get_logger
from monitor.training.records import read_model

log = get_logger(__name__)


def decisions_at(
    stores: Stores, predictor: Predictor, trained_until: float, now: float
) -> tuple[FallbackDecision, ...]:
    """Return the fallback decisions for a predictor, based on the outcomes known at `now`.

    Args:
        stores: repositories.
        predictor: predictor of the serving model.
        trained_until: end of the predictor's training data in seconds since the epoch.
        now: seconds since the epoch.

    Returns:
        One decision per horizon. It is the default decision, which lets the model serve as it is, if `trained_until`
        is not before `now` or if no predictions could be recomputed.

    Raises:
        StorageError: the samples cannot be read.
    """
    horizons = predictor.horizons
    unchanged = (FallbackDecision(),) * len(horizons)
    if trained_until >= now:
        return unchanged
    spec = predictor.spec
    # Baselines are also fitted to outcomes before `trained_until`.
    since = max(min(trained_until, now - HISTORY_SECONDS), now - MAX_AGE)
    engine = OnlineEngine(spec, predictor)
    predictions = PredictionLog(spec.horizons)
    for rows in read_samples(stores, spec.columns, since - spec.required_history, now, 2 * CHUNK_ROWS * spec.step):
        if len(rows):
            engine.advance(rows[None, :, 0], rows[None, :, 1:])
            engine.log(predictions, after=since, serving_after=trained_until)
    matured = predictions.matured(now, horizons)
    if not len(matured.times):
        return unchanged
    return decide_fallbacks(matured, horizons, now)


def current_decisions(
    stores: Stores, now: float, predictor: Predictor, model_id: int
) -> tuple[FallbackDecision, ...]:
    """Return the fallback decisions for a registered model as of the start of the current recalibration interval.

    Args:
        stores: repositories.
        now: seconds since the epoch.
        predictor: predictor of the model.
        model_id: ID of the model.

    Raises:
        StorageError: the database cannot be read.
    """
    trained_until = read_model(stores, model_id).trained_until
    return decisions_at(stores, predictor, trained_until, now - now % RECALIBRATION_INTERVAL)


class RecalibrationJob:
    """Periodic job that refits the recalibration and the serving baselines of the serving model."""

    def __init__(self, stores: Stores, served: ServedModel, clock: Callable[[], float]) -> None:
        """Initialize the job; its first run computes the decisions.

        Args:
            stores: repositories.
            served: the serving model.
            clock: returns the current time in seconds since the epoch.
        """
        self._stores = stores
        self._served = served
        self._clock = clock
        self._finished: tuple[int, float] | None = None
        self._fallbacks: dict[str, dict[str, str]] = {}

    def run(self) -> None:
        """Update the decisions once per recalibration interval and model; do nothing if no model serves.

        Otherwise store the serving baselines again if they are missing, because every activation deletes them.

        1. Compute the decisions from the stored samples.
        2. Pass them to the serving model.
        3. Store the serving baselines, which other processes read.
        4. Log each serving baseline.

        Raises:
            StorageError: the database cannot be read or written.
        """
        now = self._clock()
        serving = self._served.serving
        if serving is None:
            return
        model_id, predictor = serving
        interval = model_id, now // RECALIBRATION_INTERVAL
        if self._finished == interval:
            self._store(model_id, self._fallbacks)
            return
        decisions = current_decisions(self._stores, now, predictor, model_id)
        self._served.set_decisions(model_id, decisions)
        fallbacks = _fallbacks(predictor.horizons, decisions)
        self._store(model_id, fallbacks)
        self._fallbacks = fallbacks
        self._finished = interval
        log.info("model recalibrated", model=model_id)
        for horizon, by_state in fallbacks.items():
            for state, name in by_state.items():
                log.warning(
                    "fallback activated", model=model_id, horizon_seconds=float(horizon), load=state, predictor=name
                )

    def _store(self, model_id: int, fallbacks: dict[str, dict[str, str]]) -> None:
        """Store the serving baselines of a model if the stored ones differ."""
        if self._stores.registry.fallbacks() != fallbacks:
            self._stores.registry.set_fallbacks(model_id, fallbacks)


def _fallbacks(horizons: Sequence[float], decisions: Sequence[FallbackDecision]) -> dict[str, dict[str, str]]:
    """Return the baselines that serve: {horizon in seconds: {"calm" or "high": name}}, without other horizons."""
    fallbacks = {}
    for horizon, decision in zip(horizons, decisions, strict=True):
        baselines = {"calm": decision.calm, "high": decision.high}
        names = {state: baseline.name for state, baseline in baselines.items() if baseline is not None}
        if names:
            fallbacks[f"{horizon:g}"] = names
    return fallbacks
