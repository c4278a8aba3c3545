"""Status refresh job: reads the database records that the daemon exposes."""

from __future__ import annotations

from collections.abc import Callable

from monitor.config.loader import Config
from monitor.queries.overview import Overview
from monitor.queries.status import read_overview
from monitor.stores import Stores
from monitor.training.coverage import HistoryCoverage


class StatusRefreshJob:
    """Periodic job that reads and publishes the overview; it also runs after the serving model has changed."""

    def __init__(
        self,
        stores: Stores,
        config: Config,
        coverage: HistoryCoverage,
        publish: Callable[[Overview], None],
        clock: Callable[[], float],
    ) -> None:
        """Initialize the job; its first run reads the first overview.

        Args:
            stores: repositories that the overview is read from.
            config: configuration of the daemon.
            coverage: cached measurement of the time that the stored history covers.
            publish: called with each overview.
            clock: returns the current time in seconds since the epoch.
        """
        self._stores = stores
        self._config = config
        self._coverage = coverage
        self._publish = publish
        self._clock = clock
        self._overview: Overview | None = None
        # The overview has no model while its row is damaged: comparing with it alone would read in every cycle.
        self._refreshed_model_id: int | None = None

    def run(self) -> None:
        """Read the overview from the database and pass it to `publish`.

        Unchanged parts are copied from the previous overview.

        Raises:
            StorageError: the database cannot be read.
        """
        self._overview = read_overview(
            self._stores, self._config, self._clock(), before=self._overview, coverage=self._coverage
        )
        self._publish(self._overview)

    def forget(self) -> None:
        """Read everything at the next run: the database may be another one."""
        self._overview = None

    def refresh_changed_model(self, model_id: int | None) -> None:
        """Read and publish the overview if the serving model has changed since the last call.

        Args:
            model_id: ID of the serving model; None if there is none.

        Raises:
            StorageError: the database cannot be read.
        """
        model = self._overview.model if self._overview else None
        is_changed = model_id not in (self._refreshed_model_id, model.id if model else None)
        self._refreshed_model_id = model_id
        if is_changed:
            self.run()
