"""When to retrain, and the process that does it.

The daemon decides only when: what a retraining is stands in `retraining.py`, and runs as the same command that an
administrator types.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Callable

from monitor.config.loader import Config
from monitor.daemon.process import TRAINER_GRACE, exit_reason, stop_child
from monitor.system.logging import get_logger
from monitor.training.records import CompletedRun, completed_run, stored_run
from monitor.training.schedule import Serving, next_retrain
from storage import TrainingRuns

log = get_logger(__name__)


class RetrainSchedule:
    """Looked at every few seconds; starts a trainer when one is due, and ends one that does not end."""

    def __init__(
        self,
        config: Config,
        runs: TrainingRuns,
        enough: Callable[[float], bool],
        serving: Callable[[], Serving],
        on_end: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """A schedule.

        Args:
            config: the whole configuration; the trainer is started with the same file and database.
            runs: past retrainings.
            enough: whether the history is long enough at a moment.
            serving: whether a model of this host serves, and well.
            on_end: called after a retraining that this schedule started.
            clock: seconds since the epoch.
            monotonic: seconds that only grow.
        """
        self._config, self._runs, self._enough, self._serving = config, runs, enough, serving
        self._on_end, self._clock, self._monotonic = on_end, clock, monotonic
        self._trainer: subprocess.Popen[bytes] | None = None
        self._started = self._deadline = 0.0
        self._look_again = 0.0

    def __call__(self) -> None:
        if self._trainer is not None:
            self._watch(self._trainer)
        elif self._due(self._clock()):
            self._start()

    def close(self) -> None:
        """Ends a running trainer; the serving model stays."""
        if self._trainer is not None:
            stop_child(self._trainer, patience=0.5)

    def _due(self, now: float) -> bool:
        # Nothing that others do can bring a known date forward: until then the database is left alone. A date far
        # ahead was written by a clock that was ahead, and must not hold back for years.
        serving = self._serving()
        if serving != "behind" and now < self._look_again <= now + self._config.training.interval:
            return False
        due = next_retrain(self._config.training, self._last_run(), serving)
        if due is not None and now < due <= now + self._config.training.interval:
            self._look_again = due
            return False
        return self._enough(now)

    def _start(self) -> None:
        self._started = self._clock()
        self._deadline = self._monotonic() + self._config.training.timeout + TRAINER_GRACE
        config = ["--config", str(self._config.path)] if self._config.path else []
        command = [sys.executable, "-m", "monitor", *config, "retrain"]
        self._trainer = subprocess.Popen(  # noqa: S603 - our own interpreter and our own command
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        log.info("retraining started", pid=self._trainer.pid)

    def _watch(self, trainer: subprocess.Popen[bytes]) -> None:
        code = trainer.poll()
        if code is None and self._monotonic() < self._deadline:
            return
        if code is None:
            stop_child(trainer, patience=1.0)
        self._trainer = None
        self._conclude(exit_reason(trainer))
        self._on_end()

    def _last_run(self) -> CompletedRun | None:
        last = self._runs.last()
        return None if last is None else completed_run(last)

    def _conclude(self, reason: str) -> None:
        """Logs what came of it; a trainer that died without a word has its run recorded here."""
        last = self._last_run()
        if last is None or last.started_at < self._started - 1:
            last = CompletedRun(
                started_at=self._started,
                finished_at=self._clock(),
                outcome="failed",
                reason=f"the trainer {reason}",
                model_id=None,
                report=None,
            )
            self._runs.append(stored_run(last))
        level = logging.ERROR if last.outcome == "failed" else logging.INFO
        log.log(level, "retraining finished", outcome=last.outcome, model=last.model_id, reason=last.reason)
