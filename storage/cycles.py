"""Cycle repository: samples of the sampling cycles with their predictions, stored in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from storage.blocks.expansion import insert_new_rows
from storage.blocks.series import SAMPLES
from storage.database import Database
from storage.errors import DuplicateKeyError
from storage.predictions.insertion import insert_predictions, replace_predictions
from storage.records import Prediction, Sample
from storage.samples.insertion import insert_at_free_time, sample_row
from storage.schema import LOCAL_HOST_ID


class CycleRepository:
    """Writer of the sampling cycles of one host."""

    def __init__(self, database: Database, host_id: int = LOCAL_HOST_ID) -> None:
        self._database = database
        self._host_id = host_id

    def append(
        self, samples: Sequence[Sample], predictions: Sequence[Prediction], *, repeated: bool = False
    ) -> list[float]:
        """Store samples and predictions in one transaction.

        A sample whose time is taken, as after a backward clock step, is stored at the next free millisecond, and so
        are its predictions. A stored prediction with the same time and horizon is replaced.

        Args:
            samples: samples.
            predictions: predictions.
            repeated: True after a failure of the same call. The connection to a server may end after the commit and
                before its answer, so that a sample that is stored with the same values is not stored again.

        Returns:
            The time under which each sample is stored, in seconds since the epoch.

        Raises:
            StorageError: the database refuses the operation; nothing is stored.
        """
        try:
            with self._database.writing() as connection:
                if samples:
                    insert_new_rows(connection, SAMPLES, [sample_row(self._host_id, sample) for sample in samples])
                insert_predictions(connection, self._host_id, predictions)
        except DuplicateKeyError:
            with self._database.writing() as connection:
                times = [
                    insert_at_free_time(connection, self._host_id, sample, repeated=repeated) for sample in samples
                ]
                moved = {sample.at: at for sample, at in zip(samples, times, strict=True)}
                following = [
                    replace(prediction, at=moved.get(prediction.at, prediction.at)) for prediction in predictions
                ]
                replace_predictions(connection, self._host_id, following)
            return times
        return [sample.at for sample in samples]
