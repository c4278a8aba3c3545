"""Sample repository: appended once per sampling interval, read as arrays, purged in batches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Float, Select, bindparam, func, insert, select

from storage.database import Database
from storage.errors import DuplicateKeyError
from storage.queries import purge, start_of_newest, time_buckets
from storage.records import SAMPLE_FIELDS, Sample, quantize_sample
from storage.schema import LOCAL_HOST_ID, samples

_CHUNK_ROWS = 8192
"""Rows whose missing values are replaced at once; a mask of all rows would cost an eighth of their memory."""

_VALUES = attrgetter(*SAMPLE_FIELDS)
_INSERT = insert(samples)
_OWN = samples.c.host_id == bindparam("host_id")
_LAST = select(*samples.c["at", *SAMPLE_FIELDS]).where(_OWN).order_by(samples.c.at.desc()).limit(1)
_OLDEST = select(func.min(samples.c.at)).where(_OWN)
_TIMES_FROM = select(samples.c.at).where(_OWN, samples.c.at >= bindparam("at")).order_by(samples.c.at)


class SampleRepository:
    """Samples of one host, safe to use from several threads.

    Every method raises StorageError if the database refuses the operation.
    """

    def __init__(self, database: Database, host_id: int = LOCAL_HOST_ID) -> None:
        self._database = database
        self._host_id = host_id

    def append(self, sample: Sample) -> float:
        """Store one sample.

        If the clock was set back and a sample with the same time exists, the new one is stored at the next
        free millisecond. It neither is lost nor replaces a stored sample.

        Returns:
            The time under which the sample is stored, in seconds since the epoch.
        """
        try:
            with self._database.writing() as connection:
                connection.execute(_INSERT, self._row(sample))
        except DuplicateKeyError:
            with self._database.writing() as connection:
                return self._insert_at_free_time(connection, sample)
        return sample.at

    def append_many(self, new: Iterable[Sample]) -> None:
        """Store samples in one transaction, with times as in `append`."""
        added = list(new)
        if not added:
            return
        try:
            with self._database.writing() as connection:
                connection.execute(_INSERT, [self._row(sample) for sample in added])
        except DuplicateKeyError:
            with self._database.writing() as connection:
                for sample in added:
                    self._insert_at_free_time(connection, sample)

    def insert_missing(self, table: NDArray[np.float64], batch: int = 2000) -> int:
        """Store the samples whose times are not stored yet; stored samples stay as they are.

        Args:
            table: (rows, 1 + SAMPLE_FIELDS) `at` and the fields, NaN for a missing value. Of several rows with the
                same time the first one is stored.
            batch: largest number of rows in one transaction, so that a sampling daemon does not wait for long.

        Returns:
            The number of samples stored.
        """
        added = 0
        for start in range(0, len(table), batch):
            rows: dict[float, dict[str, float | None]] = {}
            for at, *values in table[start : start + batch].tolist():
                rows.setdefault(at, self._row(Sample(at, *values)))
            with self._database.writing() as connection:
                stored = self._stored_times(connection, min(rows), max(rows))
                missing = [row for at, row in rows.items() if at not in stored]
                if missing:
                    connection.execute(_INSERT, missing)
            added += len(missing)
        return added

    def last(self, until: float | None = None) -> Sample | None:
        """Return the newest sample, or None without any.

        Args:
            until: ignore samples after this time, in seconds since the epoch.
        """
        query = _LAST if until is None else _LAST.where(samples.c.at <= until)
        with self._database.reading() as connection:
            row = connection.execute(query, {"host_id": self._host_id}).one_or_none()
        return None if row is None else Sample(*row)

    def oldest_at(self) -> float | None:
        """Return the time of the oldest sample in seconds since the epoch, or None without any."""
        with self._database.reading() as connection:
            oldest: float | None = connection.scalar(_OLDEST, {"host_id": self._host_id})
        return oldest

    def count(self, since: float | None = None, limit: int | None = None) -> int:
        """Return the number of samples.

        Args:
            since: count samples after this time only, in seconds since the epoch.
            limit: stop counting at this number.
        """
        rows = select(samples.c.at).where(samples.c.host_id == self._host_id)
        if since is not None:
            rows = rows.where(samples.c.at > since)
        query = select(func.count()).select_from(rows.limit(limit).subquery())
        with self._database.reading() as connection:
            return connection.scalar(query) or 0

    def between(self, start: float, end: float, fields: Sequence[str] = SAMPLE_FIELDS) -> NDArray[np.float64]:
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
            # One transaction for both queries: a sample stored in between would not fit into the array.
            rows = connection.scalar(select(func.count()).select_from(samples).where(*conditions)) or 0
            values = _fetch(connection, _columns(fields).where(*conditions), rows * (1 + len(fields)))
        return _with_nan(values.reshape(rows, 1 + len(fields)))

    def bucket_means(self, start: float, width: float, count: int) -> NDArray[np.float64]:
        """Return the mean of each field in each time bucket, computed by the database.

        Args:
            start: start of the first bucket, in seconds since the epoch.
            width: width of a bucket in seconds.
            count: number of buckets.

        Returns:
            Array (count, SAMPLE_FIELDS); NaN for a bucket without values.
        """
        averages = [func.avg(samples.c[name]) for name in SAMPLE_FIELDS]
        means = np.full((count, len(SAMPLE_FIELDS)), np.nan)
        for bucket, conditions in time_buckets(samples, self._host_id, start, width, count):
            query = select(bucket, *averages).where(*conditions).group_by(bucket)
            with self._database.reading() as connection:
                for number, *values in connection.execute(query):
                    means[min(number, count - 1)] = [np.nan if value is None else value for value in values]
        return means

    def start_of_newest(self, seconds: float, until: float, max_gap: float, gap_seconds: float) -> float:
        """Return the time from which on the samples cover a number of seconds (`storage.queries.start_of_newest`)."""
        return start_of_newest(self._database, samples, self._host_id, seconds, until, max_gap, gap_seconds)

    def purge(self, before: float, *, batch: int = 5000) -> int:
        """Delete old samples in short transactions, so that a writer never waits for long.

        Args:
            before: samples before this time (seconds since the epoch) are deleted.
            batch: rows selected in one transaction.

        Returns:
            The number of rows deleted.
        """
        return purge(self._database, samples, self._host_id, before, batch)

    def _row(self, sample: Sample) -> dict[str, float | None]:
        values = zip(SAMPLE_FIELDS, _VALUES(quantize_sample(sample)), strict=True)
        return {"host_id": self._host_id, "at": sample.at, **dict(values)}

    def _stored_times(self, connection: Connection, first: float, last: float) -> set[float]:
        query = select(samples.c.at).where(
            samples.c.host_id == self._host_id, samples.c.at >= first, samples.c.at <= last
        )
        return set(connection.scalars(query))

    def _insert_at_free_time(self, connection: Connection, sample: Sample) -> float:
        """Insert a sample at its own time or at the first free millisecond after it, and return that time."""
        at = sample.at
        milliseconds = round(at * 1000)
        with connection.execute(_TIMES_FROM, {"host_id": self._host_id, "at": at}) as stored:
            for (other,) in stored:
                if other > at:
                    break
                if other == at:
                    milliseconds += 1
                    at = milliseconds / 1000
        connection.execute(_INSERT, {**self._row(sample), "at": at})
        return at


def _columns(fields: Sequence[str]) -> Select[Any]:
    """Select `at` and the fields ordered by time, with infinity for a missing value."""
    present = (func.coalesce(samples.c[name], bindparam("missing", math.inf, Float)) for name in fields)
    return select(samples.c.at, *present).order_by(samples.c.at)


def _fetch(connection: Connection, query: Select[Any], size: int) -> NDArray[np.float64]:
    """Return all values of a result in one flat array of `size` numbers.

    The driver's cursor fills the array directly: SQLAlchemy's rows would take several times as long, and a list of
    rows many times the memory.
    """
    # SQLAlchemy's cursor protocol omits iteration, which every driver's cursor supports.
    cursor = cast("Iterable[Sequence[float]]", connection.execute(query).cursor)
    return np.fromiter(chain.from_iterable(cursor), dtype=np.float64, count=size)


def _with_nan(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the same array with NaN instead of infinity."""
    for start in range(0, len(values), _CHUNK_ROWS):
        chunk = values[start : start + _CHUNK_ROWS]
        chunk[np.isinf(chunk)] = np.nan
    return values
