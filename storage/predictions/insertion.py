"""Insertion of predictions: new ones, and in place of stored ones."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, insert

from storage.blocks.expansion import expand_hours, insert_new_rows
from storage.blocks.series import PREDICTIONS, Series
from storage.quantization import quantize_number
from storage.records import Prediction


def insert_predictions(
    connection: Connection, host_id: int, new: Sequence[Prediction], series: Series = PREDICTIONS
) -> None:
    """Insert predictions; there may be none.

    Args:
        connection: connection in a writing transaction.
        host_id: ID of the host.
        new: predictions.
        series: live or replayed predictions.

    Raises:
        DuplicateKeyError: an hour has a block; see `insert_new_rows`.
    """
    if new:
        insert_new_rows(connection, series, [_row(host_id, prediction) for prediction in new])


def replace_predictions(
    connection: Connection, host_id: int, new: Sequence[Prediction], series: Series = PREDICTIONS
) -> None:
    """Insert predictions in place of stored ones with the same time and horizon; see `insert_predictions`."""
    rows = list({(prediction.at, prediction.horizon): _row(host_id, prediction) for prediction in new}.values())
    if rows:
        table = series.rows
        expand_hours(connection, series, host_id, [prediction.at for prediction in new])
        keys = [{f"key_{name}": row[name] for name in ("host_id", "at", "horizon")} for row in rows]
        same_key = (
            table.c.host_id == bindparam("key_host_id"),
            table.c.at == bindparam("key_at"),
            table.c.horizon == bindparam("key_horizon"),
        )
        connection.execute(delete(table).where(*same_key), keys)
        connection.execute(insert(table), rows)


def _row(host_id: int, prediction: Prediction) -> dict[str, object]:
    values = {name: getattr(prediction, name) for name in PREDICTIONS.columns}
    return {"host_id": host_id, **values, "probability": quantize_number(prediction.probability)}
