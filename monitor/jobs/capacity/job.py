"""Capacity job: records the use of all resources, and predicts their exhaustion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from model.capacity.baselines import base_rate
from model.capacity.forecaster import CapacityForecaster
from model.capacity.tasks import FILESYSTEM, STEP, TASKS, CapacityTask
from model.capacity.usage_grid import usage_grid
from model.forecast.calibration import Calibration
from model.forecast.log_odds import logit, sigmoid
from model.forecast.online.hysteresis import WarningHysteresis, release_threshold, start_threshold
from model.forecast.online.recalibration import fit_recent
from model.units import DAY, HOUR
from monitor.config.loader import Config
from monitor.jobs.capacity.outcomes import store_outcomes
from monitor.jobs.capacity.recorder import CapacityRecorder, Filesystems, mounted_filesystems
from monitor.queries.capacity import CAPACITY_SCORED_SPACING, CapacityState, read_capacity
from monitor.stores import Stores
from monitor.system.logging import get_logger
from storage import CapacityResource, CapacityRow

log = get_logger(__name__)

CORRECTION_INTERVAL = HOUR
"""Seconds between two fits of the recalibrations and two computations of the scores."""

CORRECTION_HISTORY = 35 * DAY
"""Seconds of outcomes that a recalibration uses."""

FORGET_AFTER = DAY
"""Seconds without a row after which the models of a resource are dropped."""


@dataclass(frozen=True)
class Correction:
    """Recalibration and base rate of one kind of resource, from the outcomes known so far."""

    calibration: Calibration = field(default_factory=Calibration)
    base_rate: float = field(default_factory=lambda: base_rate(0, 0))


@dataclass
class _Watched:
    """Models and warning state of one resource."""

    forecaster: CapacityForecaster
    hysteresis: WarningHysteresis
    seen_at: float
    warning: bool = False


class CapacityJob:
    """Periodic job: use, outcomes, predictions and warnings of all resources. For use by one thread."""

    def __init__(
        self,
        stores: Stores,
        config: Config,
        publish: Callable[[CapacityState], None],
        clock: Callable[[], float],
        filesystems: Filesystems = mounted_filesystems,
    ) -> None:
        """Initialize the job; the models are fitted at its first run.

        Args:
            stores: repositories.
            config: limits and target precision.
            publish: called with the state after each run.
            clock: returns the current time in seconds since the epoch.
            filesystems: returns the use of the file systems.
        """
        self._stores = stores
        self._section = config.capacity
        self._threshold = start_threshold(config.warning.precision)
        self._publish = publish
        self._clock = clock
        self._recorder = CapacityRecorder(stores, config.capacity, filesystems)
        self._watched: dict[int, _Watched] = {}
        self._corrections: dict[str, Correction] = {}
        self._corrected_at: float | None = None
        self._state: CapacityState | None = None

    def run(self) -> None:
        """Record the use of each resource with a prediction, determine outcomes, and publish the state.

        1. Read the use of the memory and of each file system.
        2. Store the outcomes of the predictions whose horizon has passed.
        3. Once per CORRECTION_INTERVAL, fit the recalibrations to the outcomes.
        4. Predict, update the warning, and store the row.
        5. Publish what is stored.

        Raises:
            OSError: the table of mounts cannot be read.
            StorageError: the database cannot be read or written.
        """
        now = self._clock() // STEP * STEP
        readings = list(self._recorder.read(now))
        for resource, _ in readings:
            store_outcomes(self._stores, resource.id, TASKS[resource.kind], now)
        refreshes = self._corrected_at is None or not 0 <= now - self._corrected_at < CORRECTION_INTERVAL
        if refreshes:
            self._corrections = {kind: self._correction(task, now) for kind, task in TASKS.items()}
            self._corrected_at = now
        rows = [self._predicted(resource, row) for resource, row in readings]
        self._stores.capacity.add(rows)
        self._forget(now)
        previous = None if refreshes or self._state is None else self._state.scores
        self._state = read_capacity(self._stores, self._section, self._threshold, now, previous)
        self._publish(self._state)

    def _predicted(self, resource: CapacityResource, row: CapacityRow) -> CapacityRow:
        """Return a row with its prediction; unchanged if the history is too short."""
        task = TASKS[resource.kind]
        limit = self._section.filesystem_limit if task is FILESYSTEM else self._section.memory_limit
        history = self._stores.capacity.usage(resource.id, row.at - task.history, row.at)
        history = history[history[:, 0] < row.at]
        rows = np.concatenate((history[:, :3], [[row.at, row.used, row.peak]]))
        watched = self._watched_resource(resource, task, row.at)
        grid = usage_grid(rows[:, 0], rows[:, 1], rows[:, 2], STEP)
        forecast = watched.forecaster.forecast(grid, row.size, row.at, limit)
        if forecast is None:
            return row
        correction = self._corrections[task.kind]
        is_full = row.used >= limit * row.size
        p = 1.0 if is_full else float(sigmoid(correction.calibration(logit(np.array(forecast.probability)))))
        warning = self._warning(watched, row.at, p, is_full=is_full)
        if warning and not watched.warning:
            log.warning(
                "capacity warning started", kind=resource.kind, resource=resource.name, probability=round(p, 3)
            )
        elif watched.warning and not warning:
            log.info("capacity warning ended", kind=resource.kind, resource=resource.name, exhausted=is_full)
        watched.warning = warning
        return replace(
            row,
            limit_ratio=limit,
            probability=p,
            model_probability=forecast.probability,
            full_seconds=forecast.full_seconds,
            predict_linear=forecast.predict_linear,
            persistence=forecast.persistence,
            base_rate=correction.base_rate,
            warning=warning,
        )

    def _watched_resource(self, resource: CapacityResource, task: CapacityTask, now: float) -> _Watched:
        """Return models and warning state of a resource; a new process continues the stored warning."""
        watched = self._watched.get(resource.id)
        if watched is None:
            watched = _Watched(CapacityForecaster(task), WarningHysteresis(1, (task.horizon,), 0.0), now)
            last = self._stores.capacity.last(resource.id, now - STEP / 2)
            if last is not None and last.warning and now - last.at < task.horizon:
                self._warning(watched, last.at, 1.0, is_full=False)
                watched.warning = True
            self._watched[resource.id] = watched
        watched.seen_at = now
        return watched

    def _warning(self, watched: _Watched, at: float, probability: float, *, is_full: bool) -> bool:
        """Update the warning of a resource, and return its state; a full resource is no longer warned of."""
        start = np.full((1, 1, 1), self._threshold)
        _, states = watched.hysteresis.update(
            np.array([[at]]),
            np.array([[[probability]]]),
            (start, release_threshold(start)),
            np.array([[is_full]]),
            np.array([[at if is_full else -np.inf]]),
        )
        return bool(states[0, 0, 0])

    def _correction(self, task: CapacityTask, now: float) -> Correction:
        """Return recalibration and base rate of a kind; outcomes of all its resources count."""
        rows = self._stores.capacity.predictions(task.kind, now - CORRECTION_HISTORY, CAPACITY_SCORED_SPACING)
        known = rows[~np.isnan(rows[:, 7])]
        if not len(known):
            return Correction()
        resources = max(1, len(set(known[:, 0].tolist())))
        step = CAPACITY_SCORED_SPACING / resources
        fitted = fit_recent(known[:, 1], known[:, 3], known[:, 7], task.horizon, now, step)
        return Correction(fitted, base_rate(len(known), int(known[:, 7].sum())))

    def _forget(self, now: float) -> None:
        """Drop the models of resources that are no longer mounted."""
        self._watched = {
            resource_id: watched
            for resource_id, watched in self._watched.items()
            if abs(now - watched.seen_at) < FORGET_AFTER
        }
