"""Model store: serialized models of one host with their reports, checked when they are read."""

from __future__ import annotations

import hashlib

from sqlalchemy import ColumnElement, Connection, func, insert, select

from storage.database import Database
from storage.errors import StorageError, StorageErrorKind, UnknownModelError
from storage.models.sealed_text import seal, unseal
from storage.models.serving_history import ModelPart, ServingHistory
from storage.records import ModelRecord
from storage.rows import raw_rows, record_decoder
from storage.schema import LOCAL_HOST_ID, models

_COLUMNS = models.c["id", "created_at", "sha256", "size", "report", "promoted_at"]
_DECODER = record_decoder(models.name, ModelRecord, {"report_json": unseal})


class ModelStore:
    """Stored models of one host. Every method raises StorageError if the database refuses the operation."""

    def __init__(self, database: Database, host_id: int = LOCAL_HOST_ID) -> None:
        self._database = database
        self._host_id = host_id
        self._history = ServingHistory(host_id, database.damaged_rows)

    def register(
        self,
        blob: bytes,
        report_json: str,
        at: float,
        detector: bytes | None = None,
        *,
        promoted_at: float | None = None,
    ) -> int:
        """Store a model without making it the active model.

        Args:
            blob: serialized model.
            report_json: training report as JSON text.
            at: time of training, in seconds since the epoch.
            detector: serialized anomaly detector with its checksum; None if the model has no detector.
            promoted_at: time of its promotion in another database, in seconds since the epoch; None for none.

        Returns:
            The ID of the model. IDs increase and are never reused.
        """
        query = insert(models).values(
            host_id=self._host_id,
            created_at=at,
            sha256=_checksum(blob),
            size=len(blob),
            promoted_at=promoted_at,
            report=seal(report_json),
            blob=blob,
            detector=detector,
        )
        with self._database.writing() as connection:
            return int(connection.execute(query.returning(models.c.id)).scalar_one())

    def blob(self, model_id: int) -> bytes:
        """Return the serialized model after a check of its SHA-256.

        Raises:
            UnknownModelError: the host has no such model.
            StorageError: the SHA-256 does not match; SQLite's integrity checks do not detect a flipped bit.
        """
        query = select(models.c.blob, models.c.sha256).where(self._is(model_id))
        with self._database.reading() as connection:
            row = next(raw_rows(connection, query), None)
        if row is None:
            raise self._unknown(model_id)
        blob, sha256 = row
        if not isinstance(blob, bytes) or _checksum(blob) != sha256:
            raise self._damaged(model_id, "its checksum does not match")
        return blob

    def detector(self, model_id: int) -> bytes | None:
        """Return the serialized anomaly detector of a model; None if it has none or its detector is quarantined.

        Raises:
            UnknownModelError: the host has no such model.
            StorageError: the stored value is not a sequence of bytes.
        """
        with self._database.reading() as connection:
            row = next(raw_rows(connection, select(models.c.detector).where(self._is(model_id))), None)
            quarantined = self._history.quarantined(connection)
        if row is None:
            raise self._unknown(model_id)
        (detector,) = row
        excluded = {entry.model_id for entry in quarantined if entry.part is ModelPart.DETECTOR}
        if detector is None or model_id in excluded:
            return None
        if not isinstance(detector, bytes):
            raise self._damaged(model_id, "its detector is not a sequence of bytes")
        return detector

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
            StorageError: the row is damaged.
        """
        query = select(*_COLUMNS).where(self._is(model_id))
        with self._database.reading() as connection:
            self._require(connection, model_id)
            record = _DECODER.first(self._database.damaged_rows, connection, query)
        if record is None:
            raise self._damaged(model_id, "its row has values of unexpected types")
        return record

    def ids(self) -> list[int]:
        """Return the IDs of all models, oldest first."""
        query = select(models.c.id).where(models.c.host_id == self._host_id).order_by(models.c.id)
        with self._database.reading() as connection:
            return [row[0] for row in raw_rows(connection, query)]

    def history(self, limit: int = 50) -> list[ModelRecord]:
        """Return the metadata of the newest models, at most `limit`, newest first, without damaged rows."""
        query = select(*_COLUMNS).where(models.c.host_id == self._host_id).order_by(models.c.id.desc())
        with self._database.reading() as connection:
            return _DECODER.read_first(limit, self._database.damaged_rows, connection, query)

    def _is(self, model_id: int) -> ColumnElement[bool]:
        return (models.c.host_id == self._host_id) & (models.c.id == model_id)

    def _unknown(self, model_id: int) -> UnknownModelError:
        return UnknownModelError(f"{self._database.name}: there is no model {model_id}")

    def _require(self, connection: Connection, model_id: int) -> None:
        if connection.scalar(select(models.c.id).where(self._is(model_id))) is None:
            raise self._unknown(model_id)

    def _damaged(self, model_id: int, detail: str) -> StorageError:
        message = f"model {model_id} is damaged: {detail}"
        return StorageError.of_kind(StorageErrorKind.MODEL_DAMAGED, self._database.name, message)


def _checksum(blob: bytes) -> str:
    return hashlib.sha256(blob).hexdigest()
