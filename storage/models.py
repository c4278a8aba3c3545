"""The models of a host, and the pointer to the one that serves. A rollback moves the pointer and nothing else."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from storage.database import Database
from storage.errors import StorageError, StorageErrorKind, UnknownModelError
from storage.queries import ScalarQuery
from storage.records import ModelRecord
from storage.schema import LOCAL_HOST_ID, models, serving

_COLUMNS = models.c["id", "created_at", "sha256", "size", "report", "promoted_at"]
_ACTIVE = select(serving.c.model_id).where(serving.c.host_id == bindparam("host_id"))


class ModelRegistry:
    """The models of one host. Every method raises StorageError for what the database refuses."""

    def __init__(self, database: Database, host_id: int = LOCAL_HOST_ID) -> None:
        self._database = database
        self._host_id = host_id
        self._read_active = ScalarQuery(database, _ACTIVE)

    def register(self, blob: bytes, report_json: str, at: float, detector: bytes | None = None) -> int:
        """Keeps a model, which does not serve yet.

        Args:
            blob: the model as bytes.
            report_json: its training report as JSON text.
            at: when it was made, in seconds since the epoch.
            detector: what watches for anomalies beside it, as bytes with a checksum of their own.

        Returns:
            Its id; later models have greater ones.
        """
        model = insert(models).values(
            host_id=self._host_id,
            created_at=at,
            sha256=hashlib.sha256(blob).hexdigest(),
            size=len(blob),
            report=report_json,
            blob=blob,
            detector=detector,
        )
        with self._database.writing() as connection:
            return int(connection.execute(model.returning(models.c.id)).scalar_one())

    def promote(self, model_id: int, at: float) -> None:
        """Makes a model serve from `at` on, in one transaction.

        Raises:
            UnknownModelError: this host has no such model.
        """
        with self._database.writing() as connection:
            self._require(connection, model_id)
            connection.execute(update(models).where(models.c.id == model_id).values(promoted_at=at))
            self._point_at(connection, model_id)

    def active_id(self) -> int | None:
        """The id of the model that serves, or None. A look at one row: cheap enough for every tick."""
        found: int | None = self._read_active(self._host_id)
        return found

    def set_fallbacks(self, model_id: int, fallbacks: dict[str, dict[str, str]]) -> None:
        """Notes which baselines serve where a model has fallen behind; nothing, if it does not serve any more.

        Args:
            model_id: the serving model.
            fallbacks: by horizon (seconds, as text) and then by state of load, "calm" or "high", the baseline's name.
        """
        mine = (serving.c.host_id == self._host_id, serving.c.model_id == model_id)
        with self._database.writing() as connection:
            connection.execute(update(serving).where(*mine).values(fallbacks=fallbacks or None))

    def fallbacks(self) -> dict[str, dict[str, str]]:
        """Which baselines serve instead of the serving model, as `set_fallbacks` noted it; empty for none."""
        query = select(serving.c.fallbacks).where(serving.c.host_id == self._host_id)
        with self._database.reading() as connection:
            return connection.scalar(query) or {}

    def blob(self, model_id: int) -> bytes:
        """The bytes of a model, as they were registered.

        Raises:
            UnknownModelError: this host has no such model.
            StorageError: they are not what was registered. The database's own checks do not see a flipped bit.
        """
        query = select(models.c.blob, models.c.sha256).where(self._is(model_id))
        with self._database.reading() as connection:
            found = connection.execute(query).one_or_none()
        if found is None:
            raise self._unknown(model_id)
        blob, sha256 = found
        if hashlib.sha256(blob).hexdigest() != sha256:
            detail = f"model {model_id} is damaged: its checksum does not match"
            raise StorageError.of_kind(StorageErrorKind.MODEL_DAMAGED, self._database.name, detail)
        return bytes(blob)

    def detector(self, model_id: int) -> bytes | None:
        """The bytes of what watches for anomalies beside a model, or None where nothing does.

        Raises:
            UnknownModelError: this host has no such model.
        """
        with self._database.reading() as connection:
            found = connection.execute(select(models.c.detector).where(self._is(model_id))).one_or_none()
        if found is None:
            raise self._unknown(model_id)
        return None if found[0] is None else bytes(found[0])

    def find_id(self, blob: bytes, detector: bytes | None) -> int | None:
        """The newest model of these bytes with this detector, or None. One predictor may be there with several."""
        same = models.c.detector.is_(None) if detector is None else models.c.detector == detector
        mine = (models.c.host_id == self._host_id, models.c.sha256 == hashlib.sha256(blob).hexdigest())
        with self._database.reading() as connection:
            found: int | None = connection.scalar(select(func.max(models.c.id)).where(*mine, same))
        return found

    def record(self, model_id: int) -> ModelRecord:
        """What is known about a model, without its bytes.

        Raises:
            UnknownModelError: this host has no such model.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(*_COLUMNS).where(self._is(model_id))).one_or_none()
        if row is None:
            raise self._unknown(model_id)
        return ModelRecord(*row)

    def history(self, limit: int = 50) -> list[ModelRecord]:
        """The newest models, newest first, without their bytes."""
        query = select(*_COLUMNS).where(models.c.host_id == self._host_id).order_by(models.c.id.desc())
        with self._database.reading() as connection:
            return [ModelRecord(*row) for row in connection.execute(query.limit(limit))]

    def previous_id(self, model_id: int) -> int | None:
        """The newest model before this one that has ever served, or None."""
        with self._database.reading() as connection:
            return self._previous(connection, model_id)

    def rollback(self, model_id: int | None, at: float) -> int:
        """Lets an earlier model serve again, in one transaction.

        When it first served stays as it is: a rollback does not rewrite history.

        Args:
            model_id: the model to go to; None for the one before the serving one.
            at: now, in seconds since the epoch; noted for a model that never served before.

        Returns:
            The id of the model that serves now.

        Raises:
            UnknownModelError: this host has no such model.
            StorageError: none was named and there is none to go back to.
        """
        with self._database.writing() as connection:
            target = self._before_active(connection) if model_id is None else model_id
            self._require(connection, target)
            first_time = (models.c.id == target, models.c.promoted_at.is_(None))
            connection.execute(update(models).where(*first_time).values(promoted_at=at))
            self._point_at(connection, target)
        return target

    def prune(self, keep: int) -> int:
        """Removes all but the newest `keep` models; never the serving one, nor the one a rollback would go to.

        Returns:
            The number of models removed.
        """
        newest = select(models.c.id).where(models.c.host_id == self._host_id).order_by(models.c.id.desc())
        with self._database.writing() as connection:
            active = self._active(connection)
            kept = set(connection.scalars(newest.limit(keep)))
            if active is not None:
                kept |= {active, self._previous(connection, active)} - {None}
            stale = (models.c.host_id == self._host_id, models.c.id.not_in(kept))
            return connection.execute(delete(models).where(*stale)).rowcount

    def _is(self, model_id: int) -> Any:
        return (models.c.host_id == self._host_id) & (models.c.id == model_id)

    def _unknown(self, model_id: int) -> UnknownModelError:
        return UnknownModelError(f"{self._database.name}: there is no model {model_id}")

    def _require(self, connection: Connection, model_id: int) -> None:
        if connection.scalar(select(models.c.id).where(self._is(model_id))) is None:
            raise self._unknown(model_id)

    def _active(self, connection: Connection) -> int | None:
        found: int | None = connection.scalar(_ACTIVE, {"host_id": self._host_id})
        return found

    def _previous(self, connection: Connection, model_id: int) -> int | None:
        earlier = (models.c.host_id == self._host_id, models.c.id < model_id, models.c.promoted_at.is_not(None))
        found: int | None = connection.scalar(select(func.max(models.c.id)).where(*earlier))
        return found

    def _before_active(self, connection: Connection) -> int:
        active = self._active(connection)
        if active is None:
            detail = "no model is active, so there is none to roll back from"
            raise StorageError.of_kind(StorageErrorKind.NO_PREVIOUS_MODEL, self._database.name, detail)
        previous = self._previous(connection, active)
        if previous is None:
            detail = f"no model was active before model {active}"
            raise StorageError.of_kind(StorageErrorKind.NO_PREVIOUS_MODEL, self._database.name, detail)
        return previous

    def _point_at(self, connection: Connection, model_id: int) -> None:
        before = self._active(connection)
        if before is None:
            connection.execute(insert(serving).values(host_id=self._host_id, model_id=model_id))
        elif before != model_id:
            mine = serving.c.host_id == self._host_id
            connection.execute(update(serving).where(mine).values(model_id=model_id, fallbacks=None))
