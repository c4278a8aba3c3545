"""Where the serving model stands: what it would have said since it was trained, and baselines, against what happened.

A model says of a stored moment what it said then, so nothing has to be kept for this but the samples.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from model.features.features import design_matrix
from model.features.labels import future_labels
from model.forecast.baselines import binned, forecasts_by_smoothing
from model.forecast.fallback import (
    APART,
    LEARNED_FROM,
    LOOKED_BACK,
    FallbackDecision,
    MaturedPredictions,
    decide_fallbacks,
)
from model.forecast.predictor import Predictor
from model.forecast.recalibration import MEMORY, RECALIBRATION_INTERVAL
from model.units import DAY
from monitor.inference.served_model import READ_SECONDS, ServedModel, stored
from monitor.stores import Stores
from monitor.system.logging import get_logger
from monitor.training.records import read_model

log = get_logger(__name__)


def matured(
    stores: Stores, predictor: Predictor, trained_until: float, now: float, precision: float
) -> tuple[FallbackDecision, ...]:
    """Where a predictor stands by what has come since its training.

    Args:
        stores: of the database.
        predictor: what serves.
        trained_until: seconds: what it has learned from ends here.
        now: seconds.
        precision: that is wanted of warnings.

    Raises:
        StorageError: the samples cannot be read.
    """
    spec, nothing = predictor.spec, (FallbackDecision(),) * len(predictor.horizons)
    if trained_until >= now:
        return nothing
    # baselines are made of what came before the training too
    since = max(min(trained_until, now - LEARNED_FROM - LOOKED_BACK * DAY), now - MEMORY)
    history = spec.history(live=True)
    times, state, index, moments, said, high = [], [], [], [], [], []
    before = -np.inf
    for rows in stored(stores, spec.columns, since - spec.needed, now, 2 * READ_SECONDS):
        history.extend(rows[:, 0], rows[:, 1:])
        first = len(history) - len(rows)
        times.append(rows[:, 0])
        state.append(history.state[first:].copy())
        index.append(history.load_index[first:].copy())
        slot = rows[:, 0] // APART
        here = np.flatnonzero((rows[:, 0] > since) & (np.diff(slot, prepend=before) > 0))
        before = slot[-1] if len(slot) else before
        if len(here):
            moments.append(rows[here, 0])
            ours = rows[here, 0] > trained_until
            p = np.full((len(here), len(predictor.horizons)), np.nan)
            if ours.any():
                p[ours] = predictor.probabilities(design_matrix(spec, history, first + here[ours]))
            said.append(p)
            high.append(history.state[first + here] == 1)
    if not moments:
        return nothing
    asked, known, load = np.concatenate(moments), np.concatenate(times), np.concatenate(index)
    places = np.searchsorted(known, asked)
    y = future_labels(known, np.concatenate(state), predictor.horizons, spec.step, places)
    forecasts = {}
    if history.bins is not None:
        width = history.bins.width
        means, bins = binned(known, load, width)
        forecasts = forecasts_by_smoothing(means, bins[places], load[places], width, predictor.horizons)
    past = MaturedPredictions(asked, np.concatenate(said), y, np.concatenate(high), load[places], forecasts)
    return decide_fallbacks(past, predictor.horizons, now, predictor.thresholds, precision)


class RecalibrationJob:
    """The daemon's job: renews the serving model's recalibration every six hours, and when another model serves."""

    def __init__(self, stores: Stores, served: ServedModel, precision: float, clock: Callable[[], float]) -> None:
        self._stores, self._served, self._precision, self._clock = stores, served, precision, clock
        self._done: tuple[int, float] | None = None

    def __call__(self) -> None:
        now, model_id, predictor = self._clock(), self._served.model_id, self._served.predictor
        if model_id is None or predictor is None or self._done == (model_id, now // RECALIBRATION_INTERVAL):
            return
        found = current_decisions(self._stores, now, self._precision, predictor, model_id)
        self._served.recalibrate(model_id, found)
        instead = {
            f"{horizon:g}": {
                state: by.name for state, by in (("calm", standing.calm), ("high", standing.high)) if by is not None
            }
            for horizon, standing in zip(predictor.horizons, found, strict=True)
        }
        self._stores.registry.set_fallbacks(model_id, {h: states for h, states in instead.items() if states})
        self._done = model_id, now // RECALIBRATION_INTERVAL
        log.info("model recalibrated", model=model_id)
        for horizon, states in instead.items():
            for state, name in states.items():
                log.warning(
                    "fallback activated", model=model_id, horizon_seconds=float(horizon), load=state, predictor=name
                )


def current_decisions(
    stores: Stores, now: float, precision: float, predictor: Predictor, model_id: int
) -> tuple[FallbackDecision, ...]:
    """Where a predictor stands at a moment: by what had come when its quarter of the day began."""
    until = read_model(stores, model_id).trained_until
    return matured(stores, predictor, until, now - now % RECALIBRATION_INTERVAL, precision)
