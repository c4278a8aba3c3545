"""Model salvage job: the models of a database that was moved aside serve again."""

from __future__ import annotations

from collections.abc import Callable

from monitor.config.loader import Config
from monitor.errors import MonitorError
from monitor.stores import Stores
from monitor.system.logging import get_logger
from monitor.training.bootstrap_model import fitted_model_serves
from storage import StorageError
from storage.recovery.quarantine import recently_quarantined

log = get_logger(__name__)


class ModelSalvageJob:
    """Periodic job that acts once after each opening of the database.

    A salvage may read a large file: the job has a thread of its own, while the storage writer continues.
    """

    def __init__(
        self, stores: Stores, config: Config, generation: Callable[[], int | None], clock: Callable[[], float]
    ) -> None:
        """Initialize the job.

        Args:
            stores: repositories.
            config: configuration; a model for another forecasting task does not serve.
            generation: returns the number of times that the database was opened and got its bootstrap model; None
                before the first time.
            clock: returns seconds since the epoch.
        """
        self._stores = stores
        self._config = config
        self._generation = generation
        self._clock = clock
        self._seen: int | None = None

    def run(self) -> None:
        """Copy the models of the newest file moved aside, and activate the newest one that served.

        1. Do nothing if this opening was handled, or if a model fitted on this host serves.
        2. Try the files moved aside in the last day, newest first. Their samples stay where they are: they may be
           many, and `monitor doctor --salvage FILE` copies them.

        Raises:
            StorageError: the registry cannot be read; the next run tries again.
        """
        generation = self._generation()
        path = self._stores.database.path
        if generation is None or generation == self._seen or path is None:
            return
        serves = fitted_model_serves(self._stores)
        self._seen = generation
        files = [] if serves else recently_quarantined(path, self._clock())
        for file in reversed(files):
            # Imported late: most daemons never salvage a database.
            from monitor.training.salvage import salvage  # noqa: PLC0415

            try:
                result = salvage(self._stores, self._config, file, self._clock(), samples=False)
            except (MonitorError, StorageError, OSError) as error:
                log.warning("model salvage failed", file=file, error=error)
                continue
            if result.activated is not None:
                log.info(
                    "model salvaged", model=result.activated, models_copied=result.recovered["models"], file=file
                )
                return
            log.warning("model salvage failed", file=file, error="no model that served and fits the configuration")
