"""Sample repository: insertion, merging of imported rows, reads as arrays, deletion in batches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Select, bindparam, func, select

from storage.database import Database
from storage.errors import DuplicateKeyError
from storage.queries import (
    bucket_chunks,
    bucket_number,
    count_between,
    in_chunk,
    purge,
    purge_between,
    start_of_newest,
)
from storage.records import SAMPLE_FIELDS, Sample
from storage.rows import record_decoder, tuple_decoder
from storage.samples.arrays import CHUNK_ROWS, Array, fetch_numbers, select_samples, select_thinned_times, with_nan
from storage.samples.insertion import INSERT, insert_at_free_time, sample_row
from storage.samples.merge import MergedRows, merge_rows, rows_at
from storage.schema import LOCAL_HOST_ID, samples

_OWN = samples.c.host_id == bindparam("host_id")
# A comparison with a number leaves out times of another type, which SQLite sorts after all numbers.
_UNTIL = samples.c.at <= bindparam("until")
_LAST = select(*samples.c["at", *SAMPLE_FIELDS]).where(_OWN, _UNTIL).order_by(samples.c.at.desc())
_SAMPLES = record_decoder(samples.name, Sample)
_TIME = tuple_decoder(samples.name, float | None)
_OLDEST = select(func.min(samples.c.at)).where(_OWN)
_MEANS = (func.avg(samples.c[name]) for name in SAMPLE_FIELDS)
_BUCKET = bucket_number(samples).label("bucket")
_BUCKET_MEANS = select(_BUCKET, *_MEANS).where(*in_chunk(samples)).group_by(_BUCKET)


class SampleRepository:
    """Samples of one host, safe to use from several threads.

    Every method raises StorageError if the database refuses the operation.
    """

    def __init__(self, database: Database, host_id: int = LOCAL_HOST_ID) -> None:
        self._database = database
        self._host_id = host_id

    def append(self, sample: Sample) -> float:
        """Store one sample.

        If a sample with the same time is stored, as after a backward clock step, the new sample is stored at the next
        free millisecond.

        Returns:
            The time under which the sample is stored, in seconds since the epoch.
        """
        try:
            with self._database.writing() as connection:
                connection.execute(INSERT, sample_row(self._host_id, sample))
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
                connection.execute(INSERT, [sample_row(self._host_id, sample) for sample in added])
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
            rows = rows_at(connection, self._host_id, times, SAMPLE_FIELDS)
        return np.array([[at, *values] for at, values in rows.items()]).reshape(-1, 1 + len(SAMPLE_FIELDS))

    def last(self, until: float | None = None) -> Sample | None:
        """Return the newest sample up to `until` (seconds since the epoch; None for no limit), if any."""
        values = {"host_id": self._host_id, "until": math.inf if until is None else until}
        with self._database.reading() as connection:
            return _SAMPLES.first(self._database.damaged_rows, connection, _LAST, **values)

    def oldest_at(self) -> float | None:
        """Return the time of the oldest sample in seconds since the epoch; None if there is none."""
        with self._database.reading() as connection:
            oldest = _TIME.first(self._database.damaged_rows, connection, _OLDEST, host_id=self._host_id)
        return None if oldest is None else oldest[0]

    def count(self, since: float | None = None) -> int:
        """Return the number of samples after `since` (seconds since the epoch), or of all samples if None."""
        query = select(func.count()).select_from(samples).where(samples.c.host_id == self._host_id)
        if since is not None:
            query = query.where(samples.c.at > since)
        with self._database.reading() as connection:
            return connection.scalar(query) or 0

    def thinned_times(self, start: float, end: float, spacing: float) -> Array:
        """Return sample times, thinned to about one per `spacing` seconds; see `select_thinned_times`."""
        with self._database.reading() as connection:
            query = select_thinned_times(self._host_id, start, end, spacing)
            return self._fetch(connection, query, 1)[:, 0]

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
        conditions = (samples.c.host_id == self._host_id, samples.c.at > start, samples.c.at <= end)
        with self._database.reading() as connection:
            # One transaction for both queries: the array has no row for a sample stored between them.
            rows = connection.scalar(select(func.count()).select_from(samples).where(*conditions)) or 0
            query = select_samples(fields).where(*conditions)
            return with_nan(self._fetch(connection, query, 1 + len(fields), rows))

    def chunks(self, start: float, rows: int = CHUNK_ROWS) -> Iterator[Array]:
        """Yield all samples since a time in arrays; each array is read in a separate transaction.

        Args:
            start: seconds since the epoch, inclusive.
            rows: largest number of rows in an array.

        Yields:
            Arrays (rows, 1 + SAMPLE_FIELDS): `at` and the fields, ordered by time; NaN for a missing value.
        """
        condition = samples.c.at >= start
        width = 1 + len(SAMPLE_FIELDS)
        while True:
            own = (samples.c.host_id == self._host_id, condition, samples.c.at <= math.inf)
            query = select_samples(SAMPLE_FIELDS).where(*own).limit(rows)
            with self._database.reading() as connection:
                values = self._fetch(connection, query, width)
                last = (
                    values[-1, 0]
                    if len(values) == rows
                    else connection.scalar(select(func.max(query.subquery().c.at)))
                )
            if last is None:
                return
            condition = samples.c.at > float(last)
            if len(values):
                yield with_nan(values)

    def bucket_means(self, start: float, width: float, count: int) -> Array:
        """Return the mean of each field in each time bucket, computed by the database.

        Args:
            start: start of the first bucket, in seconds since the epoch.
            width: width of a bucket in seconds.
            count: number of buckets.

        Returns:
            Array (count, SAMPLE_FIELDS); NaN for a bucket without values.
        """
        means = np.full((count, len(SAMPLE_FIELDS)), np.nan)
        for chunk in bucket_chunks(self._host_id, start, width, count):
            with self._database.reading() as connection:
                for number, *values in connection.execute(_BUCKET_MEANS, chunk):
                    means[min(number, count - 1)] = [np.nan if value is None else value for value in values]
        return means

    def start_of_newest(self, seconds: float, until: float, max_gap: float, min_rows: int = 0) -> float:
        """Return the time since which samples cover `seconds` seconds; see `storage.queries.start_of_newest`."""
        return start_of_newest(self._database, samples, self._host_id, seconds, until, max_gap, min_rows)

    def purge(self, before: float, *, batch: int = 5000) -> int:
        """Delete the samples before a time (seconds since the epoch) in short transactions; return their number."""
        return purge(self._database, samples, self._host_id, before, batch)

    def count_between(self, start: float, end: float) -> int:
        """Return the number of samples with start <= at <= end, in seconds since the epoch."""
        return count_between(self._database, samples, self._host_id, start, end)

    def purge_between(self, start: float, end: float) -> int:
        """Delete the samples with start <= at <= end (seconds since the epoch) and return their number."""
        return purge_between(self._database, samples, self._host_id, start, end)

    def _fetch(self, connection: Connection, query: Select[Any], width: int, rows: int = -1) -> Array:
        return fetch_numbers(connection, query, self._database.damaged_rows, width, rows)
