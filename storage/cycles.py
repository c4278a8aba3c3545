"""Cycle repository: samples of the sampling cycles with their predictions, stored in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from storage.database import Database
from storage.errors import DuplicateKeyError, StorageError, StorageErrorKind
from storage.predictions import insert_predictions, replace_predictions
from storage.records import Prediction, Sample
from storage.samples.insertion import INSERT, insert_at_free_time, sample_row
from storage.schema import LOCAL_HOST_ID


class CycleRepository:
    """Writer of the sampling cycles of one host."""

    def __init__(self, database: Database, host_id: int = LOCAL_HOST_ID) -> None:
        self._database = database
        self._host_id = host_id

    def append(self, samples: Sequence[Sample], predictions: Sequence[Prediction]) -> list[float]:
        """Store samples and predictions in one transaction.

        A sample whose time is taken, as after a backward clock step, is stored at the next free millisecond, and so
        are its predictions. A stored prediction with the same time and horizon is replaced.

        Returns:
            The time under which each sample is stored, in seconds since the epoch.

        Raises:
            StorageError: the database refuses the operation; nothing is stored.
        """
        try:
            with self._database.writing() as connection:
                if samples:
                    self._insert(connection, samples)
                insert_predictions(connection, self._host_id, predictions)
        except DuplicateKeyError:
            with self._database.writing() as connection:
                times = [insert_at_free_time(connection, self._host_id, sample) for sample in samples]
                moved = {sample.at: at for sample, at in zip(samples, times, strict=True)}
                following = [
                    replace(prediction, at=moved.get(prediction.at, prediction.at)) for prediction in predictions
                ]
                replace_predictions(connection, self._host_id, following)
            return times
        return [sample.at for sample in samples]

    def _insert(self, connection: Connection, samples: Sequence[Sample]) -> None:
        """Insert samples.

        Raises:
            StorageError: a trigger of another program ignores samples, which would be lost silently.
        """
        inserted = connection.execute(INSERT, [sample_row(self._host_id, sample) for sample in samples])
        if inserted.rowcount < len(samples):
            detail = (
                f"{len(samples) - inserted.rowcount} of {len(samples)} samples were not stored; check its triggers"
            )
            raise StorageError.of_kind(StorageErrorKind.OTHER, self._database.name, detail)
