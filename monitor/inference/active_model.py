"""Active model: loaded when the registry changes; damaged and failed models are quarantined."""

from __future__ import annotations

from model.errors import SerializationError
from model.forecast.predictor import Predictor
from model.forecast.serialization import loads
from monitor.inference.quarantine import ModelQuarantine, QuarantineReason, is_damage
from monitor.stores import Stores
from storage import ModelPart, StorageError

Serving = tuple[int, Predictor] | None
"""ID and predictor of the serving model; None if there is none."""


class ActiveModelLoader:
    """Loader of the model that the registry names. Not thread-safe.

    Attributes:
        inputs_out_of_range: metrics outside the training range, as stored with the active model.
    """

    def __init__(self, stores: Stores) -> None:
        self.inputs_out_of_range: tuple[str, ...] = ()
        self._registry = stores.registry
        self._quarantine = ModelQuarantine(stores.registry, ModelPart.PREDICTOR)
        self._newest_quarantined = 0
        # ID in the registry as of the last load; -1 before the first one, and after a failure of the serving model.
        self._active_id: int | None = -1

    def follow(self, serving: Serving) -> Serving:
        """Return the model to serve; it is `serving` unless the registry names another model.

        Raises:
            StorageError: the registry cannot be read.
        """
        self._quarantine.store()
        active_id, self.inputs_out_of_range = self._registry.serving()
        if active_id == self._active_id or (serving is not None and active_id == serving[0]):
            self._active_id = active_id
            return serving
        loaded = self._load(active_id)
        self._active_id = active_id
        return loaded

    def fail(self, model_id: int, error: Exception) -> None:
        """Quarantine a model that failed while it served; the next call of `follow` loads another one."""
        self._quarantine_model(model_id, QuarantineReason.FAILED, error)
        self._active_id = -1

    def is_active(self, model_id: int) -> bool:
        """Return True if the registry names the model as the active one."""
        return model_id == self._active_id

    def has_failed_since(self, model_id: int | None) -> bool:
        """Return True if a model newer than the serving one has been quarantined by this process."""
        return self._newest_quarantined > (model_id or 0)

    def _load(self, active_id: int | None) -> Serving:
        """Load the active model, or the first fallback that can be loaded; quarantine damaged models."""
        if active_id is None:
            return None
        for model_id in (active_id, *self._registry.fallback_ids()):
            if model_id in self._quarantine:
                continue
            try:
                # A damaged row would be missing on every page, so its model counts as damaged, too.
                self._registry.record(model_id)
                return model_id, loads(self._registry.blob(model_id)).fused()
            except (StorageError, SerializationError) as error:
                if not is_damage(error):
                    raise
                self._quarantine_model(model_id, QuarantineReason.UNREADABLE, error)
        return None

    def _quarantine_model(self, model_id: int, reason: QuarantineReason, error: Exception) -> None:
        self._quarantine.add(model_id, reason, error)
        self._newest_quarantined = max(self._newest_quarantined, model_id)
