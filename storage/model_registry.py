"""Model registry: models of one host, and the ID of the active model."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, select, update

from storage.database import Database
from storage.errors import StorageError, StorageErrorKind, UnknownModelError
from storage.records import ModelRecord
from storage.schema import LOCAL_HOST_ID, models, serving

_COLUMNS = models.c["id", "created_at", "sha256", "size", "report", "promoted_at"]
_SERVING = select(serving.c.model_id, serving.c.inputs_out_of_range).where(serving.c.host_id == bindparam("host_id"))
_ACTIVE = select(serving.c.model_id).where(serving.c.host_id == bindparam("host_id"))

Fallbacks = dict[str, dict[str, str]]
"""Name of the baseline that serves instead of the model, for each horizon (seconds, as text) and load state."""


class ModelRegistry:
    """Models of one host. Every method raises StorageError if the database refuses the operation."""

    def __init__(self, database: Database, host_id: int = LOCAL_HOST_ID) -> None:
        self._database = database
        self._host_id = host_id

    def register(self, blob: bytes, report_json: str, at: float, detector: bytes | None = None) -> int:
        """Store a model without promoting it.

        Args:
            blob: serialized model.
            report_json: training report as JSON text.
            at: time of training, in seconds since the epoch.
            detector: serialized anomaly detector with its checksum; None if the model has no detector.

        Returns:
            The ID of the model. IDs increase and are never reused.
        """
        query = insert(models).values(
            host_id=self._host_id,
            created_at=at,
            sha256=_checksum(blob),
            size=len(blob),
            report=report_json,
            blob=blob,
            detector=detector,
        )
        with self._database.writing() as connection:
            return int(connection.execute(query.returning(models.c.id)).scalar_one())

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
            self._activate(connection, model_id)

    def active_id(self) -> int | None:
        """Return the ID of the active model; None if there is none."""
        return self.serving()[0]

    def serving(self) -> tuple[int | None, tuple[str, ...]]:
        """Return the ID of the active model, if any, and its inputs out of range; both are read in one query."""
        with self._database.reading() as connection:
            row = connection.execute(_SERVING, {"host_id": self._host_id}).one_or_none()
        return (None, ()) if row is None else (row.model_id, tuple(row.inputs_out_of_range or ()))

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
        query = select(serving.c.fallbacks).where(serving.c.host_id == self._host_id)
        with self._database.reading() as connection:
            return connection.scalar(query) or {}

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

    def blob(self, model_id: int) -> bytes:
        """Return the serialized model after a check of its SHA-256.

        Raises:
            UnknownModelError: the host has no such model.
            StorageError: the SHA-256 does not match; SQLite's integrity checks do not detect a flipped bit.
        """
        query = select(models.c.blob, models.c.sha256).where(self._is(model_id))
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise self._unknown(model_id)
        if _checksum(row.blob) != row.sha256:
            detail = f"model {model_id} is damaged: its checksum does not match"
            raise StorageError.of_kind(StorageErrorKind.MODEL_DAMAGED, self._database.name, detail)
        return bytes(row.blob)

    def detector(self, model_id: int) -> bytes | None:
        """Return the serialized anomaly detector of a model; None if the model has no detector.

        Raises:
            UnknownModelError: the host has no such model.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(models.c.detector).where(self._is(model_id))).one_or_none()
        if row is None:
            raise self._unknown(model_id)
        return None if row.detector is None else bytes(row.detector)

    def find_id(self, blob: bytes, detector: bytes | None) -> int | None:
        """Return the ID of the newest model with the same bytes and the same detector; None if there is none."""
        same_detector = models.c.detector.is_(None) if detector is None else models.c.detector == detector
        same_model = (models.c.host_id == self._host_id, models.c.sha256 == _checksum(blob))
        with self._database.reading() as connection:
            model_id: int | None = connection.scalar(select(func.max(models.c.id)).where(*same_model, same_detector))
        return model_id

    def record(self, model_id: int) -> ModelRecord:
        """Return the metadata of a model, without the serialized model.

        Raises:
            UnknownModelError: the host has no such model.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(*_COLUMNS).where(self._is(model_id))).one_or_none()
        if row is None:
            raise self._unknown(model_id)
        return ModelRecord(*row)

    def history(self, limit: int = 50) -> list[ModelRecord]:
        """Return the metadata of the newest models, at most `limit`, newest first."""
        query = select(*_COLUMNS).where(models.c.host_id == self._host_id).order_by(models.c.id.desc())
        with self._database.reading() as connection:
            return [ModelRecord(*row) for row in connection.execute(query.limit(limit))]

    def previous_id(self, model_id: int) -> int | None:
        """Return the ID of the newest promoted model older than `model_id`; None if there is none."""
        with self._database.reading() as connection:
            return self._previous(connection, model_id)

    def rollback(self, model_id: int | None, at: float) -> int:
        """Make another model the active model; keep the `promoted_at` of a model that was promoted before.

        Args:
            model_id: ID of the model; None for the newest promoted model older than the active model.
            at: time of the rollback in seconds since the epoch, stored as `promoted_at` of a model without one.

        Returns:
            The ID of the active model.

        Raises:
            UnknownModelError: the host has no such model.
            StorageError: `model_id` is None, and no model is active or no older model was promoted.
        """
        with self._database.writing() as connection:
            target = self._previously_active(connection) if model_id is None else model_id
            self._require(connection, target)
            never_promoted = (models.c.id == target, models.c.promoted_at.is_(None))
            connection.execute(update(models).where(*never_promoted).values(promoted_at=at))
            self._activate(connection, target)
        return target

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
            active = self._active(connection)
            if active is not None:
                kept |= {active, self._previous(connection, active)} - {None}
            old = (models.c.host_id == self._host_id, models.c.id.not_in(kept))
            return connection.execute(delete(models).where(*old)).rowcount

    def _is(self, model_id: int) -> ColumnElement[bool]:
        return (models.c.host_id == self._host_id) & (models.c.id == model_id)

    def _unknown(self, model_id: int) -> UnknownModelError:
        return UnknownModelError(f"{self._database.name}: there is no model {model_id}")

    def _require(self, connection: Connection, model_id: int) -> None:
        if connection.scalar(select(models.c.id).where(self._is(model_id))) is None:
            raise self._unknown(model_id)

    def _active(self, connection: Connection) -> int | None:
        model_id: int | None = connection.scalar(_ACTIVE, {"host_id": self._host_id})
        return model_id

    def _previous(self, connection: Connection, model_id: int) -> int | None:
        earlier = (models.c.host_id == self._host_id, models.c.id < model_id, models.c.promoted_at.is_not(None))
        previous: int | None = connection.scalar(select(func.max(models.c.id)).where(*earlier))
        return previous

    def _previously_active(self, connection: Connection) -> int:
        active = self._active(connection)
        previous = None if active is None else self._previous(connection, active)
        if previous is not None:
            return previous
        detail = "no model is active" if active is None else f"no model was active before model {active}"
        raise StorageError.of_kind(StorageErrorKind.NO_PREVIOUS_MODEL, self._database.name, detail)

    def _activate(self, connection: Connection, model_id: int) -> None:
        """Make a model active; clear the fallbacks and the inputs out of range if another model was active."""
        active = self._active(connection)
        if active is None:
            connection.execute(insert(serving).values(host_id=self._host_id, model_id=model_id))
        elif active != model_id:
            own = serving.c.host_id == self._host_id
            values = {"model_id": model_id, "fallbacks": None, "inputs_out_of_range": None}
            connection.execute(update(serving).where(own).values(values))


def _checksum(blob: bytes) -> str:
    return hashlib.sha256(blob).hexdigest()
