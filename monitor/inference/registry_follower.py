"""Registry follower: loads the active model and its history for the serving model."""

from __future__ import annotations

import logging

from model.errors import SerializationError
from model.forecast.online import OnlineEngine
from model.forecast.serialization import loads
from monitor.inference.forecast import warm_up
from monitor.inference.loaded_model import LoadedModel, ModelFailure, Serving
from monitor.inference.quarantine import ModelQuarantine, QuarantineReason, is_damage
from monitor.inference.served_model import ServedModel
from monitor.stores import Stores
from monitor.system.log_throttle import RecurringFailure
from monitor.system.logging import get_logger
from storage import ModelPart, StorageError

log = get_logger(__name__)


class RegistryFollower:
    """Follows the registry for a serving model. For use by one thread, which may wait for the database.

    A promotion or a rollback is one row in the database; the next call of `follow` notices it. A model that cannot be
    loaded, or fails while it serves, is quarantined, and the model that served before it serves.
    """

    def __init__(self, stores: Stores, served: ServedModel) -> None:
        """Initialize the follower; its first call of `follow` loads the active model.

        Args:
            stores: repositories.
            served: serving model that receives the loaded models.
        """
        self._stores = stores
        self._served = served
        self._quarantine = ModelQuarantine(stores.registry, ModelPart.PREDICTOR)
        self._newest_quarantined = 0
        self._handled: ModelFailure | None = None
        # -1 is the ID of no model, so that the next call loads one.
        self._active_id: int | None = -1
        self._has_history = False
        self._generation = 1
        self._failure = RecurringFailure(
            log, "registry read failed", "registry read recovered", level=logging.WARNING
        )

    def reset(self) -> None:
        """Load the active model again at the next call of `follow`."""
        self._active_id = -1
        self._has_history = False

    def follow(self, until: float, generation: int = 1) -> None:
        """Pass the active model with its history to the serving model if either has changed.

        1. Quarantine the serving model if it has failed.
        2. Read the ID of the active model and the stored inputs out of range. If the model has changed, or the
           serving model has no history, load model and history.
        3. Store the inputs out of range for `monitor status` if the stored ones differ. They are read in each call,
           because every activation in the registry deletes them.

        If the database fails, the next call tries again.

        Args:
            until: time of the newest stored sample, in seconds since the epoch.
            generation: number of times that the database was opened: it may be another one after each opening.
        """
        if generation != self._generation:
            self._generation = generation
            self.reset()
        try:
            self._quarantine_failed()
            self._quarantine.store()
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
        try:
            engine = self._served.new_engine(serving)
            newest_at = warm_up(engine, self._stores, until)
        except StorageError:
            if is_new:
                self._hand_over(active_id, serving, self._served.new_engine(serving), None)
            self._has_history = False
            raise
        except Exception as error:
            if serving is None or isinstance(error, MemoryError):
                raise
            self._add_to_quarantine(serving[0], QuarantineReason.FAILED, error)
            self.reset()
            return
        self._hand_over(active_id, serving, engine, newest_at)
        self._has_history = True

    def _hand_over(
        self, active_id: int | None, serving: Serving, engine: OnlineEngine, newest_at: float | None
    ) -> None:
        loaded_id = 0 if serving is None else serving[0]
        # A quarantine may have made the loaded model the active one.
        self._active_id = loaded_id if loaded_id == self._stores.registry.active_id() else active_id
        load_failed = self._newest_quarantined > loaded_id
        self._served.replace(LoadedModel(serving, engine, newest_at, load_failed=load_failed))

    def _load(self, active_id: int | None) -> Serving:
        """Load the active model, or the first fallback that can be loaded; None if no model can be loaded.

        A damaged model is quarantined.

        Raises:
            StorageError: the database cannot be read; the model that serves continues to serve.
        """
        if active_id is None:
            return None
        registry = self._stores.registry
        for model_id in (active_id, *registry.fallback_ids()):
            if model_id in self._quarantine:
                continue
            try:
                # A model whose row is damaged would be missing in every report.
                registry.record(model_id)
                return model_id, loads(registry.blob(model_id)).fused()
            except (StorageError, SerializationError) as error:
                if not is_damage(error):
                    raise
                self._add_to_quarantine(model_id, QuarantineReason.UNREADABLE, error)
        return None

    def _quarantine_failed(self) -> None:
        """Quarantine the model that failed while it served, if any, and load another one."""
        failure = self._served.failure
        if failure is None or failure is self._handled:
            return
        self._handled = failure
        self._add_to_quarantine(failure.model_id, QuarantineReason.FAILED, failure.error)
        self.reset()

    def _add_to_quarantine(self, model_id: int, reason: QuarantineReason, error: Exception) -> None:
        self._quarantine.add(model_id, reason, error)
        self._newest_quarantined = max(self._newest_quarantined, model_id)

    def _store_inputs_out_of_range(self, stored: tuple[str, ...]) -> None:
        metrics = self._served.inputs_out_of_range
        if metrics is None or metrics == stored or self._served.model_id != self._active_id:
            return
        assert self._active_id is not None  # noqa: S101  the serving model has an ID
        self._stores.registry.set_inputs_out_of_range(self._active_id, metrics)
