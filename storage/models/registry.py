"""Model registry: models of one host, the active model, rollbacks and quarantine."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, select, update

from storage.errors import StorageError, StorageErrorKind
from storage.models.serving_history import Fallbacks, ModelPart, QuarantinedModel
from storage.models.store import ModelStore
from storage.schema import models, serving


class ModelRegistry(ModelStore):
    """Models of one host. Every method raises StorageError if the database refuses the operation."""

    def promote(self, model_id: int, at: float) -> None:
        """Make a model the active model, and store the time of the promotion.

        Args:
            model_id: ID of the model.
            at: time of the promotion, in seconds since the epoch.

        Raises:
            UnknownModelError: the host has no such model.
        """
        with self._database.writing() as connection:
            self._require(connection, model_id)
            connection.execute(update(models).where(models.c.id == model_id).values(promoted_at=at))
            self._history.activate(connection, model_id, at)

    def active_id(self) -> int | None:
        """Return the ID of the active model; None if there is none."""
        return self.serving()[0]

    def serving(self) -> tuple[int | None, tuple[str, ...]]:
        """Return the ID of the active model, if any, and its inputs out of range; both are read in one query."""
        with self._database.reading() as connection:
            active = self._history.active(connection)
        return (None, ()) if active is None else (active.model_id, active.inputs_out_of_range)

    def set_fallbacks(self, model_id: int, fallbacks: Fallbacks) -> None:
        """Store the fallbacks of a model; do nothing if the model is no longer active.

        Args:
            model_id: ID of the model.
            fallbacks: baseline for each horizon and load state; see `Fallbacks`.
        """
        active = (serving.c.host_id == self._host_id, serving.c.model_id == model_id)
        with self._database.writing() as connection:
            connection.execute(update(serving).where(*active).values(fallbacks=fallbacks or None))

    def fallbacks(self) -> Fallbacks:
        """Return the fallbacks of the active model; empty if no baseline serves or no model is active."""
        with self._database.reading() as connection:
            active = self._history.active(connection)
        return {} if active is None else active.fallbacks

    def set_inputs_out_of_range(self, model_id: int, metrics: Sequence[str]) -> None:
        """Store the metrics outside the training range of a model; do nothing if the model is no longer active.

        Args:
            model_id: ID of the model, which predicts without the metrics.
            metrics: names of the metrics; empty if every input is in range.
        """
        active = (serving.c.host_id == self._host_id, serving.c.model_id == model_id)
        with self._database.writing() as connection:
            connection.execute(update(serving).where(*active).values(inputs_out_of_range=list(metrics) or None))

    def inputs_out_of_range(self) -> tuple[str, ...]:
        """Return the metrics outside the training range of the active model; empty if there are none."""
        return self.serving()[1]

    def detector_model_id(self) -> int | None:
        """Return the ID of the model whose detector serves; None if there is none.

        It is the active model. While its detector is quarantined, it is the first fallback of which that is not true.
        """
        with self._database.reading() as connection:
            active = self._history.active(connection)
            if active is None:
                return None
            excluded = {
                entry.model_id for entry in self._history.quarantined(connection) if entry.part is ModelPart.DETECTOR
            }
            ids = (active.model_id, *self._history.fallback_ids(connection, active.model_id))
        return next((model_id for model_id in ids if model_id not in excluded), None)

    def fallback_ids(self) -> list[int]:
        """Return the models that may serve instead of the active model, the one that served last first.

        Quarantined models are left out. All promoted models count if no model is active.
        """
        with self._database.reading() as connection:
            active = self._history.active(connection)
            return self._history.fallback_ids(connection, None if active is None else active.model_id)

    def rollback(self, model_id: int | None, at: float) -> int:
        """Make another model the active model; keep the `promoted_at` of a model that was promoted before.

        A model that is named may be quarantined: this ends its quarantine.

        Args:
            model_id: ID of the model; None for the model that served before the active model.
            at: time of the rollback in seconds since the epoch, stored as `promoted_at` of a model without one.

        Returns:
            The ID of the active model.

        Raises:
            UnknownModelError: the host has no such model.
            StorageError: `model_id` is None, and no model is active or no other model served before.
        """
        with self._database.writing() as connection:
            if model_id is None:
                model_id = self._previously_active(connection)
                self._history.go_back_to(connection, model_id, at)
                return model_id
            self._require(connection, model_id)
            never_promoted = (models.c.id == model_id, models.c.promoted_at.is_(None))
            connection.execute(update(models).where(*never_promoted).values(promoted_at=at))
            self._history.activate(connection, model_id, at)
        return model_id

    def quarantine(self, failed: QuarantinedModel) -> int | None:
        """Store the failure of a serving model, and return the ID of the active model, if any.

        If the predictor of the active model failed, the model that served before it becomes active.

        Raises:
            UnknownModelError: the host has no such model.
        """
        with self._database.writing() as connection:
            self._require(connection, failed.model_id)
            self._history.quarantine(connection, failed)
            active = self._history.active(connection)
        return None if active is None else active.model_id

    def quarantined(self) -> list[QuarantinedModel]:
        """Return the failures of the quarantined models, ordered by model."""
        with self._database.reading() as connection:
            return self._history.quarantined(connection)

    def prune(self, keep: int) -> int:
        """Delete all models but the newest, the active model and the model that a rollback would activate.

        Args:
            keep: number of newest models that are not deleted.

        Returns:
            The number of models deleted.
        """
        newest = select(models.c.id).where(models.c.host_id == self._host_id).order_by(models.c.id.desc())
        with self._database.writing() as connection:
            kept = set(connection.scalars(newest.limit(keep)))
            active = self._history.active(connection)
            if active is not None:
                kept |= {active.model_id, *self._history.fallback_ids(connection, active.model_id)[:1]}
            old = (models.c.host_id == self._host_id, models.c.id.not_in(kept))
            deleted = connection.execute(delete(models).where(*old)).rowcount
            self._history.forget_deleted(connection)
        return deleted

    def _previously_active(self, connection: Connection) -> int:
        active = self._history.active(connection)
        if active is not None:
            for model_id in self._history.fallback_ids(connection, active.model_id):
                return model_id
        detail = "no model is active" if active is None else f"no model served before model {active.model_id}"
        raise StorageError.of_kind(StorageErrorKind.NO_PREVIOUS_MODEL, self._database.name, detail)
