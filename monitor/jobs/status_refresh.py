"""Status refresh: reads the records that the daemon exposes from the database."""

from __future__ import annotations

from collections.abc import Callable

from monitor.config.loader import Config
from monitor.queries.overview import Overview
from monitor.queries.status import read_overview
from monitor.state import LiveState
from monitor.stores import Stores
from monitor.training.coverage import HistoryCoverage


class StatusRefreshJob:
    """Periodic job that reads the overview of the database; it also runs when another model starts to serve."""

    def __init__(
        self,
        stores: Stores,
        config: Config,
        coverage: HistoryCoverage,
        publish: Callable[[Overview], None],
        clock: Callable[[], float],
    ) -> None:
        """Create the job without an overview.

        Args:
            stores: repositories.
            config: configuration.
            coverage: coverage of the stored history.
            publish: called with each overview.
            clock: seconds since the epoch.
        """
        self._stores = stores
        self._config = config
        self._coverage = coverage
        self._publish = publish
        self._clock = clock
        self._overview: Overview | None = None

    def run(self) -> None:
        """Refresh the overview.

        1. Read it; records that cannot have changed are taken from the previous one.
        2. Publish it.

        Raises:
            StorageError: the database cannot be read.
        """
        self._overview = read_overview(
            self._stores, self._config, self._clock(), before=self._overview, coverage=self._coverage
        )
        self._publish(self._overview)

    def refresh_changed_model(self, live: LiveState) -> None:
        """Refresh the overview if another model serves, so that its description matches its predictions."""
        model = self._overview.model if self._overview else None
        if live.model_id != (model.id if model else None):
            self.run()
