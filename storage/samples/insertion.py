"""Insertion of samples: statement parameters, and free times for samples whose time is taken."""

from __future__ import annotations

from operator import attrgetter

from sqlalchemy import Connection, bindparam, insert, select

from storage.blocks.expansion import expand_hours
from storage.blocks.series import SAMPLES
from storage.errors import StorageError, StorageErrorKind
from storage.quantization import quantize_sample
from storage.records import SAMPLE_FIELDS, Sample
from storage.schema import samples

INSERT = insert(samples).execution_options(preserve_rowcount=True)

LONGEST_SHIFT = 1.0
"""Seconds after the time of a sample in which there is a free millisecond."""

_VALUES = attrgetter(*SAMPLE_FIELDS)
_TIMES_FROM = (
    select(samples.c.at)
    .where(samples.c.host_id == bindparam("host_id"), samples.c.at >= bindparam("at"))
    .order_by(samples.c.at)
)
_ROW = select(*(samples.c[name] for name in SAMPLE_FIELDS)).where(
    samples.c.host_id == bindparam("host_id"), samples.c.at == bindparam("at")
)


def sample_row(host_id: int, sample: Sample) -> dict[str, float | None]:
    """Return the parameters of INSERT for a sample."""
    values = zip(SAMPLE_FIELDS, _VALUES(quantize_sample(sample)), strict=True)
    return {"host_id": host_id, "at": sample.at, **dict(values)}


def insert_at_free_time(connection: Connection, host_id: int, sample: Sample, *, repeated: bool = False) -> float:
    """Insert a sample at `sample.at` or the first free millisecond after it, and return the time used.

    Args:
        connection: connection in a writing transaction.
        host_id: ID of the host.
        sample: the sample.
        repeated: True if the sample may be stored already; it is then not stored again.

    Raises:
        StorageError: a trigger of another program ignores the sample, which would be lost silently.
    """
    at = sample.at
    # A shift may reach the next hour.
    expand_hours(connection, SAMPLES, host_id, (at, at + LONGEST_SHIFT))
    row = sample_row(host_id, sample)
    if repeated and _is_stored(connection, row):
        return at
    milliseconds = round(at * 1000)
    with connection.execute(_TIMES_FROM, {"host_id": host_id, "at": at}) as stored:
        for (other,) in stored:
            if other > at:
                break
            if other == at:
                milliseconds += 1
                at = milliseconds / 1000
    inserted = connection.execute(INSERT, {**row, "at": at})
    if inserted.rowcount < 1:
        detail = "a sample was not stored; check its triggers"
        raise StorageError.of_kind(StorageErrorKind.OTHER, samples.name, detail)
    return at


def _is_stored(connection: Connection, row: dict[str, float | None]) -> bool:
    """Return True if a row is stored with the same time and the same values."""
    stored = connection.execute(_ROW, {"host_id": row["host_id"], "at": row["at"]}).first()
    return stored is not None and tuple(stored) == tuple(row[name] for name in SAMPLE_FIELDS)
