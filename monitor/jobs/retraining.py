"""Scheduled retraining: starts `monitor retrain` in a separate process."""

from __future__ import annotations

import logging
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from monitor.config.loader import Config
from monitor.system.logging import get_logger
from monitor.system.processes import exit_description, start_monitor, stop_child
from monitor.training.records import CompletedRun, completed_run, stored_run
from monitor.training.schedule import ServingState, next_retrain
from storage import TrainingOutcome, TrainingRunRepository

log = get_logger(__name__)

TRAINER_GRACE = 10.0
"""Seconds after `training.timeout`, the trainer's own deadline, at which the daemon stops the trainer."""

STOP_PATIENCE = 1.0
"""Seconds between SIGTERM and SIGKILL for a trainer beyond its deadline."""

SHUTDOWN_PATIENCE = 0.5
"""Seconds between SIGTERM and SIGKILL for a trainer when the daemon stops."""


class Conditions(Protocol):
    """Conditions of a training run."""

    @property
    def fallback_active(self) -> bool:
        """True if a fallback serves for any horizon; read from memory."""

    def serving(self) -> ServingState:
        """Return the kind of predictor that serves, which determines the interval between training runs."""

    def has_enough_history(self, now: float) -> bool:
        """Return True if the history before `now` (seconds since the epoch) suffices for a training run."""


@dataclass
class Trainer:
    """Trainer process, and the times of its start; outlives a reload of the configuration.

    Attributes:
        process: running process; None if no trainer is running.
        started_at: start in seconds since the epoch.
        deadline: time of the monotonic clock after which the process is stopped, in seconds.
        monotonic: monotonic clock; returns seconds.
    """

    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    deadline: float = 0.0
    monotonic: Callable[[], float] = time.monotonic

    def stop(self) -> None:
        """Stop a running trainer; the serving model is unaffected."""
        if self.process is not None:
            stop_child(self.process, SHUTDOWN_PATIENCE)


class RetrainingJob:
    """Periodic job that starts a trainer process when a training run is due, and supervises the process."""

    def __init__(
        self,
        config: Config,
        runs: TrainingRunRepository,
        conditions: Conditions,
        on_end: Callable[[], None] = lambda: None,
        trainer: Trainer | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Initialize the job; `run` starts the trainer.

        Args:
            config: configuration; the trainer is started with the same file.
            runs: records of past training runs.
            conditions: conditions of a training run.
            on_end: called after each training run that this job started.
            trainer: trainer that another job may have started; None for a new one.
            clock: returns the current time in seconds since the epoch.
        """
        self._config = config
        self._runs = runs
        self._conditions = conditions
        self._on_end = on_end
        self._clock = clock
        self._trainer = trainer or Trainer()
        self._not_due_before = 0.0

    def run(self) -> None:
        """Supervise the running trainer, or start one.

        1. If a trainer is running, stop it after its deadline. Once it has ended, record and log the outcome.
        2. Otherwise, start a trainer if a training run is due and the history suffices.
        """
        if self._trainer.process is not None:
            self._supervise(self._trainer.process)
        elif self._is_due(self._clock()):
            self._start()

    def _is_due(self, now: float) -> bool:
        interval = self._config.training.interval
        # The database is not read before a known due date, unless a fallback serves. A date more than one interval
        # ahead was computed while the clock was ahead, and is ignored.
        if now < self._not_due_before <= now + interval and not self._conditions.fallback_active:
            return False
        due = next_retrain(self._config.training, self._last_run(), self._last_trained(), self._conditions.serving())
        if due is not None and now < due <= now + interval:
            self._not_due_before = due
            return False
        return self._conditions.has_enough_history(now)

    def _start(self) -> None:
        self._trainer.started_at = self._clock()
        self._trainer.deadline = self._trainer.monotonic() + self._config.training.timeout + TRAINER_GRACE
        options = ["--config", str(self._config.path)] if self._config.path else []
        process = start_monitor([*options, "retrain"])
        self._trainer.process = process
        log.info("retraining started", pid=process.pid)

    def _supervise(self, process: subprocess.Popen[bytes]) -> None:
        running = process.poll() is None
        if running and self._trainer.monotonic() < self._trainer.deadline:
            return
        if running:
            stop_child(process, STOP_PATIENCE)
        self._trainer.process = None
        self._record_outcome("exceeded training.timeout" if running else exit_description(process))
        self._on_end()

    def _last_run(self) -> CompletedRun | None:
        last = self._runs.last()
        return None if last is None else completed_run(last)

    def _last_trained(self) -> CompletedRun | None:
        trained = self._runs.last_trained()
        return None if trained is None else completed_run(trained)

    def _record_outcome(self, exit_text: str) -> None:
        """Log the outcome; if the trainer recorded no run, record a failed run with `exit_text` in its reason."""
        run = self._last_run()
        if run is None or run.started_at < self._trainer.started_at - 1:
            run = CompletedRun(
                started_at=self._trainer.started_at,
                finished_at=self._clock(),
                outcome=TrainingOutcome.FAILED,
                reason=f"the trainer {exit_text}",
                model_id=None,
                report=None,
            )
            self._runs.append(stored_run(run))
        level = logging.ERROR if run.outcome == TrainingOutcome.FAILED else logging.INFO
        log.log(level, "retraining finished", outcome=run.outcome, model=run.model_id, reason=run.reason)
