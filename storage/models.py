"""The models of a host, and the pointer to the one that serves. A rollback moves the pointer and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from storage.database import Database
from storage.errors import StorageError, UnknownModelError
from storage.queries import FigureReader
from storage.records import ModelRecord
from storage.schema import LOCAL_HOST, models, serving

_COLUMNS = models.c[tuple(field.name for field in fields(ModelRecord))]
_ACTIVE = select(serving.c.model_id).where(serving.c.host_id == bindparam("host_id"))


class ModelRegistry:
    """The models of one host. Every method raises StorageError for what the database refuses."""

    def __init__(self, database: Database, host_id: int = LOCAL_HOST) -> None:
        self._database = database
        self._host_id = host_id
        self._read_active = FigureReader(database, _ACTIVE)

    def register(self, blob: bytes, report: dict[str, Any], at: float, detector: bytes | None = None) -> int:
        """Keeps a model, which does not serve yet.

        Args:
            blob: the model as bytes.
            report: plain JSON data about its training.
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
            report=report,
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

    def serve_instead(self, model_id: int, instead: dict[str, dict[str, str]]) -> None:
        """Notes which baselines serve where a model has fallen behind; nothing, if it does not serve any more.

        Args:
            model_id: the serving model.
            instead: by horizon (seconds, as text) and then by state of load, "calm" or "high", the baseline's name.
        """
        mine = (serving.c.host_id == self._host_id, serving.c.model_id == model_id)
        with self._database.writing() as connection:
            connection.execute(update(serving).where(*mine).values(instead=instead or None))

    def instead(self) -> dict[str, dict[str, str]]:
        """Which baselines serve instead of the serving model, as `serve_instead` noted it; empty for none."""
        query = select(serving.c.instead).where(serving.c.host_id == self._host_id)
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
            raise StorageError(f"{self._database.name}: model {model_id} is damaged: its checksum does not match")
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

    def find(self, blob: bytes, detector: bytes | None) -> int | None:
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
            raise StorageError(f"{self._database.name}: no model serves, so there is none to go back from")
        previous = self._previous(connection, active)
        if previous is None:
            raise StorageError(f"{self._database.name}: no model has served before model {active}")
        return previous

    def _point_at(self, connection: Connection, model_id: int) -> None:
        before = self._active(connection)
        if before is None:
            connection.execute(insert(serving).values(host_id=self._host_id, model_id=model_id))
        elif before != model_id:
            mine = serving.c.host_id == self._host_id
            connection.execute(update(serving).where(mine).values(model_id=model_id, instead=None))
