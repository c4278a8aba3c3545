"""Registry follower: loads the active model and its history for the serving model."""

from __future__ import annotations

import logging

from model.errors import SerializationError
from model.forecast.online import OnlineEngine
from model.forecast.serialization import loads
from monitor.inference.forecast import warm_up
from monitor.inference.served_model import LoadedModel, ServedModel, Serving
from monitor.stores import Stores
from monitor.system.log_throttle import RecurringFailure
from monitor.system.logging import get_logger
from storage import StorageError

log = get_logger(__name__)


class RegistryFollower:
    """Follows the registry for a serving model. For use by one thread, which may wait for the database.

    A promotion or a rollback is one row in the database; the next call of `follow` notices it.
    """

    def __init__(self, stores: Stores, served: ServedModel) -> None:
        """Initialize the follower; its first call of `follow` loads the active model.

        Args:
            stores: repositories.
            served: serving model that receives the loaded models.
        """
        self._stores = stores
        self._served = served
        self._active_id: int | None = None
        self._has_history = False
        self._failure = RecurringFailure(
            log, "registry read failed", "registry read recovered", level=logging.WARNING
        )

    def reset(self) -> None:
        """Load the active model again at the next call of `follow`: the database is another one."""
        self._active_id = None
        self._has_history = False

    def follow(self, until: float) -> None:
        """Pass the active model with its history to the serving model if either has changed.

        1. Read the ID of the active model and the stored inputs out of range.
        2. If the model has changed, or the serving model has no history, load model and history.
        3. Store the inputs out of range for `monitor status` if the stored ones differ. They are read in each call,
           because every activation in the registry deletes them.

        If the database fails, the next call tries again.

        Args:
            until: time of the newest stored sample, in seconds since the epoch.
        """
        try:
            active_id, stored = self._stores.registry.serving()
            if active_id != self._active_id or not self._has_history or self._served.needs_history:
                self._replace(active_id, until)
            self._store_inputs_out_of_range(stored)
        except StorageError as error:
            self._failure.failure(error=error)
        else:
            self._failure.success()

    def _replace(self, active_id: int | None, until: float) -> None:
        """Load the active model, or take the one loaded before, and read its history.

        Raises:
            StorageError: the history cannot be read; a new model serves without it until the next call.
        """
        is_new = active_id != self._active_id
        serving = self._load(active_id) if is_new else self._served.loaded
        engine = self._served.new_engine(serving)
        try:
            newest_at = warm_up(engine, self._stores, until)
        except StorageError:
            if is_new:
                self._hand_over(active_id, serving, self._served.new_engine(serving), None)
            self._has_history = False
            raise
        self._hand_over(active_id, serving, engine, newest_at)
        self._has_history = True

    def _hand_over(
        self, active_id: int | None, serving: Serving, engine: OnlineEngine, newest_at: float | None
    ) -> None:
        self._active_id = active_id
        loaded_id = None if serving is None else serving[0]
        self._served.replace(LoadedModel(serving, engine, newest_at, load_failed=active_id != loaded_id))

    def _load(self, model_id: int | None) -> Serving:
        """Load a model, or the newest earlier promoted model if this fails; return None if no model can be loaded."""
        while model_id is not None:
            try:
                return model_id, loads(self._stores.registry.blob(model_id)).fused()
            except (StorageError, SerializationError) as error:
                log.error("model load failed", model=model_id, error=error)
                model_id = self._stores.registry.previous_id(model_id)
        return None

    def _store_inputs_out_of_range(self, stored: tuple[str, ...]) -> None:
        metrics = self._served.inputs_out_of_range
        if metrics is None or metrics == stored or self._served.model_id != self._active_id:
            return
        assert self._active_id is not None  # noqa: S101  the serving model has an ID
        self._stores.registry.set_inputs_out_of_range(self._active_id, metrics)
