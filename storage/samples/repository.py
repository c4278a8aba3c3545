"""Sample repository: insertion, merging of imported rows, reads as arrays, deletion in batches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from sqlalchemy import bindparam, func, select

from storage.blocks.expansion import insert_new_rows
from storage.blocks.series import SAMPLES, just_after
from storage.blocks.stored_series import StoredSeries
from storage.database import Database
from storage.errors import DuplicateKeyError
from storage.records import SAMPLE_FIELDS, Sample
from storage.rows import record_decoder, tuple_decoder
from storage.samples.arrays import CHUNK_ROWS, Array
from storage.samples.insertion import insert_at_free_time, sample_row
from storage.samples.merge import MergedRows, merge_rows
from storage.samples.reads import SampleReads
from storage.samples.snapshot import SampleSnapshot
from storage.schema import LOCAL_HOST_ID, samples

_OWN = samples.c.host_id == bindparam("host_id")
# A comparison with a number leaves out times of another type, which SQLite sorts after all numbers.
_UNTIL = samples.c.at <= bindparam("until")
_LAST = select(*samples.c["at", *SAMPLE_FIELDS]).where(_OWN, _UNTIL).order_by(samples.c.at.desc())
_SAMPLES = record_decoder(samples.name, Sample)
_TIME = tuple_decoder(samples.name, float | None)
_OLDEST = select(func.min(samples.c.at)).where(_OWN)


class SampleRepository:
    """Samples of one host, safe to use from several threads.

    Rows of complete hours may be in compressed blocks, without a difference for the caller.

    Every method raises StorageError if the database refuses the operation.
    """

    def __init__(self, database: Database, host_id: int = LOCAL_HOST_ID) -> None:
        self._database = database
        self._host_id = host_id
        self._series = StoredSeries(database, SAMPLES, host_id)
        self._reads = SampleReads(database, host_id)

    def append(self, sample: Sample) -> float:
        """Store one sample.

        If a sample with the same time is stored, as after a backward clock step, the new sample is stored at the next
        free millisecond.

        Returns:
            The time under which the sample is stored, in seconds since the epoch.
        """
        try:
            with self._database.writing() as connection:
                insert_new_rows(connection, SAMPLES, [sample_row(self._host_id, sample)])
        except DuplicateKeyError:
            with self._database.writing() as connection:
                return insert_at_free_time(connection, self._host_id, sample)
        return sample.at

    def append_many(self, new: Iterable[Sample]) -> None:
        """Store samples in one transaction; a sample whose time is taken is stored at the next free millisecond."""
        added = list(new)
        if not added:
            return
        try:
            with self._database.writing() as connection:
                insert_new_rows(connection, SAMPLES, [sample_row(self._host_id, sample) for sample in added])
        except DuplicateKeyError:
            with self._database.writing() as connection:
                for sample in added:
                    insert_at_free_time(connection, self._host_id, sample)

    def insert_missing(self, table: Array, batch: int = 1000) -> int:
        """Store new samples, and fill the missing values of stored samples with the same times.

        Args:
            table: (rows, 1 + SAMPLE_FIELDS) `at` and the fields, NaN for a missing value. Of several rows with the
                same time in one batch the first one is stored.
            batch: largest number of rows in one transaction.

        Returns:
            The number of new samples.
        """
        added = 0
        for start in range(0, len(table), batch):
            part = table[start : start + batch]
            times, first = np.unique(part[:, 0], return_index=True)
            added += int(np.sum(~self.merge(times, part[first, 1:], SAMPLE_FIELDS).is_stored))
        return added

    def merge(self, times: Array, values: Array, fields: Sequence[str], *, replace: bool = False) -> MergedRows:
        """Store samples, and fill the missing values of stored samples with the same times, in one transaction.

        Args:
            times: (rows,) unique times in seconds since the epoch; about a thousand at most, as a daemon waits.
            values: (rows, fields) NaN for a missing value, which never replaces a stored one.
            fields: field of each column of `values`.
            replace: True to replace stored values that differ.
        """
        with self._database.writing() as connection:
            return merge_rows(connection, self._host_id, times, values, fields, replace=replace)

    def at_times(self, times: Array) -> Array:
        """Return the stored samples with the given times (rows,), in seconds since the epoch.

        Returns:
            Array (stored rows, 1 + SAMPLE_FIELDS): `at` and the fields, unordered; NaN for a missing value.
        """
        with self._database.reading() as connection:
            return self._reads.at_times(connection, times)

    def last(self, until: float | None = None) -> Sample | None:
        """Return the newest sample up to `until` (seconds since the epoch; None for no limit), if any."""
        end = math.inf if until is None else until
        values = {"host_id": self._host_id, "until": end}
        with self._database.reading() as connection:
            newest = _SAMPLES.first(self._database.damaged_rows, connection, _LAST, **values)
            after = -math.inf if newest is None else newest.at
            for block in self._series.blocks(connection).blocks(after, end, SAMPLES.columns, descending=True):
                rows = block.values[(block.values[:, 0] > after) & (block.values[:, 0] <= end)]
                if len(rows):
                    at, *fields = rows[-1].tolist()
                    return Sample(at, *(None if math.isnan(value) else value for value in fields))
        return newest

    def oldest_at(self) -> float | None:
        """Return the time of the oldest sample in seconds since the epoch; None if there is none."""
        with self._database.reading() as connection:
            oldest = _TIME.first(self._database.damaged_rows, connection, _OLDEST, host_id=self._host_id)
            times = (None if oldest is None else oldest[0], self._series.blocks(connection).first_at())
        return min((at for at in times if at is not None), default=None)

    def count(self, since: float | None = None) -> int:
        """Return the number of samples after `since` (seconds since the epoch), or of all samples if None."""
        return self._series.count() if since is None else self._series.count(just_after(since))

    def thinned_times(self, start: float, end: float, spacing: float) -> Array:
        """Return sample times, thinned to about one per `spacing` seconds; see `select_thinned_times`."""
        with self._database.reading() as connection:
            return self._reads.thinned_times(connection, start, end, spacing)

    def spread_times(self, start: float, end: float, spacing: float) -> Array:
        """Return times like `thinned_times`, without reading the data of compressed hours.

        The times of a compressed hour are spread evenly between its first and its last one: a gap within the hour
        is not seen, one between two hours is.
        """
        with self._database.reading() as connection:
            return self._reads.spread_times(connection, start, end, spacing)

    def between(self, start: float, end: float, fields: Sequence[str] = SAMPLE_FIELDS) -> Array:
        """Return the samples with start < at <= end, ordered by time.

        Args:
            start: seconds since the epoch, exclusive.
            end: seconds since the epoch, inclusive.
            fields: fields to read, in the order of the columns returned.

        Returns:
            Array (rows, 1 + fields): `at` and the fields; NaN for a missing value.

        Raises:
            ValueError: a field is unknown.
        """
        unknown = set(fields) - set(SAMPLE_FIELDS)
        if unknown:
            raise ValueError(f"no such metric: {', '.join(sorted(unknown))}")
        with self._database.reading() as connection:
            return self._reads.between(connection, just_after(start), end, fields)

    def snapshot(self, start: float, end: float) -> SampleSnapshot:
        """Return the samples with start < at <= end, in seconds since the epoch, compressed in memory."""
        with self._database.reading() as connection:
            return SampleSnapshot(self._reads.encoded(connection, just_after(start), end))

    def chunks(self, start: float, rows: int = CHUNK_ROWS) -> Iterator[Array]:
        """Yield all samples since a time in arrays; each array is read in a separate transaction.

        Args:
            start: seconds since the epoch, inclusive.
            rows: largest number of rows in an array.

        Yields:
            Arrays (rows, 1 + SAMPLE_FIELDS): `at` and the fields, ordered by time; NaN for a missing value.
        """
        position = start
        while True:
            with self._database.reading() as connection:
                values, last = self._reads.next_chunk(connection, position, rows)
            if last is None:
                return
            if len(values):
                yield values
            # No time follows infinity, which another program may have stored.
            if (position := just_after(last)) == last:
                return

    def bucket_means(self, start: float, width: float, count: int) -> Array:
        """Return the mean of each field in each time bucket, computed in bounded memory.

        Args:
            start: start of the first bucket, in seconds since the epoch.
            width: width of a bucket in seconds.
            count: number of buckets.

        Returns:
            Array (count, SAMPLE_FIELDS); NaN for a bucket without values.
        """
        return self._reads.bucket_means(start, width, count)

    def bucket_maxima(self, start: float, width: float, count: int) -> Array:
        """Return the maximum of each field in each time bucket; see `bucket_means`.

        Args:
            start: start of the first bucket, a multiple of five minutes in seconds since the epoch.
            width: width of a bucket, a multiple of five minutes in seconds.
            count: number of buckets.
        """
        return self._reads.bucket_maxima(start, width, count)

    def start_of_newest(self, seconds: float, until: float, max_gap: float, min_rows: int = 0) -> float:
        """Return the time since which samples cover `seconds` seconds; see `StoredSeries.start_of_newest`."""
        return self._series.start_of_newest(seconds, until, max_gap, min_rows)

    def purge(self, before: float, *, batch: int = 5000) -> int:
        """Delete the samples before a time (seconds since the epoch) in short transactions; return their number."""
        return self._series.purge(before, batch)

    def count_between(self, start: float, end: float) -> int:
        """Return the number of samples with start <= at <= end, in seconds since the epoch."""
        return self._series.count(start, end)

    def purge_between(self, start: float, end: float) -> int:
        """Delete the samples with start <= at <= end (seconds since the epoch) and return their number."""
        return self._series.purge_between(start, end)
