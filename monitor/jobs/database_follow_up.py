"""Database follow-up: serving model and overview follow the database between samples."""

from __future__ import annotations

import time
from collections.abc import Callable

from monitor.config.loader import Config
from monitor.inference.loaded_model import LoadedModel
from monitor.inference.registry_follower import RegistryFollower
from monitor.inference.served_model import ServedModel
from monitor.jobs.status_refresh import StatusRefreshJob
from monitor.stores import Stores
from monitor.training.bootstrap_model import ensure_bootstrap_model, pretrained_predictor

UNREGISTERED_ID = 0
"""Model ID of the pretrained model while it is not registered, because the database is unavailable."""


class DatabaseFollowUp:
    """Work of the storage writer between two samples.

    Attributes:
        followed_generation: opening of the database, by its number, that was followed last; None before the first.
    """

    def __init__(
        self,
        config: Config,
        stores: Stores,
        served: ServedModel,
        follower: RegistryFollower,
        status_refresh: StatusRefreshJob,
        generation: Callable[[], int | None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Initialize the follow-up; its first run is due before the first sample.

        Args:
            config: configuration of the daemon.
            stores: repositories.
            served: serving model.
            follower: follows the registry for the serving model.
            status_refresh: job that reads the overview.
            generation: returns the number of times that the database was opened; None while it is unavailable.
            clock: returns seconds since the epoch.
        """
        self._config = config
        self._stores = stores
        self._served = served
        self._follower = follower
        self._status_refresh = status_refresh
        self._generation = generation
        self._clock = clock
        self.followed_generation: int | None = None
        self._pretrained_tried = False

    def run(self) -> None:
        """Follow the database, or let the pretrained model serve while it is unavailable and no other model serves.

        1. After an opening, register the bootstrap model if no usable model serves the configured task, and read the
           overview again: the database may be another one.
        2. Follow the registry.
        3. Read the overview if its model does not serve.

        Raises:
            StorageError: the database cannot be read or written; the next call tries again.
        """
        generation = self._generation()
        if generation is None:
            if self._served.loaded is None and not self._pretrained_tried:
                self._pretrained_tried = True
                self._serve_pretrained()
            return
        if generation != self.followed_generation:
            self._status_refresh.forget()
            ensure_bootstrap_model(self._stores, self._config, self._clock())
            self._status_refresh.run()
            self.followed_generation = generation
        self._follower.follow(self._clock(), generation)
        self._status_refresh.refresh_changed_model(self._served.model_id)

    def _serve_pretrained(self) -> None:
        predictor = pretrained_predictor(self._config, self._config.sampling.interval)
        if predictor is not None:
            serving = UNREGISTERED_ID, predictor
            self._served.replace(LoadedModel(serving, self._served.new_engine(serving), None))
