"""Capacity state: newest predictions of exhausted capacity and their scores, read from the database."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.array_types import Floats
from model.capacity.baselines import BASE_RATE, PERSISTENCE, PREDICT_LINEAR
from model.capacity.tasks import FILESYSTEM, STEP, TASKS
from model.forecast.metrics import brier, calibration_error
from model.units import DAY, MINUTE
from monitor.config.capacity.section import CapacitySection
from monitor.stores import Stores
from storage import CapacityRow

MODEL = "model"

PREDICTOR_COLUMNS = {MODEL: 2, PREDICT_LINEAR: 4, PERSISTENCE: 5, BASE_RATE: 6}
"""Column of each predictor in the array of `CapacityRepository.predictions`."""

SCORED_SECONDS = 28 * DAY
"""Seconds of predictions that are scored."""

CAPACITY_SCORED_SPACING = 15 * MINUTE
"""Seconds between two scored predictions of a resource: closer ones are nearly the same."""

MIN_SCORED = 96
"""Smallest number of known outcomes for a score: one day of one resource."""

MAX_AGE = 3 * STEP
"""Age in seconds from which a row is no longer current."""


@dataclass(frozen=True)
class ResourceState:
    """Newest use and prediction of one resource.

    Attributes:
        kind: "filesystem" or "memory".
        name: mount point; "memory".
        row: newest row; its prediction is None while there is not enough history.
        limit: ratio of the size whose passing is predicted.
        horizon: seconds.
        history: seconds of history, up to those that a fit uses.
        needed: seconds of history that a prediction needs.
    """

    kind: str
    name: str
    row: CapacityRow
    limit: float
    horizon: float
    history: float
    needed: float

    @property
    def usage(self) -> float:
        """Use as a ratio."""
        return self.row.used / self.row.size

    @property
    def is_full(self) -> bool:
        """True if the limit is passed already."""
        return self.usage >= self.limit


@dataclass(frozen=True)
class CapacityScore:
    """Scores of one predictor over the predictions of one kind whose outcome is known.

    Attributes:
        kind: kind of the resources.
        horizon: seconds.
        predictor: name of the predictor.
        scored: number of scored predictions.
        events: number of them after which the limit was passed.
        unknown: number of predictions without a known outcome, because of a gap.
        brier: Brier score; None while fewer than MIN_SCORED outcomes are known.
        skill: Brier skill over the base rate; None also if there was no event.
        calibration_error: expected calibration error; None as `brier`.
    """

    kind: str
    horizon: float
    predictor: str
    scored: int
    events: int
    unknown: int
    brier: float | None
    skill: float | None
    calibration_error: float | None


@dataclass(frozen=True)
class CapacityState:
    """Predictions of exhausted capacity and their scores.

    Attributes:
        at: time of the state in seconds since the epoch.
        threshold: probability at which a warning starts; None if it was not asked for.
        resources: newest state of each resource that is present, memory last.
        scores: scores of each kind and predictor.
    """

    at: float
    threshold: float | None
    resources: tuple[ResourceState, ...] = ()
    scores: tuple[CapacityScore, ...] = ()


def read_capacity(
    stores: Stores,
    section: CapacitySection,
    threshold: float | None,
    now: float,
    scores: tuple[CapacityScore, ...] | None = None,
) -> CapacityState:
    """Read the state at a time.

    Args:
        stores: repositories.
        section: section [capacity] of the configuration.
        threshold: probability at which a warning starts.
        now: seconds since the epoch.
        scores: scores that were computed recently; None to compute them.

    Raises:
        StorageError: the database cannot be read.
    """
    states: dict[tuple[str, str], ResourceState] = {}
    for resource in stores.capacity.resources(now - MAX_AGE):
        row = stores.capacity.last(resource.id, now)
        task = TASKS.get(resource.kind)
        if row is None or task is None or row.at < now - MAX_AGE:
            continue
        limit = section.filesystem_limit if task is FILESYSTEM else section.memory_limit
        first = stores.capacity.first_at(resource.id, now - task.history)
        history = 0.0 if first is None else row.at - first
        # Sorted by time: of two file systems with one mount point, the newer one counts.
        states[resource.kind, resource.name] = ResourceState(
            resource.kind, resource.name, row, limit, task.horizon, history, task.min_history
        )
    if scores is None:
        scores = capacity_scores(stores, now - SCORED_SECONDS)
    return CapacityState(now, threshold, tuple(states.values()), scores)


def capacity_scores(stores: Stores, since: float) -> tuple[CapacityScore, ...]:
    """Return the scores of the predictions since a time, of each kind of resource and predictor.

    Kinds of which no outcome was determined yet are left out.

    Args:
        stores: repositories.
        since: seconds since the epoch.

    Raises:
        StorageError: the database cannot be read.
    """
    return tuple(score for kind in TASKS for score in _scores(stores, kind, since))


def _scores(stores: Stores, kind: str, since: float) -> list[CapacityScore]:
    """Return the scores of each predictor of one kind; empty if no outcome was determined yet."""
    rows = stores.capacity.predictions(kind, since, CAPACITY_SCORED_SPACING)
    if not len(rows):
        return []
    return [_score(kind, predictor, rows, column) for predictor, column in PREDICTOR_COLUMNS.items()]


def _score(kind: str, predictor: str, rows: Floats, column: int) -> CapacityScore:
    known = rows[~np.isnan(rows[:, -1])]
    y = known[:, -1]
    p = known[:, column]
    events = int(y.sum())
    enough = len(y) >= MIN_SCORED
    reference = brier(y, known[:, PREDICTOR_COLUMNS[BASE_RATE]])
    return CapacityScore(
        kind=kind,
        horizon=TASKS[kind].horizon,
        predictor=predictor,
        scored=len(y),
        events=events,
        unknown=len(rows) - len(known),
        brier=brier(y, p) if enough else None,
        skill=1 - brier(y, p) / reference if enough and events and reference > 0 else None,
        calibration_error=calibration_error(y, p) if enough else None,
    )
