"""The history of samples: appended once an interval, read as one array, purged in small steps."""

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
from storage.queries import RowInserter, ScalarQuery, purge, slots
from storage.records import SAMPLE_FIELDS, Sample
from storage.schema import LOCAL_HOST_ID, samples

WHOLE = frozenset({"network_receive", "network_transmit", "disk_read", "disk_write"})
"""Rates in bytes per second, stored without a fraction.

SQLite stores a whole REAL in as few bytes as an integer: 1 to 4 instead of 8, four times in every row. Half a byte
per second is far below what such a rate is worth knowing to. Errors per second stay exact: one in a minute matters.
"""

CHUNK_ROWS = 8192
"""Rows whose missing values are marked at once: the mask of a whole history would cost an eighth of it again."""

_VALUES = attrgetter(*SAMPLE_FIELDS)
_IS_WHOLE = tuple(name in WHOLE for name in SAMPLE_FIELDS)
_INSERT = insert(samples)
_LAST = select(*samples.c["at", *SAMPLE_FIELDS]).order_by(samples.c.at.desc()).limit(1)
_OLDEST = select(func.min(samples.c.at)).where(samples.c.host_id == bindparam("host_id"))
_FROM = (
    select(samples.c.at)
    .where(samples.c.host_id == bindparam("host_id"), samples.c.at >= bindparam("at"))
    .order_by(samples.c.at)
)


class SampleRepository:
    """The samples of one host. Safe to use from several threads.

    Every method raises StorageError for what the database refuses.
    """

    def __init__(self, database: Database, host_id: int = LOCAL_HOST_ID) -> None:
        self._database = database
        self._host_id = host_id
        self._commit = RowInserter(database, samples)
        self._read_oldest = ScalarQuery(database, _OLDEST)

    def append(self, sample: Sample) -> float:
        """Commits one sample.

        A moment that is taken, because the clock was set back, neither loses the new sample nor rewrites history: it
        is stored at the next free millisecond.

        Returns:
            The time it is stored under, in seconds since the epoch.
        """
        row = self._row(sample)
        try:
            self._commit(row)
        except DuplicateKeyError:
            with self._database.writing() as connection:
                row["at"] = self._insert_moved(connection, row)
        return float(row["at"] or 0.0)

    def append_many(self, new: Iterable[Sample]) -> None:
        """Commits samples together, all or none; a moment that is taken is treated as in `append`."""
        rows = [self._row(sample) for sample in new]
        if not rows:
            return
        try:
            with self._database.writing() as connection:
                connection.execute(_INSERT, rows)
        except DuplicateKeyError:
            with self._database.writing() as connection:
                for row in rows:
                    self._insert_moved(connection, row)

    def insert_missing(self, table: NDArray[np.float64], batch: int = 2000) -> int:
        """Adds samples of moments that are free; what is stored stays as it is.

        Args:
            table: (n, 1 + SAMPLE_FIELDS) `at`, then the fields; NaN where a value is missing.
            batch: rows in one transaction at most, so that a daemon that samples meanwhile need not wait for long.

        Returns:
            The number of samples added.
        """
        added = 0
        for start in range(0, len(table), batch):
            rows = [
                self._row(Sample(at, *(None if math.isnan(value) else value for value in values)))
                for at, *values in table[start : start + batch].tolist()
            ]
            # one moment may be there twice: the first one counts, as with what is stored
            rows = list({row["at"]: row for row in reversed(rows)}.values())[::-1]
            with self._database.writing() as connection:
                taken = self._taken(connection, [float(row["at"] or 0.0) for row in rows])
                free = [row for row in rows if row["at"] not in taken]
                if free:
                    connection.execute(_INSERT, free)
            added += len(free)
        return added

    def _taken(self, connection: Connection, moments: list[float]) -> set[float]:
        """Which of some moments have a sample."""
        found = select(samples.c.at).where(
            samples.c.host_id == self._host_id, samples.c.at >= min(moments), samples.c.at <= max(moments)
        )
        return set(connection.scalars(found)) & set(moments)

    def last(self, until: float | None = None) -> Sample | None:
        """The newest sample, or None while there is none.

        Args:
            until: seconds since the epoch; later ones do not count.
        """
        wanted = _LAST.where(samples.c.host_id == self._host_id)
        if until is not None:
            wanted = wanted.where(samples.c.at <= until)
        with self._database.reading() as connection:
            row = connection.execute(wanted).one_or_none()
        return None if row is None else Sample(*row)

    def oldest_at(self) -> float | None:
        """The time of the oldest sample, or None while there is none."""
        found: float | None = self._read_oldest(self._host_id)
        return found

    def count(self, since: float | None = None, limit: int | None = None) -> int:
        """How many samples there are.

        Args:
            since: count only what came after this moment.
            limit: look at no more rows than this; the result is at most this.
        """
        rows = select(samples.c.at).where(samples.c.host_id == self._host_id)
        if since is not None:
            rows = rows.where(samples.c.at > since)
        counted = select(func.count()).select_from(rows.limit(limit).subquery())
        with self._database.reading() as connection:
            return connection.scalar(counted) or 0

    def between(self, start: float, end: float, fields: Sequence[str] = SAMPLE_FIELDS) -> NDArray[np.float64]:
        """The samples with start < at <= end, in the order of time.

        Args:
            start: seconds since the epoch, excluded.
            end: seconds since the epoch, included.
            fields: metrics wanted, in the order wanted.

        Returns:
            Array (n, 1 + len(fields)): `at`, then the fields; NaN where a value is missing.

        Raises:
            ValueError: a field is unknown.
        """
        unknown = set(fields) - set(SAMPLE_FIELDS)
        if unknown:
            raise ValueError(f"no such metric: {', '.join(sorted(unknown))}")
        within = (samples.c.host_id == self._host_id, samples.c.at > start, samples.c.at <= end)
        with self._database.reading() as connection:
            # The same transaction for both, or a sample that is written in between would not fit.
            rows = connection.scalar(select(func.count()).select_from(samples).where(*within)) or 0
            values = _fetch(connection, _columns(fields).where(*within), rows * (1 + len(fields)))
        return _with_nan(values.reshape(rows, 1 + len(fields)))

    def bucket_means(self, start: float, width: float, count: int) -> NDArray[np.float64]:
        """What the metrics were on average in each of some stretches of time, worked out by the database.

        Args:
            start: seconds since the epoch at which the first begins.
            width: seconds of each.
            count: how many.

        Returns:
            Array (count, SAMPLE_FIELDS); NaN where nothing was measured.
        """
        means = [func.avg(samples.c[name]) for name in SAMPLE_FIELDS]
        found = np.full((count, len(SAMPLE_FIELDS)), np.nan)
        for slot, within in slots(samples, self._host_id, start, width, count):
            with self._database.reading() as connection:
                for number, *values in connection.execute(select(slot, *means).where(*within).group_by(slot)):
                    found[min(number, count - 1)] = [np.nan if value is None else value for value in values]
        return found

    def purge(self, before: float, *, keep_newest: int = 0, batch: int = 5000) -> int:
        """Deletes old samples, a bounded batch a transaction, so that a writer never waits for long.

        Args:
            before: delete what is older than this, in seconds since the epoch.
            keep_newest: never delete any of this many newest samples: a clock that jumped years ahead makes all
                history look old.
            batch: rows deleted in one transaction at most.

        Returns:
            The number of rows deleted.
        """
        before = min(before, self._nth_newest(keep_newest)) if keep_newest > 0 else before
        return purge(self._database, samples, self._host_id, before, batch)

    def _nth_newest(self, n: int) -> float:
        """The time of the n-th newest sample; -inf if there are fewer."""
        newest = select(samples.c.at).where(samples.c.host_id == self._host_id).order_by(samples.c.at.desc())
        with self._database.reading() as connection:
            at = connection.scalar(newest.limit(1).offset(n - 1))
        return -math.inf if at is None else at

    def _row(self, sample: Sample) -> dict[str, float | None]:
        values = zip(SAMPLE_FIELDS, _stored_values(sample), strict=True)
        return {"host_id": self._host_id, "at": sample.at, **dict(values)}

    def _insert_moved(self, connection: Connection, row: dict[str, float | None]) -> float:
        """Inserts at the row's own moment if that is free, or at the first free millisecond after it."""
        wanted = float(row["at"] or 0.0)
        at, milliseconds = wanted, round(wanted * 1000)
        with connection.execute(_FROM, {"host_id": self._host_id, "at": wanted}) as taken:
            for (other,) in taken:
                if other > at:
                    break
                if other == at:
                    milliseconds += 1
                    at = milliseconds / 1000
        connection.execute(_INSERT, {**row, "at": at})
        return at


def quantize_sample(sample: Sample) -> Sample:
    """The sample as it will be read back: what is computed from it live must equal what a training sees later."""
    return Sample(sample.at, *_stored_values(sample))


def _stored_values(sample: Sample) -> list[float | None]:
    """The values as their columns keep them; what is not a number is missing."""
    return [
        None if value is None or not math.isfinite(value) else float(round(value)) if whole else value
        for value, whole in zip(_VALUES(sample), _IS_WHOLE, strict=True)
    ]


def _columns(fields: Sequence[str]) -> Select[Any]:
    """Selects `at` and the fields in the order of time, with infinity for what is missing."""
    present = (func.coalesce(samples.c[name], bindparam("missing", math.inf, Float)) for name in fields)
    return select(samples.c.at, *present).order_by(samples.c.at)


def _fetch(connection: Connection, query: Select[Any], size: int) -> NDArray[np.float64]:
    """All values of the result in one flat array.

    From the driver's cursor straight into the array: SQLAlchemy's rows would take several times as long, and a list
    of rows many times the memory.
    """
    # The protocol that SQLAlchemy gives its cursor leaves out that every driver's can be iterated over.
    cursor = cast("Iterable[Sequence[float]]", connection.execute(query).cursor)
    return np.fromiter(chain.from_iterable(cursor), dtype=np.float64, count=size)


def _with_nan(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same array, with NaN for every infinity."""
    for start in range(0, len(values), CHUNK_ROWS):
        chunk = values[start : start + CHUNK_ROWS]
        chunk[np.isinf(chunk)] = np.nan
    return values
