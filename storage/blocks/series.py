"""Series: the time series that are stored as rows and as blocks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Float, Select, Table, bindparam, func, select

from storage.aggregates.computation import (
    PREDICTION_COLUMNS,
    SAMPLE_COLUMNS,
    aggregate_predictions,
    aggregate_samples,
)
from storage.blocks.tables import (
    prediction_aggregates,
    prediction_blocks,
    replayed_prediction_aggregates,
    replayed_prediction_blocks,
    sample_aggregates,
    sample_blocks,
)
from storage.database.portable import stored_number
from storage.records import SAMPLE_FIELDS, Prediction
from storage.schema import predictions, replayed_predictions, samples

Array = NDArray[np.float64]

HOUR = 3600.0
"""Seconds that a block covers, from a multiple of an hour."""


@dataclass(frozen=True)
class Series:
    """Time series of one host whose old rows are compressed.

    Attributes:
        rows: table of the rows.
        blocks: table of the blocks.
        aggregates: table of the aggregates of the blocks.
        aggregate: computes aggregates from rows (rows, columns), ordered by time.
        aggregate_columns: number of columns of the aggregates.
        columns: names of the columns in a block, `at` first. Later releases may only append names.
        order: names of the columns by which the rows of a block are sorted, most significant first; `at` is the last.
        format: version of the format; different for each series.
        whole: names of the columns with whole numbers: their rows have integers.
    """

    rows: Table
    blocks: Table
    aggregates: Table
    aggregate: Callable[[Array], Array]
    aggregate_columns: int
    columns: tuple[str, ...]
    order: tuple[str, ...]
    format: int
    whole: frozenset[str] = frozenset()

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the names of the columns by which rows are read in order, most significant first."""
        return ("at", *self.order[:-1])

    def select_values(self, names: Iterable[str]) -> Select[tuple[float, ...]]:
        """Build the query for columns of all rows; infinity replaces NULL."""
        missing = bindparam("missing", math.inf, Float)
        columns = (self.rows.c[name] for name in names)
        return select(
            *(func.coalesce(column, missing) if column.nullable else stored_number(column) for column in columns)
        )


SAMPLES = Series(
    rows=samples,
    blocks=sample_blocks,
    aggregates=sample_aggregates,
    aggregate=aggregate_samples,
    aggregate_columns=SAMPLE_COLUMNS,
    columns=("at", *SAMPLE_FIELDS),
    order=("at",),
    format=1,
)


def _predictions(rows: Table, blocks: Table, aggregates: Table, version: int) -> Series:
    return Series(
        rows=rows,
        blocks=blocks,
        aggregates=aggregates,
        aggregate=aggregate_predictions,
        aggregate_columns=len(PREDICTION_COLUMNS),
        columns=tuple(field.name for field in fields(Prediction)),
        # Consecutive predictions for the same horizon are similar.
        order=("horizon", "at"),
        format=version,
        whole=frozenset({"model_id", "warning"}),
    )


PREDICTIONS = _predictions(predictions, prediction_blocks, prediction_aggregates, 2)
REPLAYED_PREDICTIONS = _predictions(
    replayed_predictions, replayed_prediction_blocks, replayed_prediction_aggregates, 3
)

ALL_SERIES = (SAMPLES, PREDICTIONS, REPLAYED_PREDICTIONS)


def hour_of(at: float) -> float:
    """Return the start of the hour of a time; both in seconds since the epoch."""
    return at - at % HOUR


def just_after(at: float) -> float:
    """Return the next larger number: the inclusive bound for an exclusive lower bound; infinity stays infinity."""
    return at if math.isinf(at) else math.nextafter(at, math.inf)


def just_before(at: float) -> float:
    """Return the next smaller number: the inclusive bound for an exclusive upper bound; infinity stays infinity."""
    return at if math.isinf(at) else math.nextafter(at, -math.inf)
