"""The daemon's recalibration: what the serving model would have said since it was trained, against what happened.

A model says of a stored moment what it said then, so nothing has to be kept for this but the samples.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np

from model.features import design
from model.labels import future_labels
from model.predictor import Predictor
from model.recalibration import MEMORY, RENEWED, Recalibration, recalibrations
from monitor.serving import READ_TOGETHER, ServedModel
from monitor.stores import Stores

log = logging.getLogger(__name__)

APART = 300.0
"""Seconds between two moments that are looked at: neighbours tell the same story."""


def matured(stores: Stores, predictor: Predictor, trained_until: float, now: float) -> tuple[Recalibration, ...]:
    """The recalibration of a predictor by what has come since its training.

    Args:
        stores: of the database.
        predictor: what serves.
        trained_until: seconds: what it has learned from ends here.
        now: seconds.

    Raises:
        StorageError: the samples cannot be read.
    """
    spec = predictor.spec
    since = max(trained_until, now - MEMORY)
    if since >= now:
        return (Recalibration(),) * len(predictor.horizons)
    history, at = spec.history(live=True), since - spec.needed
    times, state, moments, said, high = [], [], [], [], []
    before = -np.inf
    while at < now:
        end = min(at + READ_TOGETHER, now)
        rows = stores.samples.between(at, end, spec.columns)
        history.extend(rows[:, 0], rows[:, 1:])
        first = len(history) - len(rows)
        times.append(rows[:, 0])
        state.append(history.state[first:].copy())
        slot = rows[:, 0] // APART
        here = np.flatnonzero((rows[:, 0] > since) & (np.diff(slot, prepend=before) > 0))
        before = slot[-1] if len(slot) else before
        if len(here):
            moments.append(rows[here, 0])
            said.append(predictor.probabilities(design(spec, history, first + here)))
            high.append(history.state[first + here] == 1)
        at = end
    if not moments:
        return (Recalibration(),) * len(predictor.horizons)
    asked, known = np.concatenate(moments), np.concatenate(times)
    y = future_labels(known, np.concatenate(state), predictor.horizons, spec.step, np.searchsorted(known, asked))
    return recalibrations(asked, np.concatenate(said), y, np.concatenate(high), predictor.horizons, now)


class Recalibrating:
    """The daemon's job: renews the serving model's recalibration once a day, and when another model serves."""

    def __init__(self, stores: Stores, served: ServedModel, clock: Callable[[], float]) -> None:
        self._stores, self._served, self._clock = stores, served, clock
        self._done: tuple[int, float] | None = None

    def __call__(self) -> None:
        now, model_id, predictor = self._clock(), self._served.model_id, self._served.predictor
        if model_id is None or predictor is None or self._done == (model_id, now // RENEWED):
            return
        found = matured_today(self._stores, now, predictor, model_id)
        self._served.recalibrate(model_id, found)
        self._done = model_id, now // RENEWED
        log.info("recalibrated", extra={"fields": {"model": model_id}})


def matured_today(stores: Stores, now: float, predictor: Predictor, model_id: int) -> tuple[Recalibration, ...]:
    """The recalibration that holds on the day of a moment: by what had come when that day began."""
    return matured(stores, predictor, trained_until(stores, model_id), now - now % RENEWED)


def trained_until(stores: Stores, model_id: int) -> float:
    """Seconds: where the samples end that a model has learned from."""
    record = stores.registry.record(model_id)
    return float(record.report.get("to") or record.created_at)
