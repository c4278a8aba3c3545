"""Tables of blocks and of their aggregates."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, LargeBinary, Table

from storage.column_types import UNSIGNED
from storage.schema import metadata


def _blocks_table(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("host_id", Integer, primary_key=True, autoincrement=False),
        Column("start", Float, primary_key=True),
        Column("first_at", Float, nullable=False),
        Column("last_at", Float, nullable=False),
        Column("row_count", Integer, nullable=False),
        Column("format", Integer, nullable=False),
        Column("checksum", UNSIGNED, nullable=False),
        Column("data", LargeBinary, nullable=False),
    )


# Compressed rows of the hour from `start` on. An hour has either a block or rows; see `storage.blocks`.
sample_blocks = _blocks_table("sample_blocks")
prediction_blocks = _blocks_table("prediction_blocks")
replayed_prediction_blocks = _blocks_table("replayed_prediction_blocks")


def _aggregates_table(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("host_id", Integer, primary_key=True, autoincrement=False),
        Column("start", Float, primary_key=True),
        Column("checksum", UNSIGNED, nullable=False),
        Column("data", LargeBinary, nullable=False),
    )


# Sums, counts and extremes of the block of the hour from `start` on; see `storage.aggregates`. Not columns of the
# blocks: to read a column, SQLite reads all columns before it, and the data of a block span many pages.
sample_aggregates = _aggregates_table("sample_aggregates")
prediction_aggregates = _aggregates_table("prediction_aggregates")
replayed_prediction_aggregates = _aggregates_table("replayed_prediction_aggregates")
