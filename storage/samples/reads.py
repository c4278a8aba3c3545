"""Sample reads: arrays from the table of rows and from blocks, in order of time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, func, select

from storage.aggregates.computation import sums_of_groups
from storage.aggregates.reading import AggregateReader, is_aligned
from storage.blocks.reading import Gap, RecentBlocks
from storage.blocks.series import HOUR, SAMPLES, just_after, just_before
from storage.blocks.stored_series import StoredSeries
from storage.database import Database
from storage.queries import bucket_chunks, bucket_number, in_chunk
from storage.records import SAMPLE_FIELDS
from storage.samples.arrays import (
    Array,
    ArrayBuffer,
    fetch_numbers,
    select_samples,
    select_thinned_times,
    thinned,
    with_nan,
)
from storage.samples.merge import rows_at
from storage.samples.snapshot import EncodedSamples, TimedPart, encode_samples
from storage.schema import samples

Numbers = NDArray[np.int64]

DAY = 86400.0
"""Longest period in seconds whose rows are read at once if there are blocks, too."""

_MEANS = (func.avg(samples.c[name]) for name in SAMPLE_FIELDS)
_BUCKET = bucket_number(samples).label("bucket")
_BUCKET_MEANS = select(_BUCKET, *_MEANS).where(*in_chunk(samples)).group_by(_BUCKET)


class SampleReads:
    """Reads of the samples of one host as arrays, for one repository."""

    def __init__(self, database: Database, host_id: int) -> None:
        self._database = database
        self._host_id = host_id
        self._series = StoredSeries(database, SAMPLES, host_id)

    def between(
        self,
        connection: Connection,
        start: float,
        end: float,
        fields: Sequence[str],
        recent: RecentBlocks | None = None,
    ) -> Array:
        """Return the samples with start <= at <= end (rows, 1 + fields), ordered by time; NaN for a missing value.

        Args:
            connection: connection in a transaction.
            start: seconds since the epoch.
            end: seconds since the epoch.
            fields: fields to read.
            recent: blocks of the previous reads of these fields; see `BlockReader`.
        """
        if not self._series.blocks(connection).any(start, end):
            return self._rows(connection, Gap(start, end), fields)
        buffer = ArrayBuffer(1 + len(fields))
        for part in self._parts(connection, start, end, fields, recent):
            buffer.append(part)
        return buffer.take()

    def _parts(
        self,
        connection: Connection,
        start: float,
        end: float,
        fields: Sequence[str],
        recent: RecentBlocks | None = None,
    ) -> Iterator[Array]:
        """Yield the samples of a period in several arrays, in order of time; see `between`."""
        for part in self._series.blocks(connection, recent).parts(start, end, ("at", *fields)):
            if isinstance(part, Gap):
                yield from (self._rows(connection, gap, fields) for gap in self._days(connection, part))
            else:
                yield part

    def encoded(self, connection: Connection, start: float, end: float) -> Iterator[TimedPart]:
        """Yield the samples with start <= at <= end in the form of blocks, in order of time."""
        position = start
        for row, times in self._series.blocks(connection).encoded(start, end):
            yield from self._encoded_rows(connection, Gap(position, just_before(row["start"])))
            first, last = np.searchsorted(times, (start, just_after(end))).tolist()
            yield EncodedSamples(row, slice(first, last)), times[first:last]
            position = row["start"] + HOUR
        yield from self._encoded_rows(connection, Gap(position, end))

    def _encoded_rows(self, connection: Connection, gap: Gap) -> Iterator[TimedPart]:
        if gap.start <= gap.end:
            for day in self._days(connection, gap):
                yield from encode_samples(self._rows(connection, day, SAMPLE_FIELDS))

    def _days(self, connection: Connection, gap: Gap) -> Iterator[Gap]:
        """Yield the parts of a period that have rows, a day or less each."""
        query = select(func.min(samples.c.at)).where(
            samples.c.host_id == self._host_id, samples.c.at >= bindparam("start"), samples.c.at <= gap.end
        )
        start: float | None = gap.start
        while (start := connection.scalar(query, {"start": start})) is not None:
            end = min(start + DAY, gap.end)
            yield Gap(start, end)
            start = just_after(end)

    def _rows(self, connection: Connection, gap: Gap, fields: Sequence[str]) -> Array:
        """Return the samples of a period without blocks; see `between`."""
        conditions = (samples.c.host_id == self._host_id, samples.c.at >= gap.start, samples.c.at <= gap.end)
        # One transaction for both queries: the array has no row for a sample stored between them.
        rows = connection.scalar(select(func.count()).select_from(samples).where(*conditions)) or 0
        query = select_samples(fields).where(*conditions)
        return with_nan(fetch_numbers(connection, query, self._database.damaged_rows, 1 + len(fields), rows))

    def at_times(self, connection: Connection, times: Array) -> Array:
        """Return the stored samples with the given times (rows,); see `SampleRepository.at_times`."""
        rows = rows_at(connection, self._host_id, times, SAMPLE_FIELDS)
        return np.array([[at, *values] for at, values in rows.items()]).reshape(-1, 1 + len(SAMPLE_FIELDS))

    def thinned_times(self, connection: Connection, start: float, end: float, spacing: float) -> Array:
        """Return sample times, thinned to about one per `spacing` seconds; see `select_thinned_times`."""
        if self._series.blocks(connection).any(start, end):
            parts = self._parts(connection, just_after(start), end, ())
            return thinned((part[:, 0] for part in parts), spacing)
        return self._thinned_rows(connection, start, end, spacing)

    def spread_times(self, connection: Connection, start: float, end: float, spacing: float) -> Array:
        """Return sample times, thinned to about one per `spacing` seconds; see `SampleRepository.spread_times`."""
        parts = [np.empty(0)]
        position = start
        for hour, first, last, rows in self._series.blocks(connection).spans(just_after(start), end):
            parts.append(self._thinned_rows(connection, position, just_before(hour), spacing))
            # Damaged times are not in their hour.
            begin = max(first, hour)
            until = min(last, just_before(hour + HOUR))
            times = np.linspace(begin, until, max(1, min(rows, math.ceil((until - begin) / spacing) + 1)))
            parts.append(times[(times > start) & (times <= end)])
            position = just_before(hour + HOUR)
        parts.append(self._thinned_rows(connection, position, end, spacing))
        return np.concatenate(parts)

    def _thinned_rows(self, connection: Connection, start: float, end: float, spacing: float) -> Array:
        """Return thinned times of the rows with start < at <= end, a period without blocks."""
        if start >= end:
            return np.empty(0)
        query = select_thinned_times(self._host_id, start, end, spacing)
        return fetch_numbers(connection, query, self._database.damaged_rows, 1)[:, 0]

    def next_chunk(self, connection: Connection, start: float, rows: int) -> tuple[Array, float | None]:
        """Return the oldest samples since a time, and the largest time that was read; None if there is none.

        Args:
            connection: connection in a transaction.
            start: seconds since the epoch, inclusive.
            rows: largest number of samples.
        """
        blocks = ArrayBuffer(1 + len(SAMPLE_FIELDS))
        end = math.inf
        for part in self._series.blocks(connection).parts(start, math.inf, SAMPLES.columns):
            if isinstance(part, Gap):
                continue
            blocks.append(part)
            if blocks.rows >= rows:
                end = float(part[-1, 0])
                break
        compressed = blocks.take()
        own = (samples.c.host_id == self._host_id, samples.c.at >= start, samples.c.at <= end)
        query = select_samples(SAMPLE_FIELDS).where(*own).limit(rows)
        plain = with_nan(fetch_numbers(connection, query, self._database.damaged_rows, 1 + len(SAMPLE_FIELDS)))
        count, last = len(plain), float(plain[-1, 0]) if len(plain) else None
        if count < rows:
            read = query.subquery()
            count, last = connection.execute(select(func.count(), func.max(read.c.at))).one()
        if not len(compressed):
            return plain, last
        # Later samples may be in rows that were not read.
        known = float(last) if count == rows and last is not None else end
        merged = np.concatenate((compressed[compressed[:, 0] <= known], plain))
        merged = merged[np.argsort(merged[:, 0], kind="stable")][:rows]
        if len(merged) == rows or not math.isfinite(known):
            return merged, float(merged[-1, 0]) if len(merged) else last
        return merged, known

    def bucket_means(self, start: float, width: float, count: int) -> Array:
        """Return the mean of each field in each time bucket; see `SampleRepository.bucket_means`."""
        if is_aligned(start, width):
            counts, sums = np.zeros((2, count, len(SAMPLE_FIELDS)))
            for number, (part_counts, part_sums, _) in self._aggregates(start, width, count):
                np.add.at(counts, number, part_counts)
                np.add.at(sums, number, part_sums)
            return _means(counts, sums)
        means = np.full((count, len(SAMPLE_FIELDS)), np.nan)
        recent = RecentBlocks()
        for chunk in bucket_chunks(self._host_id, start, width, count):
            with self._database.reading() as connection:
                first, last = chunk["chunk_start"], just_before(chunk["chunk_end"])
                if self._series.blocks(connection).any(first, last):
                    rows = self.between(connection, first, last, SAMPLE_FIELDS, recent)
                    numbers, part = _bucket_means(rows, first, width)
                    means[np.minimum(numbers + int(chunk["first_bucket"]), count - 1)] = part
                    continue
                for number, *values in connection.execute(_BUCKET_MEANS, chunk):
                    means[min(number, count - 1)] = [np.nan if value is None else value for value in values]
        return means

    def bucket_maxima(self, start: float, width: float, count: int) -> Array:
        """Return the maximum of each field in each time bucket; see `SampleRepository.bucket_maxima`."""
        maxima = np.full((count, len(SAMPLE_FIELDS)), np.nan)
        for number, (_, _, part_maxima) in self._aggregates(start, width, count):
            np.fmax.at(maxima, number, part_maxima)
        return maxima

    def _aggregates(self, start: float, width: float, count: int) -> Iterator[tuple[Numbers, Sequence[Array]]]:
        """Yield bucket numbers (rows,) with counts, sums and maxima of aggregates (rows, SAMPLE_FIELDS) each."""
        for part in AggregateReader(self._database, SAMPLES, self._host_id).between(start, start + width * count):
            yield ((part[:, 0] - start) // width).astype(np.int64), np.split(part[:, 1:], 3, axis=1)


def _bucket_means(rows: Array, start: float, width: float) -> tuple[Numbers, Array]:
    """Return the numbers of the buckets with rows, and the mean of each column in them (buckets, columns).

    Args:
        rows: (rows, 1 + columns) times in order, and values; NaN for a missing value.
        start: start of the first bucket in seconds since the epoch.
        width: width of a bucket in seconds.
    """
    bucket = ((rows[:, 0] - start) / width).astype(np.int64)
    first = np.flatnonzero(np.diff(bucket, prepend=-1))
    return bucket[first], _means(*sums_of_groups(rows[:, 1:], first))


def _means(counts: Array, sums: Array) -> Array:
    """Return the means of groups from the number and the sum of their values; NaN for a group without values."""
    means = np.full(sums.shape, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means
