"""Salvaged history: training runs, activations and quarantined models merged into another database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, insert, select, update

from storage.database import Database
from storage.database.portable import continue_ids
from storage.models.sealed_text import unseal
from storage.rows import RowDecoder, raw_rows, tuple_decoder
from storage.schema import LOCAL_HOST_ID, activations, quarantined_models, training_runs

Row = dict[str, Any]


@dataclass(frozen=True)
class HistoryTable:
    """Table whose rows are merged.

    Attributes:
        table: the table.
        columns: names of the columns that are copied.
        key: names of the columns that identify a row.
        decoder: decoder of the columns.
        time: name of the column by which the IDs of the rows are ordered; empty for a table without IDs.
        needs_model: True if a row without its model is left out.
    """

    table: Table
    columns: tuple[str, ...]
    key: tuple[str, ...]
    decoder: RowDecoder[tuple[Any, ...]]
    time: str = ""
    needs_model: bool = True


TABLES = (
    HistoryTable(
        table=training_runs,
        columns=("model_id", "started_at", "finished_at", "outcome", "reason", "report"),
        key=("started_at", "finished_at"),
        decoder=tuple_decoder(training_runs.name, int | None, float, float, str, str, str),
        time="started_at",
        needs_model=False,
    ),
    HistoryTable(
        table=activations,
        columns=("model_id", "at", "undone"),
        key=("model_id", "at"),
        decoder=tuple_decoder(activations.name, int, float, bool),
        time="at",
    ),
    HistoryTable(
        table=quarantined_models,
        columns=("model_id", "part", "at", "reason", "detail"),
        key=("model_id", "part"),
        decoder=tuple_decoder(quarantined_models.name, int, str, float, str, str),
    ),
)


@dataclass(frozen=True)
class HistoryCounts:
    """Number of rows of each table that were stored, that needed no change, and that cannot be used."""

    recovered: Counter[str]
    skipped: Counter[str]
    damaged: Counter[str]


def merge_history(source: Database, target: Database, model_ids: Mapping[int, int]) -> HistoryCounts:
    """Store the training runs, activations and quarantined models that a database lacks.

    The IDs of its training runs and activations are changed where necessary, so that they have the order of time.
    The active model stays as it is.

    Args:
        source: database to read.
        target: database to change, in one transaction.
        model_ids: ID in the target for the ID of each model in the source. A row about another model is skipped; a
            training run is stored without its model.

    Raises:
        StorageError: a database refuses an operation; the target is not changed.
    """
    counts = HistoryCounts(Counter(), Counter(), Counter())
    with source.reading() as reading, target.writing() as writing:
        for history in TABLES:
            for key in _keys(reading, history.table):
                row = _read(source, reading, history, key)
                if row is None:
                    counts.damaged[history.table.name] += 1
                elif _insert(writing, history, row, model_ids):
                    counts.recovered[history.table.name] += 1
                else:
                    counts.skipped[history.table.name] += 1
            if history.time and counts.recovered[history.table.name]:
                _order_ids(writing, history.table, history.time)
    return counts


def _keys(connection: Connection, table: Table) -> list[tuple[Any, ...]]:
    query = select(*table.primary_key.columns).where(table.c.host_id == LOCAL_HOST_ID)
    return [tuple(row) for row in raw_rows(connection, query)]


def _read(source: Database, connection: Connection, history: HistoryTable, key: tuple[Any, ...]) -> Row | None:
    """Return the columns of a row; None if one of them is damaged."""
    keys = zip(history.table.primary_key.columns, key, strict=True)
    query = select(*history.table.c[history.columns]).where(*(column == value for column, value in keys))
    values = history.decoder.first(source.damaged_rows, connection, query)
    if values is None:
        return None
    row = dict(zip(history.columns, values, strict=True))
    return None if "report" in row and unseal(row["report"]) is None else row


def _insert(connection: Connection, history: HistoryTable, row: Row, model_ids: Mapping[int, int]) -> bool:
    """Store a row with the ID that its model has in the target; return False if it is not stored."""
    model_id = model_ids.get(row["model_id"])
    if model_id is None and history.needs_model:
        return False
    row = {**row, "model_id": model_id}
    table = history.table
    same = (_equals(table, name, row[name]) for name in history.key)
    if connection.execute(select(table.c.host_id).where(table.c.host_id == LOCAL_HOST_ID, *same)).first():
        return False
    connection.execute(insert(table).values(host_id=LOCAL_HOST_ID, **row))
    return True


def _equals(table: Table, name: str, value: object) -> ColumnElement[bool]:
    return table.c[name] == value


def _order_ids(connection: Connection, table: Table, time: str) -> None:
    """Give the rows of a table new IDs in the order of time, unless they have that order."""
    query = select(table.c.id).where(table.c.host_id == LOCAL_HOST_ID).order_by(table.c[time], table.c.id)
    ids = [row[0] for row in connection.execute(query)]
    if ids == sorted(ids):
        return
    # AUTOINCREMENT continues after the largest ID in the table.
    for new_id, old_id in enumerate(ids, max(ids) + 1):
        connection.execute(update(table).where(table.c.id == old_id).values(id=new_id))
    continue_ids(connection, table)
